#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The claims of tests/README.md that are too long for the suite: 30 kills, a disk that is full at every call that writes,
# and 2,000 mutated files for each reader. Prints the figures; exit code 1 if one of them is not what it must be.
# Usage: robustness.sh [BUILD]     (BUILD: build/dev, with the tests; about half an hour on two cores)
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "${1:-build/dev}")
for needed in popflow tests/robustness/libfailing_disk.so tests/fuzz/mutated_files; do
    [ -e "$build/$needed" ] || {
        echo "robustness.sh: $build/$needed is missing; build it: cmake --preset dev && cmake --build --preset dev" >&2
        exit 2
    }
done
mpiexec=$(command -v mpiexec)
# As the tests have it: more ranks than cores, which do not spin against each other.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_pml=ob1 PMIX_MCA_gds=hash
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
failed=0
# claim NAME COMMAND...
claim() {
    local begun=$SECONDS
    echo "== $1: ${*:2}"
    "${@:2}" || {
        failed=1
        echo "== $1: FAILED"
    }
    echo "== $1: $((SECONDS - begun)) s"
}
"$build/popflow" --version
disk=$build/tests/robustness/libfailing_disk.so
claim "kills" tests/robustness/kills.sh "$build/popflow" "$mpiexec" "$disk" 30
claim "full disk" tests/robustness/full_disk.sh "$build/popflow" "$mpiexec" "$disk" 1
for format in h5ad cells checkpoint results training; do
    claim "mutated files, $format" "$build/tests/fuzz/mutated_files" tests/golden/anndata -n 2000 --format "$format"
done
exit $failed
