#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Submits a job with the site's settings (slurm/env.sh), from any folder.
# Usage: submit.sh run|train|evaluate OPTION...
#        submit.sh sweep [--seeds 1,2,3] [--output FOLDER] CONFIG... [-- OPTION...]
# A sweep submits what is not complete yet, as one job array; submit it again to go on with what is missing. Paths among
# the options of popflow are relative to the folder in which this is called. Prints what sbatch prints.
set -euo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$home/slurm/env.sh"
verb=${1:-}
case $verb in
    run | train | evaluate | sweep) shift ;;
    *)
        echo "submit.sh: found verb '$verb', allowed run, train, evaluate, sweep" >&2
        exit 2
        ;;
esac
options=(--ntasks="$POPFLOW_RANKS" --cpus-per-task="$POPFLOW_THREADS" --mem-per-cpu="$POPFLOW_MEMORY"
    --time="$POPFLOW_TIME")
[ -z "$POPFLOW_PARTITION" ] || options+=(--partition="$POPFLOW_PARTITION")
[ -z "$POPFLOW_ACCOUNT" ] || options+=(--account="$POPFLOW_ACCOUNT")
if [ "$verb" = sweep ]; then
    . "$home/scripts/sweep_list.sh"
    parse_sweep "$@"
    tasks=
    for ((i = 0; i < $(sweep_size); i++)); do
        sweep_run "$i"
        [ "$(run_state "$run_folder")" = complete ] || tasks+=${tasks:+,}$i
    done
    if [ -z "$tasks" ]; then
        echo "sweep: all $(sweep_size) runs are complete"
        exit 0
    fi
    options+=(--array="$tasks${POPFLOW_AT_ONCE:+%$POPFLOW_AT_ONCE}" --output="$POPFLOW_LOGS/%x-%A_%a.log")
else
    options+=(--output="$POPFLOW_LOGS/%x-%j.log")
fi
mkdir -p "$POPFLOW_LOGS"
# shellcheck disable=SC2086
POPFLOW_HOME=$home exec sbatch "${options[@]}" $POPFLOW_SBATCH "$home/slurm/$verb.sbatch" "$@"
