#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the tests of the Python package. Usage: package.sh PYTHON FOLDER, with PYTHONPATH and POPFLOW set.
set -u
python=$1
folder=$2
if ! missing=$("$python" -c "import pytest, numpy, scipy, pandas, h5py, anndata" 2>&1); then
    echo "skipped: ${missing##*$'\n'}"
    exit 77
fi
cd "$(mktemp -d)" || exit 1
trap 'rm -rf "$PWD"' EXIT
"$python" -m pytest -q -p no:cacheprovider --basetemp="$PWD/tmp" "$folder"
