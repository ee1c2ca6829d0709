#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --method auto: the scores of its folds are those of runs that hold the same patients out, the choice follows from them, and the
# table, the report and predict say which method it is. Ranks, stop and resume.
# Usage: auto.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
needs_python "anndata, h5py"
here=$(cd "$(dirname "$0")" && pwd)
cd "$scratch"
"$python" "$here/check_moment_map.py" make s.h5ad
data="--data s.h5ad --min-cells 20 --transform none --pair-by patient,plate"
fold="$data --split patient:P7"
small="--hidden 16 --layers 2 --cells 32 --batch-pairs 4"

# Without a learning rate the flow is its start, so that the simple model is chosen and trained.
expect_exit 0 "$popflow" run $fold $small --method auto --rate 0 --steps 2 --output simple
grep -q "note: --method auto chose moment-map: in a cross-validation over 7 units.*No network beat" "$scratch/err" ||
    fail "the choice is not in words: $(cat "$scratch/err")"
grep -q "^ *MOMENT-MAP " "$scratch/out" || fail "the table has no row of the chosen method: $(cat "$scratch/out")"
grep -q -- "--method auto chose moment-map" "$scratch/out" || fail "the table does not say how the method was chosen: $(cat "$scratch/out")"
grep -q "^method = moment-map$" simple/config.cfg || fail "config.cfg does not name the chosen method"
expect_exit 0 "$popflow" report simple --format html --output page.html
grep -q "method auto chose moment-map" page.html || fail "the page does not say how the method was chosen"
expect_exit 0 "$popflow" predict --run simple $data --output cells.h5ad
grep -q "note: --method auto chose moment-map" "$scratch/err" || fail "predict does not say how the method was chosen: $(cat "$scratch/err")"
expect_exit 0 "$popflow" run $fold --method moment-map --output plain
h5diff simple/weights.h5 plain/weights.h5 /average || fail "the chosen moment map has other weights than a plain one"

# Every fold has the scores of a run that holds the same patients out.
options="$small --steps 30 --coupling ot"
expect_exit 0 "$popflow" run $fold $options --method auto --output auto
for patient in P0 P3; do
    for shrinkage in 0.25 1; do
        expect_exit 0 "$popflow" run $data --split patient:$patient,P7 $options --method fm --start-map moment-map --guard 1.5:4 --shrinkage $shrinkage \
            --max-cells 600 --metrics energy --output fold_${patient}_$shrinkage
    done
done
"$python" "$here/check_auto.py" auto fold_*/results.h5 || fail "the folds or the choice differ"

for n in 2 3; do
    expect_exit 0 ranks $n 1 train $fold $options --method auto --output r$n
    h5diff auto/selection.h5 r$n/selection.h5 || fail "another selection on $n ranks"
    cmp auto/weights.h5 r$n/weights.h5 || fail "other weights on $n ranks"
done

# A stop keeps the finished folds.
slow="$fold $small --steps 600 --method auto --output stopped"
"$popflow" train $slow >"$scratch/out" 2>"$scratch/err" &
job=$!
for _ in $(seq 600); do
    [ -f stopped/selection.h5 ] && break
    sleep 0.1
done
kill -TERM $job
code=0
wait $job || code=$?
[ $code = 75 ] || fail "exit code $code after a stop in the selection, expected 75: $(cat "$scratch/err")"
refused "an unfinished cross-validation of --method auto. Add --resume" train $slow
expect_exit 2 "$popflow" train ${slow/600/500} --resume
grep -q "resume: the configuration changed since the selection: steps: found '500', was '600'" "$scratch/err" || fail "a changed option: $(cat "$scratch/err")"
before=$("$python" "$here/check_auto.py" finished stopped)
[ "$before" -ge 1 ] || fail "no fold was kept"
expect_exit 0 "$popflow" train $slow --resume
expect_exit 0 "$popflow" train ${slow/stopped/whole}
h5diff stopped/selection.h5 whole/selection.h5 || fail "the resumed selection differs"
cmp stopped/weights.h5 whole/weights.h5 || fail "the resumed training differs"

expect_exit 0 "$popflow" train $fold --method auto --output none --dry-run
grep -q "selection: 7 folds over 7 units: 7 candidates" "$scratch/out" || fail "the plan: $(cat "$scratch/out")"
[ ! -e none ] || fail "a dry run wrote a folder"
expect_exit 0 "$popflow" train $data --split patient:P1,P2,P3,P4,P5,P6,P7 --method auto --output single
grep -q "chose mean-shift: the training part has a single unit" "$scratch/err" || fail "one unit: $(cat "$scratch/err")"

expect_exit 0 "$popflow" train $data --split none --method auto --output none --dry-run
grep -q "selection: 8 folds over 8 units" "$scratch/out" || fail "--split none does not hold out patients: $(cat "$scratch/out")"

refused() {  # refused MESSAGE OPTIONS...
    local message=$1
    shift
    expect_exit 2 "$popflow" train $fold --output other --method auto "$@"
    [ "$(wc -l <"$scratch/err")" = 1 ] || fail "expected one line: $(cat "$scratch/err")"
    grep -q -- "$message" "$scratch/err" || fail "expected '$message': $(cat "$scratch/err")"
}
refused "shrinkage: is chosen by --method auto. Omit --shrinkage" --shrinkage 0.5
refused "recipe: found 'paper', which --method auto cannot follow" --recipe paper

# Each fold of a leave-one-out chooses its own method. A resume repeats nothing.
each="$data --split each:patient $small --method auto --rate 0 --steps 2 --output each"
expect_exit 0 "$popflow" run $each
grep -q -- "--method auto chose .*moment-map in" "$scratch/out" || fail "the table of all folds: $(cat "$scratch/out")"
before=$(cat each/*/weights.h5 | cksum)
expect_exit 0 "$popflow" run $each --resume
[ "$before" = "$(cat each/*/weights.h5 | cksum)" ] || fail "the resume changed the weights"
grep -q "select\|train 1" "$scratch/err" && fail "the resume trained again: $(cat "$scratch/err")"
expect_exit 0 "$popflow" report each --format html --output each.html
exit 0
