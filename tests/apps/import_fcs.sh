#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Imports FCS files that deviate from the standard as real files do. Checks values, names, notes and refusals.
# Usage: import_fcs.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
here=$(cd "$(dirname "$0")" && pwd)
needs_python h5py
cd "$scratch"
"$python" "$here/check_import_fcs.py" "$popflow" .

# Several ranks write the same bytes as one, also if an event begins within a byte.
expect_exit 0 "$popflow" import --cells packed_little.fcs --output one.h5ad
ranks 2 1 import --cells packed_little.fcs --output two.h5ad >/dev/null 2>&1 || fail "2 ranks"
cmp one.h5ad two.h5ad
echo "FCS files are read right, or refused"
