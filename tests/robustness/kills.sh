#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Kills a training on two ranks with SIGKILL and resumes it. Each time the final checkpoint must have the bytes of an
# undisturbed training. Four kinds of kills alternate: a random rank, mpirun, or all processes at a random moment, and rank 0
# during a call that writes a checkpoint.
# Also measures the time until the other ranks have ended, and the time from SIGUSR1 to exit code 75.
# Usage: kills.sh POPFLOW MPIEXEC FAILING_DISK [KILLS [SEED]]     (KILLS: default 4)
. "$(dirname "$0")/../support/scratch.sh"
failing_disk=$3
kills=${4:-4}
RANDOM=${5:-1}

small_screen "$scratch/s.h5ad"
cd "$scratch"
train="train --data s.h5ad $small_model --steps 600 --checkpoint-every 20 --keep-checkpoints 3"
# now: prints the time in nanoseconds.
now() { date +%s%N; }
started=$(now)
OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive "$mpiexec" --oversubscribe --bind-to none -n 2 -x "LD_PRELOAD=$failing_disk" \
    -x "FAILING_DISK_FOLDER=$scratch/whole" -x "FAILING_DISK_COUNT=$scratch/count" \
    "$popflow" $train --output "$scratch/whole" 2>log || fail "$(tail -n 5 log)"
milliseconds=$((($(now) - started) / 1000000)) # duration of a training, so that kills hit it on any machine
calls=$(sort -n count | tail -n 1)             # number of calls by which rank 0 changes its files
# process_of RANK FOLDER: prints the process id of a rank of the training into FOLDER.
process_of() {
    local pid
    for pid in $(pgrep -f -- "^$popflow train .*--output $2( |$)"); do
        [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != popflow-guard ] || continue # the file guard of a rank
        ! tr '\0' '\n' 2>/dev/null <"/proc/$pid/environ" | grep -qx "OMPI_COMM_WORLD_RANK=$1" || echo "$pid"
    done
}
# start FOLDER [OPTION...]: starts a training in the background with options of mpirun. Sets `job` to the process id of mpirun.
start() {
    local run=$1
    shift
    OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive "$mpiexec" --oversubscribe --bind-to none -n 2 "$@" \
        "$popflow" $train --output "$run" >>log 2>&1 &
    job=$!
}

same=0 slowest=0 late=0
for ((n = 1; n <= kills; n++)); do
    run=$scratch/run$n
    kind=$((n % 4))
    if [ "$kind" = 0 ]; then # the k-th call of rank 0 that changes a file of the run
        start "$run" -x "LD_PRELOAD=$failing_disk" -x "FAILING_DISK_FOLDER=$run" -x "FAILING_DISK_KILL=$((RANDOM % calls + 1))"
        started=$(now)
    else
        start "$run"
        wait_for "$run/config.cfg"
        after=$((milliseconds * (RANDOM % 70) / 100))
        sleep "$((after / 1000)).$(printf %03d $((after % 1000)))"
        started=$(now)
        case $kind in
            1) victims=$(process_of $((RANDOM % 2)) "$run") ;;
            2) victims=$job ;;
            3) victims="$job $(process_of 0 "$run") $(process_of 1 "$run")" ;;
        esac
        # shellcheck disable=SC2086
        kill -KILL $victims 2>/dev/null || :
    fi
    wait "$job" 2>/dev/null && code=0 || code=$?
    for ((polls = 0; polls < 1200; polls++)); do
        [ -n "$(process_of 0 "$run")$(process_of 1 "$run")" ] || break
        sleep 0.05
    done
    [ "$polls" -lt 1200 ] || fail "ranks still run a minute after kill $n"
    took=$((($(now) - started) / 1000000))
    if [ "$code" = 0 ]; then # the training ended before the kill: repeats it with an earlier kill
        late=$((late + 1)) n=$((n - 1)) milliseconds=$((milliseconds * 3 / 4))
        [ "$late" -lt $((kills + 10)) ] || fail "the training ended before the kill $late times"
        rm -rf "$run"
        continue
    fi
    [ "$kind" = 0 ] || [ "$took" -lt "$slowest" ] || slowest=$took
    step=none
    [ ! -e "$run/checkpoint.h5" ] || step=$(h5dump -a /step "$run/checkpoint.h5" 2>/dev/null | sed -n 's/ *(0): //p')
    ranks $((RANDOM % 3 + 1)) 1 $train --output "$run" --resume >>log 2>&1 || fail "kill $n: the resume failed: $(tail -n 5 log)"
    cmp "$run/checkpoint.h5" whole/checkpoint.h5 || fail "kill $n: the resumed run differs"
    [ -z "$(find "$run" -name '*.tmp' -o -name lock)" ] || fail "kill $n: leftover files: $(ls "$run")"
    same=$((same + 1))
    echo "kill $n: $(printf 'rank 0 in a write,a rank,mpirun,all' | cut -d, -f $((kind + 1))), exit code $code," \
        "checkpoint of step $step, same bits"
    rm -rf "$run"
done
echo "$same of $kills with the same bits, other ranks ended after at most $slowest ms"
[ "$slowest" -lt 10000 ] || fail "the other ranks ended $slowest ms after a kill, allowed 10000"

# SIGUSR1: the state is saved, the exit code is 75.
slowest=0
for n in 1 2 3; do
    start stop$n
    wait_for "stop$n/checkpoint.h5"
    started=$(now)
    kill -USR1 "$job"
    wait "$job" && code=0 || code=$?
    took=$((($(now) - started) / 1000000))
    [ "$code" = 75 ] || fail "exit code $code after SIGUSR1: $(tail -n 5 log)"
    [ "$took" -lt "$slowest" ] || slowest=$took
done
step=$((milliseconds / 600)) # upper bound of the duration of a step, since it includes the start
echo "from SIGUSR1 to exit code 75 of mpirun: at most $slowest ms of 3, a step takes about $((milliseconds * 1000 / 600)) us"
# The limit on an idle machine is 5 seconds and a step. The factor 5 allows for other work on this machine.
[ "$slowest" -lt $((5 * (5000 + step))) ] || fail "from SIGUSR1 to exit code 75: $slowest ms"
