#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checks the HTML reports of a screen, of a screen with hostile names and of letters in a browser.
# Usage: browser.sh POPFLOW MPIEXEC PYTHON [SCREENSHOTS]     (SCREENSHOTS: folder for pictures of the pages)
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
here=$(cd "$(dirname "$0")" && pwd)
shots=${4:+$(mkdir -p "$4" && cd "$4" && pwd)}
PYTHONPATH=$here/../support "$python" -c "import browser; assert browser.find()" 2>/dev/null || {
    echo "skipped: no Chromium (scripts/install_dependencies.sh --tests installs it)"
    exit 77
}
needs_python h5py
cd "$scratch"
model="--hidden 32 --layers 2 --embedding 8 --encoder-hidden 16 --time-frequencies 8 --space-frequencies 8 --batch-pairs 2
    --log-every 2 --steps 12"
"$popflow" simulate screen --output screen.h5ad --patients 4 --cultures PDO,PDOF --treatments O,S,F --replicates 1 \
    --cells 60:90 --seed 5 >/dev/null 2>&1
for method in mfm fm icnn; do
    icnn=
    [ $method != icnn ] || icnn="--icnn-start uniform --icnn-hidden 16 --steps 22"
    # shellcheck disable=SC2086
    expect_exit 0 "$popflow" run --data screen.h5ad --min-cells 50 --split patient:21,5 --method $method --knn 5 --cells 50 \
        $model $icnn --output runs/$method
done
"$popflow" simulate letters --output letters.h5ad --letters A,B,C --test-letters X,Y --rotations 2 --size 24 >/dev/null 2>&1
expect_exit 0 "$popflow" run --data letters.h5ad --min-cells 1 --transform none --normalise no --split letters --knn 3 \
    --cells 40 $model --output letters
expect_exit 0 "$python" "$here/check_page.py" "$popflow" runs/mfm/results.h5 runs/fm/results.h5
mv page.html hostile.html
expect_exit 0 "$popflow" report runs --published organoid_patient --output screen.html --figures figures
grep -qx "runs: 3 result files" err || fail "no line says how many files there are: $(cat err)"
expect_exit 0 "$popflow" report letters --output letters.html
"$python" "$here/check_figures.py" figures ${shots:+"$shots/figures"} || fail "figures"
for page in screen hostile letters; do
    "$python" "$here/check_browser.py" $page.html ${shots:+"$shots/$page"} || fail "$page.html"
done
# finds PROBLEM SED_COMMAND: fails unless check_browser.py reports the problem in a page changed by SED_COMMAND.
finds() {
    sed "$2" screen.html >faulty.html
    expect_exit 1 "$python" "$here/check_browser.py" faulty.html
    grep -q "$1" err || fail "check_browser.py does not find the change '$2': $(cat err)"
}
finds low_contrast 's/--soft: #5b636b/--soft: #c0c4c8/'
finds small_text 's/svg .tick { font-size: 12px/svg .tick { font-size: 5px/'
finds scrolls 's/<h1>/<h1 style="width:2000px">/'
finds unequal_ticks 's/svg .tick { font-size: 12px/.cells svg .tick { font-size: 18px } svg .tick { font-size: 12px/'
finds "print: " 's/beforeprint/nosuchevent/'
finds "console: " 's/<script>/<script>nosuch();/'
echo "the reports display correctly in a browser"
