#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the checks that take too long for every change, one after another, and prints a summary. Continues after a failure.
# Usage: nightly.sh [CHECK...]     (default: all)
# Checks: lint, asan, tsan, fuzz, robustness, launches, proof, coverage, package, wheel, memory, pot, docs. Logs are in build/nightly.
# Needs a machine with the dependencies of scripts/test.sh, and those of the single scripts.
# Environment: POPFLOW_PRESET (default dev), the preset of the build that the checks use. Only the targets that they need are built.
set -uo pipefail
cd "$(dirname "$0")/.."
checks=("$@")
[ $# -gt 0 ] || checks=(lint asan tsan fuzz robustness launches proof coverage package wheel memory pot docs)
preset=${POPFLOW_PRESET:-dev}
build=build/$preset
# targets_of CHECK: prints the targets that the check needs, nothing if it has a build of its own.
targets_of() {
    case $1 in
        lint | asan | tsan | fuzz | coverage) ;;
        launches | proof) echo popflow ;;
        memory | pot | docs) echo popflow popflow_python ;;
        robustness | package | wheel) echo all ;;
        *)
            echo "nightly.sh: found '$1', allowed lint, asan, tsan, fuzz, robustness, launches, proof, coverage, package, wheel, memory, pot, docs" >&2
            return 2
            ;;
    esac
}
targets=()
for check in "${checks[@]}"; do
    needed=$(targets_of "$check") || exit
    read -r -a needed <<<"$needed"
    targets+=("${needed[@]}")
done
mkdir -p build/nightly
if [ ${#targets[@]} -gt 0 ]; then
    { cmake --preset "$preset" && cmake --build --preset "$preset" --target "${targets[@]}"; } >build/nightly/build.log 2>&1 || {
        echo "nightly.sh: the build failed, see build/nightly/build.log" >&2
        exit 1
    }
fi
passed=0
failed=0
for check in "${checks[@]}"; do
    case $check in
        lint) command=(scripts/lint.sh) ;;
        asan) command=(scripts/test.sh asan) ;;
        tsan) command=(scripts/tsan.sh) ;;
        fuzz) command=(scripts/fuzz.sh 30) ;;
        robustness) command=(scripts/robustness.sh "$build") ;;
        launches) command=(scripts/launches.sh "$build" 1000) ;;
        proof) command=(/usr/bin/python3 tests/proof/same_results.py "$build/popflow") ;;
        coverage) command=(scripts/coverage.sh) ;;
        package) command=(scripts/test_package.sh "$build") ;;
        wheel) command=(scripts/test_wheel.sh "$build") ;;
        memory) command=(env POPFLOW_PREDICTIONS=1000 ctest --test-dir "$build" -R "^python.memory$" --output-on-failure) ;;
        pot) command=(env PYTHONPATH="$build/python" build/venv/bin/python3 tests/python/pot_tests.py) ;;
        docs) command=(scripts/docs.sh "$build") ;;
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
