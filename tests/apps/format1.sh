#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checkpoints and weights files of format 1, which an earlier version wrote, give the predictions that it made.
# Usage: format1.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
here=$(cd "$(dirname "$0")" && pwd)
kept=$here/../golden/checkpoint_format1
needs_python "anndata, h5py, torch"
cd "$scratch"
for name in fm cgfm mfm alternate icnn; do
    for file in checkpoint weights; do
        run=${name}_$file
        mkdir "$run"
        cp "$kept/$name/$file.h5" "$run"
        expect_exit 0 "$popflow" predict --run "$run" --data "$kept/screen.h5ad" --space normalised --ode-solver dopri5 --output "$run.h5ad"
        expect_exit 0 "$popflow" predict --run "$run" --data "$kept/screen.h5ad" --space normalised --times 0,0.5 --tolerance 1e-7 \
            --output "${run}_times.h5ad"
        expect_exit 0 "$popflow" evaluate --run "$run" --data "$kept/screen.h5ad" --output "$run.results.h5"
        "$python" - "$run.h5ad" "$kept/$name/predicted.csv" <<'PYTHON' || fail "$run: other predictions than those of the version that wrote it"
import sys
import anndata
import numpy
found = numpy.asarray(anndata.read_h5ad(sys.argv[1]).X)
expected = numpy.loadtxt(sys.argv[2], delimiter=",")
numpy.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
PYTHON
        "$python" -W ignore "$here/check_torch.py" "$here/../../python" "$run" "${run}_times.h5ad" "$kept/screen.h5ad" 1e-7 >out ||
            fail "$run: popflow.torch has other predictions: $(cat out)"
    done
done
# A file whose content does not match the digest of format 1 is refused, also without its checksum trailer.
cp -r mfm_checkpoint damaged
"$python" - damaged/checkpoint.h5 <<'PYTHON'
import os
import sys
import h5py
path = sys.argv[1]
os.truncate(path, os.path.getsize(path) - len("popflow checksum 0123456789abcdef\n"))
with h5py.File(path, "r+") as file:
    file["average/velocity.first.bias"][0, 0] += 1
PYTHON
expect_exit 2 "$popflow" predict --run damaged --data "$kept/screen.h5ad" --output damaged.h5ad
grep -q "checksum: the content has the checksum" err || fail "the damaged file gives another error: $(cat err)"
