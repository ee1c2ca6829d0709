#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `popflow ot` solves problems between histograms and between populations as POT does. The tables are the same on 1 to 3 ranks
# and after a stop and a resume. Invalid input is refused with one line.
# Usage: ot.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
check=$(cd "$(dirname "$0")" && pwd)/check_ot.py
needs_python "anndata, h5py, ot, scipy"
cd "$scratch"

"$python" "$check" write .

# same_tables A B: fails unless two result files have the same tables, apart from times and ranks.
same_tables() {
    for column in problem source target solver start acceleration tolerance epsilon converged iterations rejected marginal_error \
        value value_entropic gap domain fallback status; do
        h5diff "$1" "$2" "/problems/$column" || fail "$2: the tables differ in $column"
    done
    h5diff "$1" "$2" /convergence/marginal_error || fail "$2: the errors differ"
    h5diff "$1" "$2" /potentials || fail "$2: the potentials differ"
    h5diff "$1" "$2" /plans || fail "$2: the plans differ"
}

everything="--solver exact,sinkhorn,newton --acceleration none,overrelax,anderson --start zeros,gaussian --ot-tolerance 1e-3,1e-10
    --ot-epsilon 0.05 --potentials yes --plans yes --convergence yes"

# Histograms: values, potentials and plans. Ranks and threads make no difference.
ranks 1 2 ot --data histograms.h5ad --output one.h5 $everything >one.txt 2>err || fail "$(cat err)"
ranks 3 1 ot --data histograms.h5ad --output three.h5 $everything >three.txt 2>err || fail "$(cat err)"
same_tables one.h5 three.h5
"$python" "$check" histograms one.h5 histograms.h5ad
grep -q "sinkhorn, zeros, anderson *1e-10 *66 *66 *0 *0 " one.txt || fail "$(cat one.txt)"
# A note says that rows are divided by their sums.
grep -q "the sum of row 0 ('h0') is .* Each row is divided by its sum" err || fail "no note: $(cat err)"

# The same values from sparse rows, from a layer, from a file of costs and from a table of problems.
for file in csr csc; do
    "$popflow" ot --data $file.h5ad --output $file.h5 --solver exact >/dev/null 2>&1
done
"$popflow" ot --data histograms.h5ad --output dense.h5 --solver exact >/dev/null 2>&1
"$popflow" ot --data layer.h5ad --layer weights --position grid --output layer.h5 --solver exact >/dev/null 2>&1
"$popflow" ot --data histograms.h5ad --cost costs.csv --output csv.h5 --solver exact >/dev/null 2>&1
"$popflow" ot --data histograms.h5ad --cost costs.h5 --output hdf5.h5 --solver exact >/dev/null 2>&1
for file in csr csc layer csv hdf5; do
    h5diff -p 1e-12 dense.h5 $file.h5 /problems/value || fail "$file: the values differ"
done
"$popflow" ot --data histograms.h5ad --problems list.csv --output list.h5 --solver exact >/dev/null 2>&1
"$popflow" ot --data histograms.h5ad --target-data targets.h5ad --output two.h5 --solver exact >/dev/null 2>&1
"$popflow" ot --data histograms.h5ad --rows part=b --problems consecutive --output rows.h5 --solver exact >/dev/null 2>&1
"$popflow" ot --data histograms.h5ad --problems random:9 --eval-seed 4 --output random.h5 --solver exact >/dev/null 2>&1
"$python" "$check" lists list.h5 two.h5 rows.h5 random.h5 histograms.h5ad targets.h5ad

# Distances on the sphere.
"$popflow" ot --data sphere.h5ad --cost sphere --problems all --output sphere.h5 --solver newton,exact --ot-epsilon 0.01 \
    --ot-tolerance 1e-9 >/dev/null 2>&1
"$python" "$check" sphere sphere.h5 sphere.h5ad

