#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the notebooks of notebooks/ and stores them with their outputs in build/notebooks, where scripts/site.sh finds them.
# Usage: notebooks.sh [NAME...]     (default: all)
# Needs python3-venv. Installs the packages of notebooks/requirements.txt by pip into build/docs-venv. Takes popflow from the folder
# POPFLOW_BUILD (default build/dev) if it is built for that Python, otherwise builds it by pip.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/docs_venv.sh
install_tools notebooks/requirements.txt
python=build/docs-venv/bin/python3
PYTHONPATH=$(realpath -m "${POPFLOW_BUILD:-build/dev}")/python
export PYTHONPATH OMP_WAIT_POLICY=passive
if ! $python -c "import popflow._core" 2>/dev/null; then
    unset PYTHONPATH
    $python -c "import popflow._core" 2>/dev/null || build/docs-venv/bin/pip install -q --disable-pip-version-check .
fi
exec $python scripts/notebooks.py "$@"
