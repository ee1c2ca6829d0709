#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Submits a job with the site settings of slurm/env.sh, from any folder.
# Usage: submit.sh run|train|evaluate|report OPTION...
#        submit.sh chain --output RUN OPTION... [-- EVALUATE-OPTION...]
#        submit.sh sweep [--seeds 1,2,3] [--output FOLDER] CONFIG... [-- OPTION...]
# A chain is three jobs: train with OPTION..., evaluate to RUN/results.h5, report to RUN/report.html. Each waits for the job
# before it and is cancelled if that job fails. A sweep submits its incomplete runs as one job array. Submit a chain or a
# sweep again to complete it. Paths in the options of popflow are relative to the current folder. Prints the output of sbatch.
set -euo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$home/slurm/env.sh"
verb=${1:-}
case $verb in
    run | train | evaluate | report | chain | sweep) shift ;;
    *)
        echo "submit.sh: unknown verb '$verb', allowed run, train, evaluate, report, chain, sweep" >&2
        exit 2
        ;;
esac

# submit VERB RANKS [SBATCH-OPTION...] -- ARGUMENT...: submits a job and prints the output of sbatch.
submit() {
    local job=$1 options=(--ntasks="$2" --cpus-per-task="$POPFLOW_THREADS" --mem-per-cpu="$POPFLOW_MEMORY"
        --time="$POPFLOW_TIME" --output="$POPFLOW_LOGS/%x-%j.log")
    shift 2
    [ -z "$POPFLOW_PARTITION" ] || options+=(--partition="$POPFLOW_PARTITION")
    [ -z "$POPFLOW_ACCOUNT" ] || options+=(--account="$POPFLOW_ACCOUNT")
    while [ "$1" != -- ]; do options+=("$1") && shift; done
    shift
    mkdir -p "$POPFLOW_LOGS"
    # shellcheck disable=SC2086
    POPFLOW_HOME=$home sbatch "${options[@]}" $POPFLOW_SBATCH "$home/slurm/$job.sbatch" "$@"
}

# submit_after VERB RANKS [JOB] -- ARGUMENT...: submits a job that waits for JOB. Sets `number` to the number of the new job.
submit_after() {
    local job=$1 count=$2 dependency=()
    shift 2
    [ "$1" = -- ] || { dependency=(--dependency="afterok:$1" --kill-on-invalid-dep=yes) && shift; }
    number=$(submit "$job" "$count" --parsable "${dependency[@]}" "$@")
    number=${number%%;*} # in a federation sbatch appends ";CLUSTER"
    echo "Submitted batch job $number ($job)"
}

submit_chain() {
    local train=() run='' number
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        case $1 in
            --output) run=${2:-} ;;
            --output=*) run=${1#--output=} ;;
        esac
        train+=("$1") && shift
    done
    [ $# = 0 ] || shift
    [ -n "$run" ] || {
        echo "submit.sh: chain needs --output RUN" >&2
        exit 2
    }
    submit_after train "$POPFLOW_RANKS" -- "${train[@]}"
    submit_after evaluate "$POPFLOW_RANKS" "$number" -- --run "$run" --output "$run/results.h5" "$@"
    submit_after report 1 "$number" -- "$run" --output "$run/report.html"
}

submit_sweep() {
    local tasks='' i
    . "$home/scripts/sweep_list.sh"
    parse_sweep "$@"
    for ((i = 0; i < $(sweep_size); i++)); do
        sweep_run "$i"
        [ "$(run_state "$run_folder")" = complete ] || tasks+=${tasks:+,}$i
    done
    if [ -z "$tasks" ]; then
        echo "sweep: all $(sweep_size) runs are complete"
        exit 0
    fi
    submit sweep "$POPFLOW_RANKS" --array="$tasks${POPFLOW_AT_ONCE:+%$POPFLOW_AT_ONCE}" \
        --output="$POPFLOW_LOGS/%x-%A_%a.log" -- "$@"
}

case $verb in
    chain) submit_chain "$@" ;;
    sweep) submit_sweep "$@" ;;
    report) submit report 1 -- "$@" ;;
    *) submit "$verb" "$POPFLOW_RANKS" -- "$@" ;;
esac
