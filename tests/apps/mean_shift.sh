#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The method mean-shift trains in one pass, has the scores of the baseline mean_shift, and is used by predict.
# Usage: mean_shift.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
needs_python "anndata, h5py"
cd "$scratch"
small_screen s.h5ad
for doses in highest all; do
    run="--method mean-shift --data s.h5ad --min-cells 50 --split patient:21 --doses $doses"
    expect_exit 0 "$popflow" run $run --output $doses --predictions $doses.h5ad
    grep -q "^step,.*" $doses/training.csv || fail "training.csv has no header"
    [ "$(wc -l <$doses/training.csv)" = 2 ] || fail "training.csv has $(wc -l <$doses/training.csv) lines, expected a header and one row"
    expect_exit 0 ranks 3 2 train $run --output three
    cmp $doses/checkpoint.h5 three/checkpoint.h5 || fail "the checkpoint of three ranks differs"
    cmp $doses/weights.h5 three/weights.h5 || fail "the weights of three ranks differ"
    rm -r three
    expect_exit 0 "$popflow" predict --run $doses --data s.h5ad --output cells.h5ad
    "$python" - $doses/results.h5 cells.h5ad s.h5ad <<'PYTHON' || fail "$doses: the predictions differ from the baseline"
import sys
import anndata
import h5py
import numpy
with h5py.File(sys.argv[1]) as file:
    pairs = file["pairs"]
    predictor = pairs["predictor"]
    names = numpy.asarray(predictor["categories"].asstr()[()])[predictor["codes"][()]] if isinstance(predictor, h5py.Group) \
        else predictor.asstr()[()]
    for metric in ("w1", "w2", "mmd", "energy"):
        scores = pairs[metric][()]
        numpy.testing.assert_allclose(scores[names == "model"], scores[names == "mean_shift"], rtol=1e-4)
cells = anndata.read_h5ad(sys.argv[2])
assert numpy.isfinite(cells.X).all() and len(cells) > 0
PYTHON
done
# A resumed training in one pass repeats nothing. It writes the weights if it was killed before it stored them.
before=$(cksum <highest/checkpoint.h5)
cp highest/weights.h5 stored.h5
rm highest/weights.h5
expect_exit 0 "$popflow" train --method mean-shift --data s.h5ad --min-cells 50 --split patient:21 --output highest --resume
[ "$before" = "$(cksum <highest/checkpoint.h5)" ] || fail "the resumed training changed the checkpoint"
cmp highest/weights.h5 stored.h5 || fail "the resumed training did not write the weights"
expect_exit 0 "$popflow" train --method mean-shift --data s.h5ad --min-cells 50 --split patient:21 --output plan --dry-run
grep -q "one pass over all pairs" "$scratch/out" || fail "the dry run does not describe the training: $(cat "$scratch/out")"
expect_exit 0 "$popflow" report highest/results.h5
grep -q "MEAN-SHIFT" "$scratch/out" || fail "the report has no row of the method: $(cat "$scratch/out")"