# Potentials of a result file as a start: nothing is left to do. Those of other problems are worse than zeros.
"$popflow" ot --data histograms.h5ad --start one.h5 --ot-epsilon 0.05 --ot-tolerance 1e-3 --output again.h5 >again.txt 2>/dev/null
grep -q "sinkhorn, one.h5, anderson .* 1.0$" again.txt || fail "$(cat again.txt)"
"$python" "$check" shuffle one.h5 shuffled.h5
"$popflow" ot --data histograms.h5ad --start zeros,shuffled.h5 --ot-epsilon 0.005 --output wrong.h5 >/dev/null 2>&1
"$popflow" ot --data histograms.h5ad --start zeros,shuffled.h5 --fallback no --ot-epsilon 0.005 --output risky.h5 >/dev/null 2>&1
"$popflow" ot --data histograms.h5ad --start zeros,shuffled.h5 --fallback race --ot-epsilon 0.005 --output race.h5 >/dev/null 2>&1
"$python" "$check" fallback wrong.h5 risky.h5 race.h5
"$python" "$check" spoil one.h5 spoilt.h5
refused "spoilt.h5: potentials: problem 'h0 -> h1' has a potential that is not finite" ot --data histograms.h5ad --start spoilt.h5 \
    --output spoilt_start.h5

# Problems that cannot be solved: the results say why, and the exit code is 1.
expect_exit 1 "$popflow" ot --data equal_cells.h5ad --population patient,treatment --transform none --ot-epsilon mean:0.1 --output failed.h5 \
    --output-matrix failed.h5ad
grep -q "failed.h5: 1 of 15 rows failed" err || fail "$(cat err)"
grep -q "the costs are 0, so a relative epsilon is 0" out || fail "$(cat out)"
"$python" "$check" failed failed.h5 failed.h5ad

# Files that are read are not overwritten.
cp one.h5 kept.h5
for inputs in "--start kept.h5 --output kept.h5" "--problems list.csv --output list.csv" "--cost costs.csv --output costs.csv" \
    "--problems list.csv --output kept2.h5 --output-matrix list.csv"; do
    refused "which would overwrite a file that this command uses" ot --data histograms.h5ad $inputs
done
cmp one.h5 kept.h5 && head -1 list.csv | grep -q "^problem,source,target$" || fail "an input was overwritten"

# Populations of cells: exact distances of all pairs, also as AnnData, and prototypes.
ranks 2 1 ot --data cells.h5ad --population patient,treatment --max-cells 60 --transform none --solver exact,sinkhorn \
    --ot-epsilon mean:0.05 --ot-tolerance 1e-9 --output cells.h5 --output-matrix matrix.h5ad --potentials yes >/dev/null 2>err ||
    fail "$(cat err)"
"$popflow" ot --data cells.h5ad --population patient,treatment --prototypes 12 --transform none --solver exact \
    --output prototypes.h5 --output-matrix prototypes.h5ad >/dev/null 2>err || fail "$(cat err)"
"$python" "$check" populations cells.h5 matrix.h5ad cells.h5ad prototypes.h5ad

# The contents of a file of histograms.
"$popflow" inspect empty.h5ad >out
grep -q "Histograms *12 over 36 atoms" out && grep -q "Positions *2 coordinates: 0 to 1, 0 to 1" out || fail "$(cat out)"
grep -q "Without mass *1: h2" out || fail "$(cat out)"
"$popflow" inspect negative.h5ad --rows part=a >out
grep -q "Histograms *8 over" out && grep -q "Invalid *1 .*: h2" out || fail "$(cat out)"

# The plan of the work.
"$popflow" ot --data histograms.h5ad --output none.h5 --dry-run >out 2>/dev/null
grep -q "problems *66" out || fail "$(cat out)"
[ ! -e none.h5 ] || fail "--dry-run wrote results"

