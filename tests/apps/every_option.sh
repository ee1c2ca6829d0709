#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Gives each option of each verb on a command line. Usage: every_option.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "$scratch"
"${3:-python3}" "$here/every_option.py" "$popflow"
