# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# Sourced by scripts/quickstart.sh and scripts/sweep.sh.

# bind_threads RANKS: binds each thread of a run to a core of its own if the run has exactly one thread for each core.
# Exports OMP_PROC_BIND and OMP_PLACES, and sets the array `binding` to the binding options of mpirun.
# Leaves the placement to the operating system in two cases:
#   - The run leaves cores free. A second run on this machine would be bound to the same cores.
#   - The user has set OMP_PROC_BIND or OMP_PLACES.
bind_threads() {
    local cores threads
    binding=(--bind-to none)
    cores=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)
    threads=${OMP_NUM_THREADS:-$cores}
    [ -z "${OMP_PROC_BIND+set}${OMP_PLACES+set}" ] || return 0
    [ "$cores" = $(($1 * threads)) ] || return 0
    export OMP_PROC_BIND=true OMP_PLACES=cores
    binding=(--map-by "slot:PE=$threads" --bind-to core)
}
