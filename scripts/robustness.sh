#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checks the claims of tests/README.md that take too long for the test suite: 30 kills, a disk that is full at every call that
# writes, and 2,000 mutated files for each reader. Prints the figures. Exit code 1 if a check fails.
# Usage: robustness.sh [BUILD]     (BUILD: a build with the tests, default build/dev)
# Takes about half an hour on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "${1:-build/dev}")
for needed in popflow tests/robustness/libfailing_disk.so tests/fuzz/mutated_files; do
    [ -e "$build/$needed" ] || {
        echo "robustness.sh: $build/$needed is missing. Build it: cmake --preset dev && cmake --build --preset dev" >&2
        exit 2
    }
done
mpiexec=$(command -v mpiexec)
# The same environment as in the tests: more ranks than cores are allowed, and a waiting rank yields its core.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_pml=ob1 PMIX_MCA_gds=hash
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
failed=0
# claim NAME COMMAND...: runs the check of a claim and prints the time it took. Sets `failed` if it fails.
claim() {
    local started=$SECONDS
    echo "== $1: ${*:2}"
    "${@:2}" || {
        failed=1
        echo "== $1: FAILED"
    }
    echo "== $1: $((SECONDS - started)) s"
}
"$build/popflow" --version
disk=$build/tests/robustness/libfailing_disk.so
claim "kills" tests/robustness/kills.sh "$build/popflow" "$mpiexec" "$disk" 30
claim "full disk" tests/robustness/full_disk.sh "$build/popflow" "$mpiexec" "$disk" 1
for format in h5ad cells checkpoint results problems training fcs table config image; do
    claim "mutated files, $format" "$build/tests/fuzz/mutated_files" tests/golden/anndata -n 2000 --format "$format"
done
exit $failed
