#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs a sweep on this machine, one run after the other. Skips complete runs and resumes started ones.
# Usage: sweep.sh [--dry-run] [--seeds 1,2,3] [--output FOLDER] CONFIG... [-- OPTION...]
#   scripts/sweep.sh --output runs configs/letters/*.cfg -- --data letters.h5ad
#   popflow report runs/letters --published letters
#   --dry-run   list the runs and their states, and check the plan of each configuration
#   --help      print this text
# Environment:
#   POPFLOW           program (default: the release build)
#   POPFLOW_RANKS     MPI ranks of a run (default 1). Starts more than one with mpirun.
#   OMP_NUM_THREADS   threads of a rank. They are bound to cores if the run uses all cores.
# Exit code: 0 if all runs are complete, 1 if a run failed (the others still ran), 2 for wrong arguments, 75 if stopped by a
# signal.
set -uo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$home/scripts/sweep_list.sh"
case " $* " in
    *" --help "* | *" -h "*)
        sed -n '/^# Runs/,/^set /{/^set /d; s/^# \{0,1\}//; p}' "${BASH_SOURCE[0]}"
        exit 0
        ;;
esac
dry_run=
[ "${1:-}" != --dry-run ] || { dry_run=yes && shift; }
parse_sweep "$@" || exit $?
program=${POPFLOW:-$home/build/release/popflow}
[ -x "$program" ] || {
    echo "sweep: program '$program' not found: build it or set POPFLOW" >&2
    exit 2
}
. "$home/scripts/bind_threads.sh"
bind_threads "${POPFLOW_RANKS:-1}"
launch=("$program")
[ "${POPFLOW_RANKS:-1}" = 1 ] || launch=(mpirun "${binding[@]}" -n "$POPFLOW_RANKS" "$program")
echo "sweep: $(sweep_size) runs into $sweep_output with $("$program" --version)"

if [ -n "$dry_run" ]; then
    for ((i = 0; i < $(sweep_size); i++)); do
        sweep_run "$i"
        echo "sweep: run $((i + 1)) of $(sweep_size), $(run_state "$run_folder"): $run_folder"
        if [ "$i" -lt ${#sweep_configs[@]} ] && [ "$(run_state "$run_folder")" != complete ]; then
            "$program" run --config "$run_config" --seed "$run_seed" --output "$run_folder" --resume "${sweep_options[@]}" \
                --dry-run=plan || exit $?
        fi
    done
    exit 0
fi

# Forwards a signal to the run, which saves its state. This script then stops too, once `wait` has returned.
child=
signal=
on_signal() {
    signal=$1
    [ -z "$child" ] || kill "-$2" "$child" 2>/dev/null
}
trap 'on_signal INT TERM' INT # a background process ignores Ctrl-C, so it gets TERM
trap 'on_signal TERM TERM' TERM
trap 'on_signal USR1 USR1' USR1
failed=0
for ((i = 0; i < $(sweep_size); i++)); do
    sweep_run "$i"
    state=$(run_state "$run_folder")
    echo "sweep: run $((i + 1)) of $(sweep_size), $state: $run_folder"
    [ "$state" != complete ] || continue
    "${launch[@]}" run --config "$run_config" --seed "$run_seed" --output "$run_folder" --resume \
        "${sweep_options[@]}" &
    child=$!
    wait "$child" || :
    while kill -0 "$child" 2>/dev/null; do # a signal interrupted `wait`, the program still runs
        wait "$child" || :
    done
    code=0
    wait "$child" || code=$? # the shell remembers the exit code
    child=
    [ -z "$signal" ] || {
        echo "sweep: stopped by SIG$signal. Run the same command again to resume" >&2
        exit 75
    }
    [ "$code" != 2 ] || echo "sweep: $run_config: popflow refused the input, see its message above" >&2
    [ "$code" = 0 ] || {
        echo "sweep: exit code $code: $run_folder" >&2
        failed=$((failed + 1))
    }
done
echo "sweep: $(($(sweep_size) - failed)) of $(sweep_size) runs are complete"
[ "$failed" = 0 ]
