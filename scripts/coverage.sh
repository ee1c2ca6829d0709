#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Line coverage of src and apps by the tests: the figure, and build/coverage/report.html.
# Usage: coverage.sh [CTEST-OPTION...]   as in coverage.sh -L unit
# Needs: apt-get install gcovr
set -euo pipefail
cd "$(dirname "$0")/.."
command -v gcovr >/dev/null || {
    echo "coverage.sh: gcovr is missing: apt-get install gcovr" >&2
    exit 2
}
cmake -S . -B build/coverage -G Ninja -DCMAKE_BUILD_TYPE=Debug -DPOPFLOW_BUILD_TESTS=ON \
    -DCMAKE_CXX_FLAGS="-O1 --coverage -fprofile-update=atomic" -DCMAKE_EXE_LINKER_FLAGS=--coverage
cmake --build build/coverage
find build/coverage -name '*.gcda' -delete
failed=0
ctest --test-dir build/coverage --output-on-failure --timeout 1200 "$@" || failed=1
gcovr --root . --filter 'src/' --filter 'apps/' --exclude-unreachable-branches --html-details \
    build/coverage/report.html --print-summary --txt build/coverage/report.txt build/coverage
echo "coverage: build/coverage/report.txt, build/coverage/report.html"
exit $failed
