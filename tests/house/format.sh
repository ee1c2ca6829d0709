#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Fails if a C++ file is not formatted by clang-format 14. Skipped without that version.  Usage: format.sh PROJECT
set -euo pipefail
cd "$1"
format=$(command -v clang-format-14 || command -v clang-format || :)
[ -n "$format" ] && "$format" --version | grep -q 'version 14\.' || {
    echo "skipped: no clang-format 14"
    exit 77
}
find src apps tests benchmarks include -name '*.?pp' -print0 2>/dev/null | xargs -0 -n 40 "$format" --dry-run --Werror
