#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs the dependencies, builds with warnings as errors and runs all tests.
# Usage: test.sh [tests|dev|asan|asan-units]     (preset, default tests)
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install_dependencies.sh --tests --slurm
exec cmake --workflow --preset "${1:-tests}"
