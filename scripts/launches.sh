#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Launches a small MPI program many times on 4 ranks while every core is busy, and counts the launches that do not exit with 0
# and those in which MPI_Finalize crashed.  Usage: launches.sh [BUILD] [LAUNCHES] [PROGRAM]
# Environment: LOAD, number of processes that keep a core busy. Default: one for each core. Use 0 on a machine that is busy.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/dev}
launches=${2:-1000}
program=${3:-$build/tests/mpi/collectives}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1 OMP_NUM_THREADS=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none PMIX_MCA_gds=hash OMPI_MCA_pml=ob1
load=()
trap 'kill "${load[@]}" 2>/dev/null || :; rm -f "$errors"' EXIT
errors=$(mktemp)
for ((i = 0; i < ${LOAD:-$(nproc)}; i++)); do
    (while :; do :; done) &
    load+=($!)
done
failures=0
crashes=0
for ((i = 1; i <= launches; i++)); do
    code=0
    mpiexec --oversubscribe --bind-to none -n 4 "$program" >"$errors" 2>&1 || code=$?
    ! grep -q "crashed in MPI_Finalize" "$errors" || crashes=$((crashes + 1))
    if [ "$code" != 0 ]; then
        failures=$((failures + 1))
        echo "launch $i: exit code $code"
        sed 's/^/  /' "$errors"
    fi
done
echo "$launches launches on 4 ranks: $failures failed, MPI_Finalize crashed in $crashes"
[ "$failures" = 0 ]
