#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checks that step_bench and exchange_bench run once and print the rows that the scripts read, and that peer_speed.py refuses
# ratios against slow peers. Needs no peer.
# Usage: smoke.sh STEP_BENCH EXCHANGE_BENCH
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
out=$("$1" --benchmark_repetitions=1 --benchmark_min_time=0.001 --benchmark_format=json \
    --benchmark_filter='^(peak|step/flow|layer/512x43|encoder/k10|input/open)/' 2>/dev/null)
names=(step/flow/fp32/threads:2 layer/512x43/fp32/threads:1 encoder/k10/threads:2 input/open/sample/threads:1)
if grep -qw fma /proc/cpuinfo; then names+=(peak/fp32/threads:2 peak/fp64/threads:2); fi
for name in "${names[@]}"; do
    grep -q "\"name\": \"$name/" <<<"$out" || {
        echo "smoke: $name is missing in: $out" >&2
        exit 1
    }
done
rows=$(mpirun --oversubscribe --bind-to none -n 2 "$2" 1)
for what in parts summary; do
    grep -q "\"ranks\": 2, \"what\": \"$what\", \"elements\": [0-9]*, \"seconds\": " <<<"$rows" || {
        echo "smoke: $what is missing in: $rows" >&2
        exit 1
    }
done
PYTHONDONTWRITEBYTECODE=1 python3 "$here/test_peer_speed.py"
echo "the benchmarks run"
