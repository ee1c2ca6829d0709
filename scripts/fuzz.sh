#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the libFuzzer targets with Clang, ASan and UBSan. Runs each for MINUTES, one after the other.
# Usage: fuzz.sh MINUTES [h5ad|cells|checkpoint|results|training|fcs|table|config|image...]
# Writes findings to build/fuzz/findings/FORMAT. To reproduce one: build/fuzz/tests/fuzz/fuzz_FORMAT FILE.
# Keeps the corpus, build/fuzz/corpus, for later runs. Exit code 1 if anything was found.
set -euo pipefail
cd "$(dirname "$0")/.."
[[ ${1:-} =~ ^[0-9]+$ ]] || {
    echo "usage: fuzz.sh MINUTES [FORMAT...]" >&2
    exit 2
}
minutes=$1
shift
formats=("$@")
[ $# -gt 0 ] || formats=(h5ad cells checkpoint results problems training fcs table config image)
command -v clang++ >/dev/null || {
    echo "fuzz.sh: Clang is missing: apt-get install clang libclang-rt-dev libomp-dev" >&2
    exit 2
}
cmake --preset fuzz
targets=(write_corpus)
for format in "${formats[@]}"; do targets+=("fuzz_$format"); done
cmake --build --preset fuzz --target "${targets[@]}"
build/fuzz/tests/fuzz/write_corpus tests/golden/anndata build/fuzz/seeds
# max_allocation_size_mb: larger allocations fail, as they do under the memory limit of the file guard. The reader must then
# refuse the file.
# quarantine_size_mb: keeps little freed memory. Each file is tried in a forked process, and a fork takes longer the more
# memory its parent has.
export ASAN_OPTIONS=detect_leaks=0:max_allocation_size_mb=128:allocator_may_return_null=1:quarantine_size_mb=8
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 OMP_NUM_THREADS=1
found=0
# fuzz FORMAT: runs until the time is over or something is found. Repeats the file of a timeout on its own. If it then stays
# within the time limit it is no finding: the machine was busy, or the process was suspended.
fuzz() {
    local end=$((SECONDS + 60 * minutes)) left slow
    local program=(build/fuzz/tests/fuzz/fuzz_"$1" -max_len=100000 -timeout=20 -rss_limit_mb=1024 -print_final_stats=1
        -artifact_prefix="build/fuzz/findings/$1/")
    : >"build/fuzz/$1.log"
    while left=$((end - SECONDS)) && [ "$left" -gt 0 ]; do
        "${program[@]}" -max_total_time=$left "build/fuzz/corpus/$1" "build/fuzz/seeds/$1" 2>>"build/fuzz/$1.log" && return
        slow=$(find "build/fuzz/findings/$1" -name 'timeout-*' | head -n 1)
        [ -n "$slow" ] && "${program[@]}" "$slow" 2>/dev/null || return 1
        echo "fuzz: $1: ${slow##*/} stays within the time limit when repeated, ignored"
        rm "$slow"
    done
}
TIMEFORMAT="CPU time: %U s user, %S s system"
for format in "${formats[@]}"; do
    mkdir -p "build/fuzz/corpus/$format" "build/fuzz/findings/$format"
    echo "fuzz: $format for $minutes minutes"
    time fuzz "$format" || found=1
    awk '/stat::number_of_executed_units/ { n += $2 } END { print "executions: " n + 0 }' "build/fuzz/$format.log"
    grep -E "SUMMARY|ERROR" "build/fuzz/$format.log" || :
done
exit $found
