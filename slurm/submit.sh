#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Submits a job with the site settings of slurm/env.sh, from any folder.
#
# Usage: submit.sh [--dry-run] run|train|evaluate|report OPTION...
#        submit.sh [--dry-run] chain --output RUN OPTION... [-- EVALUATE-OPTION...]
#        submit.sh [--dry-run] folds --split each:COLUMN --output OUT OPTION...
#        submit.sh [--dry-run] sweep [--seeds 1,2,3] [--output FOLDER] CONFIG... [-- OPTION...]
#
#   run       train, evaluate and print the table, in one job
#   chain     three jobs: train with OPTION..., evaluate to RUN/results.h5, report to RUN/report.html. Each waits for the
#             job before it and is cancelled if that job fails
#   folds     a leave-one-out as a job array with one task for each fold that is left, and a job that joins the results
#             when all tasks are done
#   sweep     the incomplete runs of a sweep, as one job array
#
# Submit a run, chain, folds or sweep again to complete it. Paths are relative to the current folder. `popflow VERB --help` lists
# the options of a verb. Prints the output of sbatch.
#
# Before a submission popflow checks the options and the metadata of the files on this node (popflow VERB --dry-run=plan).
# If it refuses them, nothing is submitted. POPFLOW_CHECK=no submits without the check.
#
#   --dry-run   print the plan and the sbatch commands, and submit nothing
#   --help      print this text
#
# Exit codes: 0 submitted, 1 the check or sbatch failed, 2 the options or files are wrong.
set -euo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$home/slurm/env.sh"

usage() { sed -n '/^# Submits/,/^set /{/^set /d; s/^# \{0,1\}//; p}' "${BASH_SOURCE[0]}"; }
# refuse CODE MESSAGE...: prints a message and ends.
refuse() {
    echo "submit.sh: ${*:2}" >&2
    exit "$1"
}

# --dry-run and --help are options of this script wherever they are.
arguments=()
dry_run=
for argument; do
    case $argument in
        --help | -h)
            usage
            exit 0
            ;;
        --dry-run | --dry-run=*) dry_run=yes ;;
        *) arguments+=("$argument") ;;
    esac
done
set -- "${arguments[@]}"
verb=${1:-}
case $verb in
    run | train | evaluate | report | chain | folds | sweep) shift ;;
    '') refuse 2 "no verb given. Give run, train, evaluate, report, chain, folds or sweep (submit.sh --help)" ;;
    *) refuse 2 "unknown verb '$verb'. Give run, train, evaluate, report, chain, folds or sweep (submit.sh --help)" ;;
esac

# check_plan ARGUMENT...: lets popflow check its arguments on this node. Ends this script if it refuses them. Sets `plan`, and
# prints it in a dry run.
check_plan() {
    local code=0
    [ "$POPFLOW_CHECK" != no ] || return 0
    [ -x "$program" ] ||
        refuse 2 "there is no program '$program' to check the job with. Build it, set POPFLOW, or skip the check with POPFLOW_CHECK=no"
    plan=$(OMP_NUM_THREADS=1 "$program" "$@" </dev/null) || code=$?
    [ "$code" != 2 ] || refuse 2 "not submitted: popflow refuses these options or files (see above)"
    [ "$code" = 0 ] ||
        refuse 1 "not submitted: '$program $*' ended with exit code $code on this node. POPFLOW_CHECK=no skips this check"
    [ -z "$dry_run" ] || [ -z "$plan" ] || printf '%s\n' "$plan"
}

# submit VERB RANKS [SBATCH-OPTION...] -- ARGUMENT...: submits a job and prints the output of sbatch. In a dry run it prints
# the command.
submit() {
    local job=$1 options=(--ntasks="$2" --cpus-per-task="$POPFLOW_THREADS" --mem-per-cpu="$POPFLOW_MEMORY"
        --time="$POPFLOW_TIME" --output="$POPFLOW_LOGS/%x-%j.log")
    shift 2
    [ -z "$POPFLOW_PARTITION" ] || options+=(--partition="$POPFLOW_PARTITION")
    [ -z "$POPFLOW_ACCOUNT" ] || options+=(--account="$POPFLOW_ACCOUNT")
    while [ "$1" != -- ]; do options+=("$1") && shift; done
    shift
    # shellcheck disable=SC2206
    options+=($POPFLOW_SBATCH)
    if [ -n "$dry_run" ]; then
        printf '%s' "POPFLOW_HOME=$(printf '%q' "$home") sbatch"
        printf ' %q' "${options[@]}" "$home/slurm/$job.sbatch" "$@"
        echo
        return
    fi
    command -v sbatch >/dev/null || refuse 1 "there is no sbatch here. Run this script on a login node of the cluster"
    mkdir -p "$POPFLOW_LOGS"
    POPFLOW_HOME=$home sbatch "${options[@]}" "$home/slurm/$job.sbatch" "$@"
}

