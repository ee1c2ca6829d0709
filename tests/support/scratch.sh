# SPDX-License-Identifier: MIT
# Sourced by the shell tests: a folder of their own in $scratch, gone at the end, and the words of a failure.
set -euo pipefail
popflow=$1
mpiexec=${2:-mpiexec}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# ranks N THREADS ARGUMENT...: popflow on N ranks, more than there are cores if need be.
ranks() {
    local n=$1 threads=$2
    shift 2
    OMP_NUM_THREADS=$threads OMP_WAIT_POLICY=passive "$mpiexec" --oversubscribe --bind-to none -n "$n" "$popflow" "$@"
}

# expect_exit CODE COMMAND...: runs it and keeps its output in $scratch/out and $scratch/err.
expect_exit() {
    local want=$1 got=0
    shift
    "$@" >"$scratch/out" 2>"$scratch/err" || got=$?
    [ "$got" = "$want" ] || fail "exit code $got, expected $want: $* ($(tail -n 3 "$scratch/err"))"
}

# wait_for FILE: until it is there, for five minutes at most; the end of ./log says why it is not.
wait_for() {
    local i
    for ((i = 0; i < 6000; i++)); do
        [ ! -e "$1" ] || return 0
        sleep 0.05
    done
    fail "$1 does not come: $(tail -n 5 log 2>/dev/null)"
}

# A simulated screen small enough for a second of training, and options of a small model.
small_screen() {
    "$popflow" simulate screen --output "$1" --patients 4 --cultures PDO,PDOF --treatments O,S,F --replicates 2 \
        --cells 60:200 --seed 3 >/dev/null 2>&1
}
small_model="--min-cells 50 --split patient:21 --hidden 64 --layers 3 --embedding 16 --encoder-hidden 16 --knn 5
    --time-frequencies 8 --space-frequencies 8 --cells 150 --batch-pairs 4"
