#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes a virtual environment with the peers of the comparisons, in the versions that requirements.txt pins.
# Usage: make_environment.sh FOLDER
# Environment: PYTHON (default python3; 3.11 or later). An environment that already has these versions is left as it is.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:?usage: make_environment.sh FOLDER}
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "make_environment.sh: $("$python" --version) is too old, set PYTHON to a Python of 3.11 or later" >&2
    exit 1
}
if cmp -s "$here/requirements.txt" "$folder/requirements.txt"; then
    echo "make_environment.sh: $folder is up to date"
    exit 0
fi
"$python" -m venv "$folder"
"$folder/bin/python" -m pip install --requirement "$here/requirements.txt"
"$folder/bin/python" -m pip check
cp "$here/requirements.txt" "$folder/requirements.txt" # written last: marks a complete environment
