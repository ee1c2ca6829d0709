# SPDX-License-Identifier: MIT
# Sourced by the .sbatch files. Starts popflow under Slurm, forwards signals and requeues the job.
set -uo pipefail
. "$home/slurm/env.sh"

. "$home/slurm/program.sh"
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-$POPFLOW_THREADS} OMP_WAIT_POLICY=passive
# A bound thread keeps its core. Ranks on one host share the cores of the job and would all be bound to the first of them.
# Binds therefore only if each rank has a host to itself, or if POPFLOW_BIND is yes.
if [ -z "$POPFLOW_BIND" ] && [ "${SLURM_NTASKS:-1}" -le "${SLURM_JOB_NUM_NODES:-1}" ]; then POPFLOW_BIND=yes; fi
if [ "$POPFLOW_BIND" = yes ]; then
    export OMP_PROC_BIND=${OMP_PROC_BIND:-true} OMP_PLACES=${OMP_PLACES:-cores}
fi
if [ "$(id -u)" = 0 ]; then # mpirun refuses to run as root without these variables
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
# mpirun kills the ranks twice this number of seconds after it was asked to end (scancel, scontrol requeue, preemption).
# After a rank has died it kills the others after the same time. This is long enough to save the state and short enough not
# to wait long for a dead rank.
export OMPI_MCA_odls_base_sigkill_timeout=${OMPI_MCA_odls_base_sigkill_timeout:-4}
# PMIx up to version 4 keeps the data that ranks exchange in shared memory under a lock. A rank that is killed while it
# starts may leave the lock held, and its mpirun then waits indefinitely. The store `hash` is in mpirun's own memory and has
# no such lock.
export PMIX_MCA_gds=${PMIX_MCA_gds:-hash}
read -r -a launcher <<<"$POPFLOW_LAUNCHER"
# Slurm has assigned the cores of the job. mpirun must not bind a rank to fewer cores than it has threads.
[ "${launcher[0]}" != mpirun ] || launcher+=(--bind-to none)

# requeue_self: puts the job back into the queue. Fails if the job was restarted POPFLOW_RESTARTS times.
requeue_self() {
    if [ "${SLURM_RESTART_COUNT:-0}" -ge "$POPFLOW_RESTARTS" ]; then
        echo "popflow job $SLURM_JOB_ID: not requeued after $POPFLOW_RESTARTS restarts (POPFLOW_RESTARTS in slurm/env.sh)" >&2
        return 1
    fi
    echo "popflow job $SLURM_JOB_ID: requeued at $(date -Is)"
    scontrol requeue "$SLURM_JOB_ID"
}

# launch ARGUMENT...: runs popflow on the ranks of the job. Ends the job with the exit code of popflow, or requeues it if
#   - popflow stopped ahead of the time limit (exit code 75),
#   - popflow was asked to stop and ended with another code than 0, or
#   - mpirun lost a node (exit code 205).
# Does not requeue a job that Slurm ends: it was cancelled, or Slurm requeues it.
launch() {
    local child code stopping= ended=
    echo "popflow job $SLURM_JOB_ID${SLURM_ARRAY_TASK_ID:+ (task $SLURM_ARRAY_TASK_ID of $SLURM_ARRAY_JOB_ID)}," \
        "start $((${SLURM_RESTART_COUNT:-0} + 1)), $(date -Is)"
    echo "on ${SLURM_JOB_NODELIST:-$(hostname)}: ${SLURM_NTASKS:-1} ranks x $OMP_NUM_THREADS threads, $("$program" --version)"
    echo "in $PWD: $program $*"
    "${launcher[@]}" "$program" "$@" &
    child=$!
    # Slurm sends USR1 to this script only, ahead of the time limit. It sends TERM (scancel, preemption) to the ranks as
    # well, so that this script only has to survive it.
    trap 'stopping=yes; echo "popflow job $SLURM_JOB_ID: asked to stop at $(date -Is)"; kill -USR1 "$child" 2>/dev/null' USR1
    trap 'ended=yes' TERM
    wait "$child" || :
    while kill -0 "$child" 2>/dev/null; do # a signal interrupted `wait`, the program still runs
        wait "$child" || :
    done
    code=0
    wait "$child" || code=$? # the shell remembers the exit code
    echo "popflow job $SLURM_JOB_ID: exit code $code at $(date -Is)"
    # mpirun exits with 205 if it lost a node.
    if [ "$code" != 0 ] && { [ -n "$stopping" ] || { [ -z "$ended" ] && [[ $code = @(75|205) ]]; }; }; then
        requeue_self && sleep 60 # Slurm ends this script during the sleep, so nothing important may follow
    fi
    exit "$code"
}
