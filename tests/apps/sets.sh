#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# popflow metrics --population: all scores of sets equal those of SciPy and POT over all pairs, on any ranks. Refuses wrong input.
# Usage: sets.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
needs_python "anndata, ot, scipy"
here=$(cd "$(dirname "$0")" && pwd)
cd "$scratch"
check() { "$python" "$here/check_sets.py" . "$@" || fail "$*"; }

check make
options="--population population --seed 3"
full="metrics generated.h5ad real.h5ad $options --training-data training.h5ad --json"
expect_exit 0 "$popflow" $full
cp out one.json
check check one.json generated
expect_exit 0 "$popflow" metrics unequal.h5ad real.h5ad $options --json
cp out unequal.json
check check unequal.json unequal
grep -q "populations have 12 to 40 cells" err || fail "no note about unequal sizes"
expect_exit 0 ranks 3 1 $full
cmp out one.json || fail "3 ranks have other scores"

# The table has the chosen scores of the chosen distances.
expect_exit 0 "$popflow" metrics generated.h5ad real.h5ad $options --distance bures,energy --metrics nna,coverage
[[ $(awk '{print NF}' out | sort -u) == 3 && $(wc -l < out) == 3 ]] || fail "table: $(cat out)"
grep -q "^distance *nna *coverage$" out || fail "header: $(head -1 out)"

# refused WORDS COMMAND...: fails unless the command exits with 2 and a message with WORDS.
refused() {
    local words=$1
    shift
    expect_exit 2 "$popflow" metrics generated.h5ad real.h5ad "$@"
    grep -qF -- "$words" err || fail "'$words' is not in: $(cat err)"
}
refused "compares two populations" $options --metrics w2
refused "--training-data" $options --metrics memorised
refused "--population COLUMN" --metrics nna
expect_exit 2 "$popflow" metrics unequal.h5ad real.h5ad --population population --min-cells 35
grep -q "1 population of at least 35 cells, but a comparison of sets needs 2 or more" err || fail "$(cat err)"
refused "three are given" training.h5ad $options
echo "sets: all tests passed"
