# SPDX-License-Identifier: MIT
# Sourced by the .sbatch files: start popflow under Slurm, hand signals on, requeue.
set -uo pipefail
. "$home/slurm/env.sh"

if [ -n "$POPFLOW_MODULES" ]; then
    # shellcheck disable=SC2086
    module load $POPFLOW_MODULES || exit 1
fi
program=${POPFLOW:-$home/build/release/popflow}
# Installed, these scripts are in share/popflow/slurm and the program in bin.
if [ ! -x "$program" ] && [ -z "${POPFLOW:-}" ] && [ -x "$home/../../bin/popflow" ]; then
  program=$home/../../bin/popflow
fi
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-$POPFLOW_THREADS} OMP_WAIT_POLICY=passive
# A thread that is bound keeps its core. Ranks that share their cores would all be bound to the first of them.
if [ -z "$POPFLOW_BIND" ] && [ "${SLURM_NTASKS:-1}" -le "${SLURM_JOB_NUM_NODES:-1}" ]; then POPFLOW_BIND=yes; fi
if [ "$POPFLOW_BIND" = yes ]; then
    export OMP_PROC_BIND=${OMP_PROC_BIND:-true} OMP_PLACES=${OMP_PLACES:-cores}
fi
if [ "$(id -u)" = 0 ]; then # mpirun does not start as root unless told to
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
# When mpirun is told to end (scancel, scontrol requeue, preemption) it kills the ranks after twice this many seconds, and
# after a dead rank the others: long enough to save their state, short enough not to wait for the dead.
export OMPI_MCA_odls_base_sigkill_timeout=${OMPI_MCA_odls_base_sigkill_timeout:-4}
# PMIx up to 4 keeps what ranks tell each other in shared memory under a lock; a rank that is killed while it starts may
# leave it locked, and its mpirun then waits for ever. In memory of its own mpirun cannot be caught so.
export PMIX_MCA_gds=${PMIX_MCA_gds:-hash}
read -r -a launcher <<<"$POPFLOW_LAUNCHER"
# Cores are the job's; a rank may use all threads that it has been given.
[ "${launcher[0]}" != mpirun ] || launcher+=(--bind-to none)

# requeue_self: puts the job back into the queue, unless it was there too often.
requeue_self() {
    if [ "${SLURM_RESTART_COUNT:-0}" -ge "$POPFLOW_RESTARTS" ]; then
        echo "popflow job $SLURM_JOB_ID: restarted $POPFLOW_RESTARTS times, not again (POPFLOW_RESTARTS in slurm/env.sh)" >&2
        return 1
    fi
    echo "popflow job $SLURM_JOB_ID: requeued at $(date -Is)"
    scontrol requeue "$SLURM_JOB_ID"
}

# launch ARGUMENT...: popflow on the job's ranks; ends the job with its exit code, or requeues the job if it stopped ahead
# of the time limit (75), was asked to and could not answer, or lost a node. One that Slurm ends is cancelled, or Slurm
# requeues it.
launch() {
    local child code stopping= ended=
    echo "popflow job $SLURM_JOB_ID${SLURM_ARRAY_TASK_ID:+ (task $SLURM_ARRAY_TASK_ID of $SLURM_ARRAY_JOB_ID)}," \
        "start $((${SLURM_RESTART_COUNT:-0} + 1)), $(date -Is)"
    echo "on ${SLURM_JOB_NODELIST:-$(hostname)}: ${SLURM_NTASKS:-1} ranks x $OMP_NUM_THREADS threads, $("$program" --version)"
    echo "in $PWD: $program $*"
    "${launcher[@]}" "$program" "$@" &
    child=$!
    # USR1 comes to this script alone, ahead of the time limit. TERM (scancel, preemption) comes to the ranks as well:
    # the script only has to outlive it.
    trap 'stopping=yes; echo "popflow job $SLURM_JOB_ID: asked to stop at $(date -Is)"; kill -USR1 "$child" 2>/dev/null' USR1
    trap 'ended=yes' TERM
    wait "$child" || :
    while kill -0 "$child" 2>/dev/null; do # a signal ended wait, not the program
        wait "$child" || :
    done
    code=0
    wait "$child" || code=$? # the shell keeps it
    echo "popflow job $SLURM_JOB_ID: exit code $code at $(date -Is)"
    # 205: mpirun lost a node.
    if [ "$code" != 0 ] && { [ -n "$stopping" ] || { [ -z "$ended" ] && [[ $code = @(75|205) ]]; }; }; then
        requeue_self && sleep 60 # Slurm ends this script; nothing may follow that matters
    fi
    exit "$code"
}
