#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs the dependencies and builds. Trains Meta Flow Matching on the real screen of data/ with 2 MPI ranks, scores the
# held-out genes and prints the table. Results: runs/egf_sample/results.h5. Called again, it resumes where it was stopped.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install_dependencies.sh
cmake --workflow --preset release
if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
. scripts/bind_threads.sh
bind_threads 2
exec mpirun --oversubscribe "${binding[@]}" -n 2 build/release/popflow run --config configs/egf_sample.cfg \
    --output runs/egf_sample --resume "$@"
