#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the libFuzzer targets with Clang, ASan and UBSan, and runs each for some minutes, one after the other.
# Usage: fuzz.sh MINUTES [h5ad|cells|checkpoint|results|training...]
# What is found lies in build/fuzz/findings/FORMAT; `build/fuzz/tests/fuzz/fuzz_FORMAT FILE` repeats it. The corpus,
# build/fuzz/corpus, grows from run to run. Exit code 1 if anything was found.
set -euo pipefail
cd "$(dirname "$0")/.."
[[ ${1:-} =~ ^[0-9]+$ ]] || {
    echo "usage: fuzz.sh MINUTES [FORMAT...]" >&2
    exit 2
}
minutes=$1
shift
formats=("$@")
[ $# -gt 0 ] || formats=(h5ad cells checkpoint results training)
command -v clang++ >/dev/null || {
    echo "fuzz.sh: Clang is missing: apt-get install clang libclang-rt-dev libomp-dev" >&2
    exit 2
}
cmake --preset fuzz
targets=(write_corpus)
for format in "${formats[@]}"; do targets+=("fuzz_$format"); done
cmake --build --preset fuzz --target "${targets[@]}"
build/fuzz/tests/fuzz/write_corpus tests/golden/anndata build/fuzz/seeds
# A file is to be refused, not an allocation: larger ones fail as they would under the guard's limit.
export ASAN_OPTIONS=detect_leaks=0:max_allocation_size_mb=128:allocator_may_return_null=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 OMP_NUM_THREADS=1
found=0
for format in "${formats[@]}"; do
    mkdir -p "build/fuzz/corpus/$format" "build/fuzz/findings/$format"
    echo "fuzz: $format for $minutes minutes"
    build/fuzz/tests/fuzz/fuzz_"$format" -max_total_time=$((60 * minutes)) -max_len=100000 -timeout=20 \
        -rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix="build/fuzz/findings/$format/" \
        "build/fuzz/corpus/$format" "build/fuzz/seeds/$format" 2>"build/fuzz/$format.log" || found=1
    grep -E "stat::number_of_executed_units|SUMMARY|ERROR" "build/fuzz/$format.log" || :
done
exit $found
