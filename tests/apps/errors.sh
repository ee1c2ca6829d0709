#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Any invalid input of the user ends with the exit code and the one line that errors.txt lists, and leaves no file.
# Usage: errors.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
table=$(cd "$(dirname "$0")" && pwd)/errors.txt
needs_python "anndata, h5py"

# one_line TEXT...: fails unless the last command printed one error line of popflow that contains the texts in this order.
one_line() {
    local line rest text
    line=$(cat "$scratch/err")
    [ "$(wc -l <"$scratch/err")" = 1 ] || fail "expected one line: $line"
    [[ $line == "popflow: "* ]] || fail "not a message of popflow: $line"
    rest=$line
    for text; do
        [[ $rest == *"$text"* ]] || fail "'$text' is not in: $line"
        rest=${rest#*"$text"}
    done
}

# refused TEXT... -- ARGUMENT...: fails unless popflow refuses the arguments with code 2 and one_line TEXT...
refused() {
    local texts=()
    while [ "$1" != -- ]; do
        texts+=("$1")
        shift
    done
    shift
    expect_exit 2 "$popflow" "$@"
    [ ! -s "$scratch/out" ] || fail "text on standard output: $*"
    one_line "${texts[@]}"
}

# check_row ROW: checks one row of the table.
check_row() {
    local row=$1 code message command texts=()
    code=${row%% | *} row=${row#* | }
    message=${row%% | *} command=${row#* | }
    while [[ $message == *" ... "* ]]; do
        texts+=("${message%% ... *}")
        message=${message#* ... }
    done
    texts+=("$message")
    eval "set -- $command"
    expect_exit "${code%[+*]}" "$popflow" "$@"
    if [ "${code: -1}" = + ]; then
        [ -s out ] || fail "no text on standard output: $command"
    else
        [ ! -s out ] || fail "text on standard output: $command"
    fi
    one_line "${texts[@]}"
    [ "${code: -1}" = "*" ] || return 0
    code=0
    ranks 2 1 "$@" >out 2>err || code=$?
    [ "$code" != 0 ] || fail "exit code 0 on two ranks: $command"
    [ "$(grep -c "^popflow: " err)" = 1 ] || fail "on two ranks, $command: $(cat err)"
}

golden=$(cd "$(dirname "$0")/../golden" && pwd)
cd "$scratch"
"$python" "${table%/*}/make_inputs.py" "$scratch"
inspect="inspect --min-cells 10 --data"
model="--min-cells 10 --hidden 16 --layers 1 --embedding 4 --encoder-hidden 8 --encoder-layers 1 --knn 3
    --time-frequencies 4 --space-frequencies 4 --cells 16 --batch-pairs 2 --steps 3"
train="train $model --split patient:P3 --data good.h5ad --output new"
letters="simulate letters --output new.h5ad --letters I,L --test-letters X --rotations 2"
evaluate="evaluate --run run --max-cells 20 --output new.h5"
predict="predict --run run --data controls.h5ad --output new.h5ad"

# Inputs: files and folders, and runs in several states.
mkdir folder empty mine scored weights
echo "no HDF5 here" >text.h5ad
cp good.h5ad "go#od.h5ad"
cp good.h5ad mine/copy.h5ad
printf 'treatment,a\nO,1\n' >one_row.csv
printf 'treatment,a\nO,1\nS,high\n' >word.csv
echo "stepz = 3" >key.cfg
printf 'rate = 0.1\nsteps = many\n' >value.cfg
echo "steps 3" >line.cfg
: >empty.cfg
: >empty/checkpoint.h5
printf 'steps = 3\n# kept by hand\n' >mine/config.cfg
expect_exit 0 "$popflow" $inspect control_without_dose.h5ad
grep -q "Nothing was dropped" out || fail "$(cat out)"
expect_exit 0 "$popflow" $inspect good.h5ad --config empty.cfg
expect_exit 0 "$popflow" $train --output run
expect_exit 0 "$popflow" $train --data two_types.h5ad --output types
expect_exit 0 "$popflow" $train --transform log1p --output logged
size=$(stat -c %s run/checkpoint.h5)
for share in 20 60 95; do
    mkdir damaged$share
    head -c $((size * share / 100)) run/checkpoint.h5 >damaged$share/checkpoint.h5
done
expect_exit 0 "$popflow" $evaluate --output scores.h5
expect_exit 0 "$popflow" $predict --output predicted.h5ad
cp scores.h5 run/results.h5
cp scores.h5 scored/results.h5
cp run/weights.h5 run/config.cfg weights

# A result that cannot be printed is an error.
for arguments in "inspect good.h5ad" "report scores.h5" "help train" "--version"; do
    code=0
    "$popflow" $arguments >/dev/full 2>err || code=$?
    [ "$code" = 1 ] && grep -q "^popflow: standard output: cannot write" err || fail "exit code $code: $arguments ($(cat err))"
done

# Neither files of the user nor files of a run are replaced.
sums() { sha256sum good.h5ad scores.h5 run/* mine/* | grep -v log.txt; }
sums >before.sums
rows=0
while IFS= read -r row <&3; do
    case $row in '' | '#'*) continue ;; esac
    check_row "$row"
    rows=$((rows + 1))
done 3<"$table"
sums >after.sums
cmp before.sums after.sums || fail "a file was replaced"
leftovers=$(find . -name '*.tmp' -o -name 'new.h5*')
[ -z "$leftovers" ] || fail "leftover files: $leftovers"
[ ! -e new/checkpoint.h5 ] || fail "a refused training wrote a checkpoint"
echo "$rows invalid inputs are refused in one line"
