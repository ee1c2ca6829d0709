#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs a sweep on this machine, one run after the other; complete runs are skipped, started ones go on where they were.
# Usage: sweep.sh [--seeds 1,2,3] [--output FOLDER] CONFIG... [-- OPTION...]
#   scripts/sweep.sh --output runs configs/letters/*.cfg -- --data letters.h5ad
#   popflow report runs/letters/*/*/results.h5 --published letters
# Environment: POPFLOW (the program; default: the release build), POPFLOW_RANKS (default 1; more are started by mpirun),
# OMP_NUM_THREADS (threads of a rank; bound to cores if the run takes all there are). Exit code 1 if a run failed (the
# others were run all the same), 75 if stopped.
set -uo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$home/scripts/sweep_list.sh"
parse_sweep "$@" || exit $?
program=${POPFLOW:-$home/build/release/popflow}
[ -x "$program" ] || {
    echo "sweep: no program '$program'; build it or set POPFLOW" >&2
    exit 2
}
. "$home/scripts/bind_threads.sh"
bind_threads "${POPFLOW_RANKS:-1}"
launch=("$program")
[ "${POPFLOW_RANKS:-1}" = 1 ] || launch=(mpirun "${binding[@]}" -n "$POPFLOW_RANKS" "$program")
echo "sweep: $(sweep_size) runs into $sweep_output with $("$program" --version)"

# A signal is for the run, which saves its state, and then for this script. The shell acts on it once `wait` returns.
child=
signal=
on_signal() {
    signal=$1
    [ -z "$child" ] || kill "-$2" "$child" 2>/dev/null
}
trap 'on_signal INT TERM' INT # a run in the background does not hear the keyboard
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
    while kill -0 "$child" 2>/dev/null; do # a signal ended wait, not the program
        wait "$child" || :
    done
    code=0
    wait "$child" || code=$? # the shell keeps it
    child=
    [ -z "$signal" ] || {
        echo "sweep: stopped by SIG$signal; the same command goes on" >&2
        exit 75
    }
    [ "$code" != 2 ] || echo "sweep: the input of $run_config is wrong" >&2
    [ "$code" = 0 ] || {
        echo "sweep: exit code $code: $run_folder" >&2
        failed=$((failed + 1))
    }
done
echo "sweep: $(($(sweep_size) - failed)) of $(sweep_size) runs are complete"
[ "$failed" = 0 ]
