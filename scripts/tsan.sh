#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs ThreadSanitizer on the multi-threaded code: the unit tests of the folders with parallel loops, the work queue on 1 to 4
# ranks, a training with its background writer, and an evaluation. Clang's OpenMP reports its synchronisation to the
# sanitizer through the archer library.
# Usage: tsan.sh [FOLDER...]     (for example tsan.sh ot, default: all folders)
# Needs: apt-get install clang libclang-rt-14-dev libomp-14-dev
set -euo pipefail
cd "$(dirname "$0")/.."
archer=${ARCHER:-$(ls /usr/lib/llvm-*/lib/libarcher.so 2>/dev/null | tail -n 1)}
[ -n "$archer" ] && command -v clang++ >/dev/null || {
    echo "tsan.sh: Clang or its OpenMP is missing: apt-get install clang libclang-rt-14-dev libomp-14-dev" >&2
    exit 2
}
folders=("$@")
[ $# -gt 0 ] || folders=(anndata core eval inspect linalg metrics models mpi nn ot predict screen simulate train)
targets=(popflow_app work_queue)
for folder in "${folders[@]}"; do targets+=("unit_$folder"); done
cmake --preset tsan
cmake --build --preset tsan --target "${targets[@]}"
# MPI and oneDNN are not instrumented, so their own accesses are ignored. oneDNN is linked to GCC's OpenMP but uses Clang's,
# which is loaded first and exports the same symbols.
export TSAN_OPTIONS="ignore_noninstrumented_modules=1:halt_on_error=0:exitcode=66:history_size=4${TSAN_OPTIONS:+:$TSAN_OPTIONS}"
export OMP_TOOL_LIBRARIES=$archer OMP_NUM_THREADS=${OMP_NUM_THREADS:-4}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none
failed=0
# check NAME COMMAND...: runs a command and prints its last line. If it fails, sets `failed` and prints the first reports.
check() {
    local log=build/tsan/$1.log
    if "${@:2}" >"$log" 2>&1; then
        echo "tsan: $1: $(grep -E '^\[  PASSED|^ranks with items|^simulate|^train|^evaluate' "$log" | tail -n 1)"
    else
        failed=1
        echo "tsan: $1: FAILED, $(grep -c 'WARNING: ThreadSanitizer' "$log") reports in $log"
        grep -A 12 -m 2 'WARNING: ThreadSanitizer' "$log" || tail -n 5 "$log"
    fi
}
for folder in "${folders[@]}"; do check "unit_$folder" "build/tsan/tests/unit/$folder/unit_$folder"; done
for ranks in 1 2 3 4; do
    check "work_queue_$ranks" mpiexec --oversubscribe --bind-to none -n "$ranks" build/tsan/tests/mpi/work_queue
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
check simulate build/tsan/popflow simulate screen --output "$scratch/s.h5ad" --patients 4 --cultures PDO,PDOF \
    --treatments O,S,F --replicates 2 --cells 60:200 --seed 3
check train build/tsan/popflow train --data "$scratch/s.h5ad" --output "$scratch/run" --min-cells 50 --split patient:21 \
    --hidden 64 --layers 3 --embedding 16 --encoder-hidden 16 --knn 5 --cells 150 --batch-pairs 4 --steps 30 \
    --checkpoint-every 2
check evaluate build/tsan/popflow evaluate --run "$scratch/run" --output "$scratch/r.h5" --max-cells 100 \
    --predictions "$scratch/p.h5ad"
exit $failed
