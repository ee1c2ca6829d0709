# SPDX-License-Identifier: MIT
# Sourced by the shell tests. Creates a temporary folder, $scratch, which is removed at the end, and defines helpers.
set -euo pipefail
popflow=$1
mpiexec=${2:-mpiexec}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# fail MESSAGE...: prints the message and ends the test.
fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# needs_python MODULES: skips the test if $python lacks one of the modules, which are separated by commas.
needs_python() {
    "$python" -c "import $1" 2>/dev/null && return
    echo "skipped: $python has no $1"
    exit 77
}

# replace_options ARGUMENT...: sets the array `arguments` to the arguments without options that a later one repeats. A test can
# so replace an option of the common ones. popflow itself refuses an option that is given twice.
replace_options() {
    local name keep=() skip=0 i j
    local all=("$@")
    arguments=()
    for ((i = 0; i < $#; i++)); do
        keep[i]=1
        [[ ${all[i]} =~ ^--([a-z0-9-]+)(=.*)?$ ]] || continue
        name=${BASH_REMATCH[1]}
        [[ " exclude column markers exclude-markers control pair-by treatment times sample obs " != *" $name "* ]] || continue
        for ((j = i + 1; j < $#; j++)); do
            if [[ ${all[j]} == --$name || ${all[j]} == --$name=* ]]; then keep[i]=0; fi
        done
    done
    for ((i = 0; i < $#; i++)); do
        if [ "${keep[i]}" = 0 ]; then
            [[ ${all[i]} == *=* || ${all[i + 1]} == --* ]] || skip=1
        elif [ $skip = 1 ]; then
            skip=0
        else
            arguments+=("${all[i]}")
        fi
    done
}

# ranks N THREADS ARGUMENT...: runs popflow on N ranks with THREADS threads each. N may exceed the number of cores.
ranks() {
    local n=$1 threads=$2
    shift 2
    replace_options "$@"
    OMP_NUM_THREADS=$threads OMP_WAIT_POLICY=passive "$mpiexec" --oversubscribe --bind-to none -n "$n" "$popflow" \
        "${arguments[@]}"
}

# expect_exit CODE COMMAND...: fails unless the command exits with CODE. Keeps its output in $scratch/out and $scratch/err.
expect_exit() {
    local want=$1 got=0
    shift
    arguments=("$@")
    [ "$1" != "$popflow" ] || replace_options "$@"
    "${arguments[@]}" >"$scratch/out" 2>"$scratch/err" || got=$?
    [ "$got" = "$want" ] || fail "exit code $got, expected $want: $* ($(tail -n 3 "$scratch/err"))"
}

# refused TEXT ARGUMENT...: popflow refuses the arguments with exit code 2 and one line that has the text.
refused() {
    expect_exit 2 "$popflow" "${@:2}"
    [ "$(wc -l <"$scratch/err")" = 1 ] && grep -qF -- "$1" "$scratch/err" || fail "expected '$1', found $(cat "$scratch/err")"
}

# wait_for FILE: waits until the file exists, at most five minutes. Then fails with the last lines of ./log.
wait_for() {
    local i
    for ((i = 0; i < 6000; i++)); do
        [ ! -e "$1" ] || return 0
        sleep 0.05
    done
    fail "timeout waiting for $1: $(tail -n 5 log 2>/dev/null)"
}

# small_screen FILE: writes a simulated screen that trains in a second with the options $small_model.
small_screen() {
    "$popflow" simulate screen --output "$1" --patients 4 --cultures PDO,PDOF --treatments O,S,F --replicates 2 \
        --cells 60:200 --seed 3 >/dev/null 2>&1
}
small_model="--min-cells 50 --split patient:21 --hidden 64 --layers 3 --embedding 16 --encoder-hidden 16 --knn 5
    --time-frequencies 8 --space-frequencies 8 --cells 150 --batch-pairs 4"
