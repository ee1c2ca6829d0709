#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A flow over Gaussians learns the spiral: populations that it generates are hard to tell from fresh ones, and those of simple
# models are not. A covariance that moves in the wrong direction is found out.
# Usage: spiral.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
needs_python "anndata, scipy, h5py"
here=$(cd "$(dirname "$0")" && pwd)
cd "$scratch"
expect_exit 0 "$popflow" simulate shapes spiral --populations 128 --test-populations 256 --seed 5 --output spiral.h5ad
# Small products of matrices gain nothing from a second thread.
export OMP_NUM_THREADS=1
expect_exit 0 "$popflow" run --config "$here/../../configs/shapes.cfg" --data spiral.h5ad --steps 4000 --output run
expect_exit 0 "$popflow" predict --run run --number 256 --cells 2 --times 0 --output noise.h5ad
expect_exit 0 "$python" "$here/check_generated.py" spiral
echo "spiral: $(cat out)"
