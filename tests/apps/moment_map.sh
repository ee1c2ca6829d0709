#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The method moment-map trains in one pass and predicts what NumPy predicts from the same cells. Every table has the baseline
# moment_map. A run without one, as earlier versions trained it, is still scored, and gets it by a resume.
# Usage: moment_map.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
needs_python "anndata, h5py"
here=$(cd "$(dirname "$0")" && pwd)
cd "$scratch"
"$python" "$here/check_moment_map.py" make s.h5ad
data="--data s.h5ad --min-cells 20 --transform none --split patient:P7 --pair-by patient,plate"
expect_exit 0 "$popflow" train --method moment-map $data --output plan --dry-run plan
grep -q "moment-map predicts the mean shift for 1 of 3 conditions" "$scratch/out" || fail "no note on C: $(cat "$scratch/out")"
for kernel in rbf linear; do
    run="--method moment-map --moment-kernel $kernel $data"
    expect_exit 0 "$popflow" run $run --output $kernel --predictions $kernel.h5ad --max-cells 100000
    [ "$(wc -l <$kernel/training.csv)" = 2 ] || fail "training.csv has $(wc -l <$kernel/training.csv) lines, expected a header and one row"
    grep -q "^  *moment_map " "$scratch/out" || fail "the table has no row moment_map: $(cat "$scratch/out")"
    for n in 2 3 4; do
        expect_exit 0 ranks $n 2 train $run --output other --batch-pairs $n
        h5diff -v $kernel/checkpoint.h5 other/checkpoint.h5 /average >"$scratch/diff" || fail "$kernel: other weights on $n ranks: $(cat "$scratch/diff")"
        h5diff $kernel/checkpoint.h5 other/checkpoint.h5 /moment_map || fail "$kernel: another baseline on $n ranks"
        rm -r other
    done
    expect_exit 0 "$popflow" train $run --output other --cache .
    h5diff $kernel/checkpoint.h5 other/checkpoint.h5 /average || fail "$kernel: other weights with the cells in a file"
    rm -r other
    expect_exit 0 ranks 3 2 train $run --output other
    cmp $kernel/checkpoint.h5 other/checkpoint.h5 || fail "$kernel: the checkpoint of 3 ranks differs"
    # weights.h5 alone predicts the same, also in blocks for another population size.
    mkdir weights
    cp other/weights.h5 other/config.cfg weights
    expect_exit 0 "$popflow" predict --run $kernel --data s.h5ad --output cells.h5ad
    expect_exit 0 ranks 2 1 predict --run weights --data s.h5ad --output weights.h5ad
    h5diff cells.h5ad weights.h5ad /X || fail "$kernel: weights.h5 predicts other cells"
    rm -r weights other
done
"$python" "$here/check_moment_map.py" check s.h5ad || fail "the predictions differ from NumPy's"

# Other methods have the same baseline. For the default kernel and a single cell type it has the scores of the method.
expect_exit 0 "$popflow" run --method mean-shift $data --column cell_type= --output shift
expect_exit 0 "$popflow" run --method moment-map $data --column cell_type= --output map
"$python" "$here/check_moment_map.py" baseline map/results.h5 shift/results.h5 || fail "the baselines differ"
expect_exit 0 "$popflow" report rbf/results.h5 linear/results.h5 shift/results.h5
grep -q "MOMENT-MAP (.*moment-kernel=linear" "$scratch/out" ||
    fail "the report does not distinguish the kernels: $(cat "$scratch/out")"
grep -q "moment_map: control cells, moved and scaled" "$scratch/out" || fail "the legend does not explain moment_map"

# A run of an earlier version has no moment map. Its other scores are the same. A resume adds the moment map.
"$python" "$here/check_moment_map.py" remove shift
expect_exit 0 "$popflow" evaluate --run shift --output without.h5
grep -q "note: the tables have no row moment_map" "$scratch/out" "$scratch/err" || fail "no note: $(cat "$scratch/out" "$scratch/err")"
"$python" "$here/check_moment_map.py" same without.h5 shift/results.h5 || fail "the scores without the moment map differ"
expect_exit 0 "$popflow" report without.h5 map/results.h5
expect_exit 0 "$popflow" train --method mean-shift $data --column cell_type= --output shift --resume
expect_exit 0 "$popflow" evaluate --run shift --output with.h5
"$python" "$here/check_moment_map.py" baseline map/results.h5 with.h5 || fail "the resume did not add the moment map"

# A resumed training in one pass repeats nothing.
before=$(cksum <rbf/checkpoint.h5)
rm rbf/weights.h5
expect_exit 0 "$popflow" train --method moment-map --moment-kernel rbf $data --output rbf --resume
[ "$before" = "$(cksum <rbf/checkpoint.h5)" ] || fail "the resumed training changed the checkpoint"
[ -f rbf/weights.h5 ] || fail "the resumed training did not write the weights"
expect_exit 2 "$popflow" train --method moment-map --moment-kernel linear $data --output rbf --resume
grep -q "moment-kernel: found 'linear', was 'rbf'" "$scratch/err" || fail "the resume with another kernel: $(cat "$scratch/err")"

expect_exit 2 "$popflow" train --method moment-map --moment-kernel cubic $data --output other
[ "$(wc -l <"$scratch/err")" = 1 ] || fail "expected one line: $(cat "$scratch/err")"
grep -q "moment-kernel: found 'cubic'. Give one of linear, rbf" "$scratch/err" || fail "the message: $(cat "$scratch/err")"
