#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs static analysis on src and apps: cppcheck, and clang-tidy with the .clang-tidy of the project.
# Usage: lint.sh [--fast] [FILE...]     (default: all files)
#   --fast   cppcheck alone, which takes minutes. clang-tidy takes an hour on two cores.
# Environment: JOBS, number of files that are analysed at a time (default 2).
# Needs cppcheck. Without --fast also a configured dev preset, clang-tidy and libomp-dev.
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=${JOBS:-2}
fast=
if [ "${1:-}" = --fast ]; then
    fast=yes
    shift
fi
files=("$@")
[ $# -gt 0 ] || mapfile -t files < <(find src apps -name '*.cpp' | sort)
# passedByValue is suppressed: a MatrixView has four words and is passed by value, like a span.
cppcheck --quiet --std=c++20 --language=c++ --enable=warning,performance,portability --inline-suppr -j "$jobs" \
    --suppress=missingIncludeSystem --suppress=passedByValue --error-exitcode=1 -I src -I apps "${files[@]}"
if [ -n "$fast" ]; then
    echo "cppcheck: ${#files[@]} files, no findings"
    exit
fi
[ -f build/dev/compile_commands.json ] || cmake --preset dev
# The compile commands have warning options that only GCC knows.
printf '%s\0' "${files[@]}" | xargs -0 -n 4 -P "$jobs" clang-tidy -p build/dev --quiet --warnings-as-errors='*' \
    --extra-arg=-Wno-unknown-warning-option
echo "lint: ${#files[@]} files, no findings"
