#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what is needed, builds with warnings as errors and runs every test.
# Usage: test.sh [dev|asan]
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install_dependencies.sh --tests --slurm
exec cmake --workflow --preset "${1:-dev}"
