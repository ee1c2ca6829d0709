#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the sh and python blocks of a page of docs/ in order, in a temporary folder that looks like the project's. The Python
# blocks of a page are one session: each block runs after those before it.
# Usage: page.sh POPFLOW MPIEXEC PYTHON PAGE
. "$(dirname "$0")/../support/scratch.sh"
python=$3
page=$4
project=$(cd "$(dirname "$0")/../.." && pwd)
needs_python "anndata, h5py"
mkdir "$scratch/bin" "$scratch/blocks" "$scratch/work"
ln -s "$popflow" "$scratch/bin/popflow"
ln -s "$(command -v "$mpiexec")" "$scratch/bin/mpirun"
printf '#!/bin/sh\nexec "%s" "$@"\n' "$(command -v "$python")" >"$scratch/bin/python3"
chmod +x "$scratch/bin/python3"
for folder in configs data python scripts; do ln -s "$project/$folder" "$scratch/work/$folder"; done
export PATH=$scratch/bin:$PATH OMP_NUM_THREADS=1 PYTHONPATH=
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
awk -v folder="$scratch/blocks" '
    /^```(sh|python)$/ { file = sprintf("%s/%03d.%s", folder, ++n, substr($0, 4)); next }
    /^```/ { file = ""; next }
    file { print > file }' "$project/docs/$page.md"
cd "$scratch/work"
# A small file with the columns of the organoid screen, two patients with a control and a treated population each.
[ "$page" != tutorial ] || PYTHONDONTWRITEBYTECODE=1 "$python" -c "
import sys, zipfile
import numpy as np, pandas as pd
sys.path.insert(0, 'scripts/data_sets')
from organoids import MARKERS, MEMBER
table = pd.DataFrame(np.random.default_rng(0).gamma(1, 5, (4400, 44)), columns=MARKERS)
labels = dict(Patient=['5', '21'], Treatment=['DMSO', 'DMSO', 'S', 'S'], Cell_type=['PDOs'] * 4 + ['Fibs'] * 4, Culture=['PDOF'],
              Replicate=['A'], Plate=['SLV'], Date=['20211119'], Batch=[1])
for name, values in labels.items(): table[name] = np.resize(values, len(table))
table['Concentration'] = np.where(table['Treatment'] == 'DMSO', '0', '3')
table.to_pickle(MEMBER)
zipfile.ZipFile('Metadata_PDO_CAF_screening.zip', 'w').write(MEMBER)"
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
[ "$page" != tutorial ] || expect_exit 0 "$popflow" inspect --data organoids.h5ad --split patient:21
[ "$page" != tutorial ] || grep -q "2: Fibs, PDOs" "$scratch/out" || fail "$(cat "$scratch/out")"
echo "$page: $count blocks ran"
