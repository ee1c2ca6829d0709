#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Reports of transport problems agree with pandas, and damaged files are refused. Usage: problem_report.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
needs_python "anndata, h5py, pandas"
"$python" -W ignore "$(dirname "$0")/problem_report.py" "$popflow" "$scratch"
