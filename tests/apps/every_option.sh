#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each option of each verb, given on a command line. Usage: every_option.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "$scratch"
"${3:-python3}" "$here/every_option.py" "$popflow"
