#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The benchmarks of steps and of the exchange run once, and name what the scripts read.
# Usage: smoke.sh STEP_BENCH EXCHANGE_BENCH
set -euo pipefail
if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
out=$("$1" --benchmark_repetitions=1 --benchmark_min_time=0.001 --benchmark_format=json \
    --benchmark_filter='^(step/flow|layer/512x43|encoder/k10|input/open)/' 2>/dev/null)
for name in step/flow/fp32/threads:2 layer/512x43/fp32/threads:1 encoder/k10/threads:2 input/open/sample/threads:1; do
    grep -q "\"name\": \"$name/" <<<"$out" || {
        echo "smoke: no $name in: $out" >&2
        exit 1
    }
done
said=$(mpirun --oversubscribe --bind-to none -n 2 "$2" 1)
for what in parts told; do
    grep -q "\"ranks\": 2, \"what\": \"$what\", \"elements\": [0-9]*, \"seconds\": " <<<"$said" || {
        echo "smoke: no $what in: $said" >&2
        exit 1
    }
done
echo "the benchmarks run"
