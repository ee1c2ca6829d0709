#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The nightly check of the documents: runs the notebooks and the page on other programs, builds the site and checks its pages.
# Usage: docs.sh BUILD     (with the program, for example build/dev)
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(cd "$1" && pwd)
POPFLOW_BUILD=$build scripts/notebooks.sh
tests/docs/page.sh "$build/popflow" mpiexec "$PWD/build/docs-venv/bin/python3" evaluating_elsewhere
scripts/site.sh
python3 tests/docs/check_site.py --screenshots build/site-screenshots
