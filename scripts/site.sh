#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the documentation site in build/site from the Markdown files of the project. A warning is an error.
# Usage: site.sh
# Needs python3-venv. Installs Sphinx by pip into build/docs-venv. The pages of the notebooks have outputs after
# scripts/notebooks.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/docs_venv.sh
install_tools docs/site/requirements.txt
build/docs-venv/bin/python3 -m sphinx -q -W --keep-going -b html -c docs/site -d build/site-cache . build/site
echo "build/site/index.html"