# interrupted OUTPUT ARGUMENT...: stops `ot` by a signal after some solves.
interrupted() {
    ("$popflow" ot "${@:2}" --output "$1" >/dev/null 2>err) &
    local job=$! code=0
    for _ in $(seq 600); do
        [ "$(cat "$1".partial/* 2>/dev/null | wc -c)" -gt 2000 ] && break
        sleep 0.02
    done
    kill -USR1 "$job"
    wait "$job" || code=$?
    [ "$code" = 75 ] || fail "exit code $code after SIGUSR1, expected 75: $(cat err)"
}

# Stopped by a signal, resumed on two ranks. Records of another question are refused.
slow="--data many.h5ad --solver sinkhorn --acceleration none --ot-epsilon 0.001 --ot-tolerance 1e-3 --convergence no"
"$popflow" ot $slow --output whole.h5 >/dev/null 2>&1
interrupted parts.h5 $slow
expect_exit 2 "$popflow" ot $slow --output parts.h5 --resume --max-iterations 7
grep -q "max-iterations: found '7', was '100000'" err || fail "$(cat err)"
ranks 2 1 ot $slow --output parts.h5 --resume >/dev/null 2>err || fail "$(cat err)"
for column in problem value iterations; do
    h5diff whole.h5 parts.h5 /problems/$column || fail "the resumed table differs in $column"
done
[ ! -e parts.h5.partial ] || fail "the folder of partial results was not removed"

# Nor are solves from another start.
"$popflow" ot --data many.h5ad --ot-epsilon 0.01 --potentials yes --output start.h5 >/dev/null 2>&1
from="--data many.h5ad --solver sinkhorn --acceleration none --ot-epsilon 0.001 --ot-tolerance 1e-3 --start start.h5"
interrupted from.h5 $from
"$popflow" ot --data many.h5ad --ot-epsilon 0.02 --potentials yes --output start.h5 >/dev/null 2>&1
expect_exit 2 "$popflow" ot $from --output from.h5 --resume
grep -q "start start.h5" err || fail "$(cat err)"

# refused TEXT ARGUMENT...: fails unless `ot` ends with code 2 and one line that contains the text.
refused() {
    local text=$1
    shift
    expect_exit 2 "$popflow" ot --output none.h5 "$@"
    [ "$(grep -c "^popflow: " err)" = 1 ] && grep -qF -- "$text" err || fail "expected '$text': $(cat err)"
    [ ! -e none.h5 ] || fail "a refused command wrote results: $*"
}
refused "empty.h5ad: X: row 2 ('h2'): the histogram has no mass" --data empty.h5ad
refused "negative.h5ad: X: row 2 ('h2'): the weight of atom 1 is -3" --data negative.h5ad
refused "nan.h5ad: X: row 2 ('h2'): the weight of atom 1 is nan" --data nan.h5ad
refused "lost.h5ad: varm/position: row 3: atom 3 has no finite position" --data lost.h5ad
refused "('h1') is " --data histograms.h5ad --mass equal
refused "varm: has no positions of the atoms" --data bare.h5ad
refused "varm/place: is missing. varm has grid, position" --data histograms.h5ad --position place
refused "cost: 'manhattan' is no file" --data histograms.h5ad --cost manhattan
refused "costs.csv: row 0: has 36 costs" --data sphere.h5ad --cost costs.csv
refused "problems: 'pairs' is no file" --data histograms.h5ad --problems pairs
refused "bad_list.csv: row 2, column target: 'h99' is no name of a row" --data histograms.h5ad --problems bad_list.csv
refused "no row with 'c'" --data histograms.h5ad --rows part=c
refused "solver: found 'simplex'" --data histograms.h5ad --solver simplex
refused "start: 'guess' is no file" --data histograms.h5ad --start guess
refused "transform: needs --population" --data histograms.h5ad --transform log1p
refused "ot-epsilon: needs --solver" --data histograms.h5ad --solver exact --ot-epsilon 1
refused "output-matrix: needs all pairs" --data histograms.h5ad --problems consecutive --output-matrix m.h5ad
refused "potentials: is missing" --data histograms.h5ad --start dense.h5
refused "prototypes: is 60000" --data cells.h5ad --population patient --prototypes 60000 --max-cells 10
