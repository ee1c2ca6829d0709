#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs tests of the Python package. Usage: package.sh PYTHON FOLDER [ARGUMENT OF PYTEST...], with PYTHONPATH, POPFLOW and MPIEXEC set.
set -u
python=$1
shift
if ! missing=$("$python" -c "import pytest, numpy, scipy, pandas, h5py, anndata" 2>&1); then
    echo "skipped: ${missing##*$'\n'}"
    exit 77
fi
cd "$(mktemp -d)" || exit 1
trap 'rm -rf "$PWD"' EXIT
"$python" -m pytest -q -rs -p no:cacheprovider --basetemp="$PWD/tmp" "$@"
code=$?
[ $code != 5 ] || exit 77 # a package that all tests need is missing
exit $code
