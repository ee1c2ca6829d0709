# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# Sourced by scripts/quickstart.sh and scripts/sweep.sh.

# bind_threads RANKS: has the threads of a run bound to a core each (OMP_PROC_BIND, OMP_PLACES) if they are as many as
# there are cores, and sets `binding`, options of mpirun. A run that leaves cores free is left to the system, since
# another beside it would be bound to the same ones; so is one whose user has set either variable.
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