# submit_after VERB RANKS [JOB] [SBATCH-OPTION...] -- ARGUMENT...: submits a job that waits for JOB. Sets `number` to the number of the new job, or
# to a placeholder in a dry run.
submit_after() {
    local job=$1 count=$2 dependency=()
    shift 2
    [[ $1 = --* ]] || { dependency=(--dependency="afterok:$1" --kill-on-invalid-dep=yes) && shift; }
    if [ -n "$dry_run" ]; then
        submit "$job" "$count" --parsable "${dependency[@]}" "$@"
        number="NUMBER_OF_${job^^}"
        return
    fi
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
    [ -n "$run" ] || refuse 2 "chain needs --output RUN, the run folder of its three jobs"
    check_plan train --resume "${train[@]}" --dry-run=plan
    # The run does not exist yet, so only the options of its evaluation can be checked.
    check_plan evaluate --run "$run" --output "$run/results.h5" "$@" --dry-run=options
    submit_after train "$POPFLOW_RANKS" -- "${train[@]}"
    submit_after evaluate "$POPFLOW_RANKS" "$number" -- --run "$run" --output "$run/results.h5" "$@"
    submit_after report 1 "$number" -- "$run" --output "$run/report.html"
}

submit_folds() {
    local number tasks
    [ "$POPFLOW_CHECK" != no ] || refuse 2 "folds needs the check of the plan, which lists the folds. Leave out POPFLOW_CHECK=no"
    check_plan run --resume "$@" --dry-run=plan
    tasks=$(sed -n 's/^to run  *//p' <<<"$plan")
    [ -n "$tasks" ] || refuse 2 "folds needs --split each:COLUMN, in the configuration or as an option"
    if [ "$tasks" = none ]; then
        submit run 1 -- "$@"
        return
    fi
    submit_after folds "$POPFLOW_RANKS" --array="$tasks${POPFLOW_AT_ONCE:+%$POPFLOW_AT_ONCE}" \
        --output="$POPFLOW_LOGS/%x-%A_%a.log" -- "$@"
    # All folds have results by then, so this job only joins them.
    submit_after run 1 "$number" -- "$@"
}

submit_sweep() {
    local tasks='' checked=' ' i
    . "$home/scripts/sweep_list.sh"
    parse_sweep "$@" || exit $?
    for ((i = 0; i < $(sweep_size); i++)); do
        sweep_run "$i"
        [ "$(run_state "$run_folder")" != complete ] || continue
        tasks+=${tasks:+,}$i
        # The seeds of a configuration differ in nothing that is checked.
        case $checked in *" $run_config "*) continue ;; esac
        checked+="$run_config "
        check_plan run --config "$run_config" --seed "$run_seed" --output "$run_folder" --resume "${sweep_options[@]}" \
            --dry-run=plan
    done
    if [ -z "$tasks" ]; then
        echo "sweep: all $(sweep_size) runs are complete"
        exit 0
    fi
    submit sweep "$POPFLOW_RANKS" --array="$tasks${POPFLOW_AT_ONCE:+%$POPFLOW_AT_ONCE}" \
        --output="$POPFLOW_LOGS/%x-%A_%a.log" -- "$@"
}

. "$home/slurm/program.sh"
case $verb in
    chain) submit_chain "$@" ;;
    folds) submit_folds "$@" ;;
    sweep) submit_sweep "$@" ;;
    report)
        check_plan report "$@" --dry-run=plan
        submit report 1 -- "$@"
        ;;
    *)
        check_plan "$verb" --resume "$@" --dry-run=plan
        submit "$verb" "$POPFLOW_RANKS" -- "$@"
        ;;
esac
