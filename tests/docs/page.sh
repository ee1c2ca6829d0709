#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the sh and python blocks of a page of docs/ in order, in a temporary folder that looks like the project's. The Python
# blocks of a page are one session: each block runs after those before it.
# Usage: page.sh POPFLOW MPIEXEC PYTHON PAGE
. "$(dirname "$0")/../support/scratch.sh"
python=$3
page=$4
project=$(cd "$(dirname "$0")/../.." && pwd)
"$python" -c "import anndata, h5py" 2>/dev/null || {
    echo "skipped: $python has no anndata and h5py"
    exit 77
}
mkdir "$scratch/bin" "$scratch/blocks" "$scratch/work"
ln -s "$popflow" "$scratch/bin/popflow"
ln -s "$(command -v "$mpiexec")" "$scratch/bin/mpirun"
for folder in configs data python; do ln -s "$project/$folder" "$scratch/work/$folder"; done
export PATH=$scratch/bin:$PATH OMP_NUM_THREADS=1 PYTHONPATH=
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
awk -v folder="$scratch/blocks" '
    /^```(sh|python)$/ { file = sprintf("%s/%03d.%s", folder, ++n, substr($0, 4)); next }
    /^```/ { file = ""; next }
    file { print > file }' "$project/docs/$page.md"
cd "$scratch/work"
# Small files with the layout that the tutorial describes for the organoid screen.
[ "$page" != tutorial ] || "$python" -c "
import pickle
import numpy as np
types = lambda first: {'PDOs': np.arange(first, first + 60), 'Fibs': np.arange(first + 60, first + 80)}
one = lambda first: {'DMSO': {'0': {'PDOF': types(first)}}, 'S': {'3': {'PDOF': types(first + 80)}}}
pickle.dump([{21: one(0)}, {5: one(160)}], open('split.pickle', 'wb'))
np.save('cells.npy', np.random.default_rng(0).normal(size=(320, 44)))"
count=0
for block in "$scratch"/blocks/*; do
    case $block in
    *.sh) bash -euo pipefail "$block" >"$scratch/out" 2>&1 || fail "$(cat "$block" "$scratch/out")" ;;
    *)
        # The session repeats the earlier blocks. Their output is overwritten.
        cat "$block" >>"$scratch/session"
        "$python" -W ignore "$scratch/session" >"$scratch/out" 2>&1 || fail "$(cat "$block" "$scratch/out")"
        ;;
    esac
    count=$((count + 1))
done
[ "$count" -ge 5 ] || fail "found $count blocks, expected 5 or more"
[ "$page" != tutorial ] || expect_exit 0 "$popflow" inspect --data organoids.h5ad --transform none --min-cells 50 \
    --split patient:21
[ "$page" != tutorial ] || grep -q "2: Fibs, PDOs" "$scratch/out" || fail "$(cat "$scratch/out")"
echo "$page: $count blocks ran"
