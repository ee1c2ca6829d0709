#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A training on two ranks is killed (SIGKILL) and resumed: each time the final checkpoint has the bytes of a training that
# was never disturbed. By turns a random rank, mpirun, or all of it is killed at a random moment, or rank 0 within the
# calls that write a checkpoint. Also the time until the other ranks are gone, and from SIGUSR1 to exit code 75.
# Usage: kills.sh POPFLOW MPIEXEC FAILING_DISK [KILLS [SEED]]     (KILLS: 4)
. "$(dirname "$0")/../support/scratch.sh"
failing_disk=$3
kills=${4:-4}
RANDOM=${5:-1}

small_screen "$scratch/s.h5ad"
cd "$scratch"
train="train --data s.h5ad $small_model --steps 600 --checkpoint-every 20 --keep-checkpoints 3"
now() { date +%s%N; }
begun=$(now)
OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive "$mpiexec" --oversubscribe --bind-to none -n 2 -x "LD_PRELOAD=$failing_disk" \
    -x "FAILING_DISK_FOLDER=$scratch/whole" -x "FAILING_DISK_COUNT=$scratch/count" \
    "$popflow" $train --output "$scratch/whole" 2>log || fail "$(tail -n 5 log)"
milliseconds=$((($(now) - begun) / 1000000)) # of a whole training: kills come within it on any machine
calls=$(sort -n count | tail -n 1)           # of rank 0 that change its files
# process_of RANK FOLDER: the popflow process of a rank of the training into a folder.
process_of() {
    local pid
    for pid in $(pgrep -f -- "^$popflow train .*--output $2( |$)"); do
        [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != popflow-guard ] || continue # which tries files for a rank
        ! tr '\0' '\n' 2>/dev/null <"/proc/$pid/environ" | grep -qx "OMPI_COMM_WORLD_RANK=$1" || echo "$pid"
    done
}
start() { # FOLDER OPTION...: in the background; its mpirun is $job
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
        begun=$(now)
    else
        start "$run"
        wait_for "$run/config.cfg"
        after=$((milliseconds * (RANDOM % 70) / 100))
        sleep "$((after / 1000)).$(printf %03d $((after % 1000)))"
        begun=$(now)
        case $kind in
            1) victims=$(process_of $((RANDOM % 2)) "$run") ;;
            2) victims=$job ;;
            3) victims="$job $(process_of 0 "$run") $(process_of 1 "$run")" ;;
        esac
        # shellcheck disable=SC2086
        kill -KILL $victims 2>/dev/null || :
    fi
    wait "$job" 2>/dev/null && code=0 || code=$?
    for ((looks = 0; looks < 1200; looks++)); do
        [ -n "$(process_of 0 "$run")$(process_of 1 "$run")" ] || break
        sleep 0.05
    done
    [ "$looks" -lt 1200 ] || fail "ranks outlive the kill $n"
    took=$((($(now) - begun) / 1000000))
    if [ "$code" = 0 ]; then # the training was over: it is faster than the first one, so sooner next time
        late=$((late + 1)) n=$((n - 1)) milliseconds=$((milliseconds * 3 / 4))
        [ "$late" -lt $((kills + 10)) ] || fail "the kills come too late $late times"
        rm -rf "$run"
        continue
    fi
    [ "$kind" = 0 ] || [ "$took" -lt "$slowest" ] || slowest=$took
    had=none
    [ ! -e "$run/checkpoint.h5" ] || had=$(h5dump -a /step "$run/checkpoint.h5" 2>/dev/null | sed -n 's/ *(0): //p')
    ranks $((RANDOM % 3 + 1)) 1 $train --output "$run" --resume >>log 2>&1 || fail "kill $n: no resume: $(tail -n 5 log)"
    cmp "$run/checkpoint.h5" whole/checkpoint.h5 || fail "kill $n: the resumed run differs"
    [ -z "$(find "$run" -name '*.tmp' -o -name lock)" ] || fail "kill $n: left behind: $(ls "$run")"
    same=$((same + 1))
    echo "kill $n: $(printf 'rank 0 in a write,a rank,mpirun,all' | cut -d, -f $((kind + 1))), exit code $code," \
        "checkpoint of step $had, same bits"
    rm -rf "$run"
done
echo "$same of $kills the same bits; other ranks gone after at most $slowest ms"
[ "$slowest" -lt 10000 ] || fail "ranks outlived a dead one by $slowest ms"

# Asked to stop: state saved, exit code 75.
slowest=0
for n in 1 2 3; do
    start stop$n
    wait_for "stop$n/checkpoint.h5"
    begun=$(now)
    kill -USR1 "$job"
    wait "$job" && code=0 || code=$?
    took=$((($(now) - begun) / 1000000))
    [ "$code" = 75 ] || fail "exit code $code after SIGUSR1: $(tail -n 5 log)"
    [ "$took" -lt "$slowest" ] || slowest=$took
done
step=$((milliseconds / 600)) # and the start, which makes it larger
echo "from SIGUSR1 to the end of mpirun with 75: at most $slowest ms of 3, a step takes about $((milliseconds * 1000 / 600)) us"
# 5 seconds and a step on a machine of one's own; other work on this one is no fault.
[ "$slowest" -lt $((5 * (5000 + step))) ] || fail "from SIGUSR1 to exit code 75: $slowest ms"
