#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Measures the line coverage of src and apps by the tests. Prints the figure and writes to build/coverage:
#   report.html, report.txt   coverage of each file
#   errors.txt                lines that raise an error and were not reached
# Measures a copy, build/coverage/source, in which clang-format puts each statement on a line of its own. Otherwise
# `if (wrong) throw ...` on one line counts as reached even if it never threw.
# Usage: coverage.sh [CTEST-OPTION...]     (for example coverage.sh -L unit)
# Environment: SANITIZE=address,undefined also enables these sanitizers.
# Needs: apt-get install gcovr clang-format
set -euo pipefail
cd "$(dirname "$0")/.."
for needed in gcovr clang-format; do
    command -v "$needed" >/dev/null || {
        echo "coverage.sh: $needed is missing: apt-get install gcovr clang-format" >&2
        exit 2
    }
done
source=build/coverage/source
build=build/coverage/build
rm -rf "$source"
mkdir -p "$source"
git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from - | tar --extract -C "$source"
echo "AllowShortIfStatementsOnASingleLine: Never
AllowShortLoopsOnASingleLine: false" >>"$source/.clang-format"
find "$source/src" "$source/apps" -name '*.?pp' -print0 | xargs -0 clang-format -i
cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DPOPFLOW_BUILD_TESTS=ON \
    -DCMAKE_CXX_FLAGS="-O1 --coverage -fprofile-update=atomic" -DPOPFLOW_SANITIZE="${SANITIZE:-}" \
    -DCMAKE_CXX_FLAGS_DEBUG=-g1 -DCMAKE_MODULE_LINKER_FLAGS=--coverage \
    -DCMAKE_EXE_LINKER_FLAGS="--coverage -Wl,--undefined=__gcov_dump"
cmake --build "$build"
find "$build" -name '*.gcda' -delete
# The same options as in the test preset asan of CMakePresets.json.
export ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0:max_allocation_size_mb=1024:allocator_may_return_null=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
failed=0
ctest --test-dir "$build" --output-on-failure --timeout 1200 "$@" || failed=1
gcovr --root "$source" --filter "$source/src/" --filter "$source/apps/" --exclude-unreachable-branches --print-summary \
    --html-details build/coverage/report.html --txt build/coverage/report.txt --json build/coverage/report.json "$build"
python3 - "$source" build/coverage/report.json >build/coverage/errors.txt <<'PYTHON'
import json, pathlib, re, sys

raises = re.compile(r"^\s*(throw\b|(\w+(\.|->))?(fail|fail_to_\w+|refuse|damaged|changed|bad_\w+)\(.*)")
reached, missed = 0, []
for file in json.load(open(sys.argv[2]))["files"]:
    text = (pathlib.Path(sys.argv[1]) / file["file"]).read_text().splitlines()
    for line in file["lines"]:
        words = text[line["line_number"] - 1]
        if line.get("gcovr/noncode") or not raises.match(words):
            continue
        reached += line["count"] > 0
        if line["count"] == 0:
            missed.append(f"{file['file']}: {' '.join(' '.join(text[line['line_number'] - 1:][:3]).split(';')[0].split())}")
print(f"lines that raise an error: {reached} reached, {len(missed)} not", *missed, sep="\n")
PYTHON
cat build/coverage/errors.txt
echo "coverage: build/coverage/report.txt, report.html and errors.txt"
exit $failed
