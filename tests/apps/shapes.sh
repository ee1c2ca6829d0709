#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Simulates each family of shapes, reads its parameters back from the cells, and trains on hidden pairs that are named.
# Usage: shapes.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
needs_python "anndata, scipy"
here=$(cd "$(dirname "$0")" && pwd)
cd "$scratch"

# family NAME OPTION...: simulates a family and checks its file.
family() {
    local name=$1
    shift
    expect_exit 0 "$popflow" simulate shapes "$name" --output "$name.h5ad" --seed 1 "$@"
    expect_exit 0 "$python" "$here/check_shapes.py" "$name" "$name.h5ad"
}
family spiral --populations 300 --test-populations 100 --cells 400
family rings --populations 300 --test-populations 100 --cells 2000
family superquadrics --populations 120 --test-populations 40 --cells 400
family mixtures --populations 120 --test-populations 30 --markers 6
family unpaired --populations 150 --test-populations 50 --treatments 2 --markers 6

# The message and the sizes of populations.
expect_exit 0 "$popflow" simulate shapes rings --output few.h5ad --populations 3 --test-populations 2 --treatments 2 --cells 7
[ "$(cat out)" = "few.h5ad: 70 cells, 2 markers, 6 populations of rings to train on, 4 to test" ] || fail "$(cat out)"
expect_exit 0 "$popflow" simulate shapes --help
grep -q "^usage: popflow simulate shapes FAMILY" out || fail "no usage: $(head -1 out)"
for name in spiral rings superquadrics mixtures unpaired; do grep -q "^  $name  " out || fail "$name is not in the help"; done
grep -q "number of markers (mixtures, unpaired)" out || fail "$(cat out)"

# A configuration file holds options, and an option of other families is refused there too.
echo "populations = 4" >good.cfg
echo "markers = 4" >foreign.cfg
expect_exit 0 "$popflow" simulate shapes spiral --output configured.h5ad --config good.cfg --test-populations 0 --cells 5
grep -q "20 cells" out || fail "$(cat out)"
expect_exit 2 "$popflow" simulate shapes spiral --output new.h5ad --config foreign.cfg
grep -q "markers: not an option of the family spiral" err || fail "$(cat err)"

# Pairs are known only if their column is named.
inspect="inspect unpaired.h5ad --transform none --min-cells 1 --json"
experiments() { "$python" -c "import json; print(json.load(open('out'))['experiments_found'])"; }
expect_exit 0 "$popflow" $inspect
[ "$(experiments)" = 1 ] || fail "a role tells populations apart: $(experiments) experiments"
expect_exit 0 "$popflow" $inspect --pair-by true_pair
[ "$(experiments)" = 200 ] || fail "$(experiments) pairs"
mean_shift="train --data unpaired.h5ad --method mean-shift --transform none --min-cells 1 --split letters"
expect_exit 0 "$popflow" $mean_shift --pair-by true_pair --output known
expect_exit 2 "$popflow" $mean_shift --output pooled
grep -q "split" err || fail "pooled controls are in both parts: $(cat err)"

# 1-NNA does not tell two sets of one law apart, and tells sets of two laws apart.
expect_exit 0 "$popflow" simulate shapes spiral --output other.h5ad --seed 2 --populations 100 --test-populations 0 --cells 50
expect_exit 0 "$popflow" simulate shapes spiral --output third.h5ad --seed 3 --populations 100 --test-populations 0 --cells 50
expect_exit 0 "$popflow" simulate shapes rings --output rings2.h5ad --seed 2 --populations 100 --test-populations 0 --cells 50
score() { awk '$1 == "bures" {print $2}' out; }
compare="--population population --distance bures --metrics nna"
expect_exit 0 "$popflow" metrics other.h5ad third.h5ad $compare
same=$(score)
expect_exit 0 "$popflow" metrics other.h5ad rings2.h5ad $compare
differs=$(score)
"$python" -c "
# The standard error of a 1-NNA of 200 populations near 0.5 is 0.035.
assert abs($same - 0.5) < 0.15, $same
assert $differs > 0.9, $differs" || fail "1-NNA: $same of one law, $differs of two"
echo "shapes: all families have their law"
