#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Tests the progress line on a terminal and in a log. Usage: progress.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "$scratch"
"${3:-python3}" "$here/progress.py" "$popflow"
