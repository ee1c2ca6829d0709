#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the checks that take too long for every change, one after another, and prints a summary. Continues after a failure.
# Usage: nightly.sh [CHECK...]     (default: all)
# Checks: lint, asan, tsan, fuzz, robustness, launches, proof, coverage, package, wheel, memory, pot, docs. Logs are in build/nightly.
# Needs a machine with the dependencies of scripts/test.sh, and those of the single scripts.
set -uo pipefail
cd "$(dirname "$0")/.."
checks=("$@")
[ $# -gt 0 ] || checks=(lint asan tsan fuzz robustness launches proof coverage package wheel memory pot docs)
mkdir -p build/nightly
cmake --preset dev >build/nightly/build.log && cmake --build --preset dev >>build/nightly/build.log || {
    echo "nightly.sh: the build failed, see build/nightly/build.log" >&2
    exit 1
}
passed=0
failed=0
for check in "${checks[@]}"; do
    case $check in
        lint) command=(scripts/lint.sh) ;;
        asan) command=(scripts/test.sh asan) ;;
        tsan) command=(scripts/tsan.sh) ;;
        fuzz) command=(scripts/fuzz.sh 30) ;;
        robustness) command=(scripts/robustness.sh) ;;
        launches) command=(scripts/launches.sh build/dev 1000) ;;
        proof) command=(/usr/bin/python3 tests/proof/same_results.py build/dev/popflow) ;;
        coverage) command=(scripts/coverage.sh) ;;
        package) command=(scripts/test_package.sh build/dev) ;;
        wheel) command=(scripts/test_wheel.sh build/dev) ;;
        memory) command=(env POPFLOW_PREDICTIONS=1000 ctest --test-dir build/dev -R "^python.memory$" --output-on-failure) ;;
        pot) command=(env PYTHONPATH=build/dev/python build/venv/bin/python3 tests/python/pot_tests.py) ;;
        docs) command=(scripts/docs.sh build/dev) ;;
        *)
            echo "nightly.sh: found '$check', allowed lint, asan, tsan, fuzz, robustness, launches, proof, coverage, package, wheel, memory, pot, docs" >&2
            exit 2
            ;;
    esac
    start=$SECONDS
    if "${command[@]}" >"build/nightly/$check.log" 2>&1; then
        passed=$((passed + 1))
        result=passed
    else
        failed=$((failed + 1))
        result="FAILED, see build/nightly/$check.log"
    fi
    echo "$check: $result ($(((SECONDS - start) / 60)) min)"
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
