#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Failures around a training. Each must end with one line of popflow and the right exit code, and must leave the last
# checkpoint intact.
# Usage: failures.sh POPFLOW MPIEXEC FAILING_DISK
. "$(dirname "$0")/../support/scratch.sh"
failing_disk=$3

small_screen "$scratch/s.h5ad"
cd "$scratch"
chmod 755 .
train="train --data s.h5ad $small_model --steps 30 --checkpoint-every 10"
long="train --data s.h5ad $small_model --steps 100000 --schedule constant --checkpoint-every 50"
# expect_error CODE WORD... -- COMMAND...: fails unless the command ends with that exit code and prints one line of popflow
# that contains the words.
expect_error() {
    local code=$1 words=() word
    shift
    while [ "$1" != -- ]; do words+=("$1") && shift; done
    shift
    expect_exit "$code" "$@"
    [ "$(grep -c '^popflow: ' err)" = 1 ] || fail "expected one line of popflow: $(cat err)"
    for word in "${words[@]}"; do
        grep '^popflow: ' err | grep -qF -- "$word" || fail "the message does not contain '$word': $(cat err)"
    done
}
OMP_NUM_THREADS=1 expect_exit 0 "$popflow" $train --output whole

# A folder in place of a file, and missing permissions.
for name in checkpoint.h5 checkpoint.h5.tmp training.h5 config.cfg lock; do
    mkdir -p "dir-$name/$name"
    code=0
    "$popflow" $train --output "dir-$name" >out 2>err || code=$?
    [ "$code" = 2 ] || [ "$code" = 1 ] || fail "$name is a folder: exit code $code"
    [ "$(grep -c '^popflow: dir-.*' err)" = 1 ] || fail "$name is a folder: $(cat err)"
done
user=()
[ "$(id -u)" != 0 ] || user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
if "${user[@]}" "$popflow" --version >/dev/null 2>&1; then
    mkdir -m 555 closed
    expect_error 2 "output: cannot write to the folder 'closed'" -- "${user[@]}" "$popflow" $train --output closed
    expect_error 2 "output: cannot create the folder 'closed/new'" -- "${user[@]}" "$popflow" $train --output closed/new
    cp s.h5ad secret.h5ad
    chmod 000 secret.h5ad
    mkdir -m 777 open
    expect_error 2 "secret.h5ad: cannot open: Permission denied" -- \
        "${user[@]}" "$popflow" ${train/s.h5ad/secret.h5ad} --output open/run
fi

# Ctrl-C on a training without mpirun saves a checkpoint and reports it. The training resumes from that checkpoint.
env --default-signal=INT "$popflow" $long --output interrupted >/dev/null 2>err &
job=$!
wait_for interrupted/checkpoint.h5
[ -z "$(pgrep -P "$job" -x orted)" ] || fail "a singleton launch started a daemon of Open MPI"
kill -INT "$job"
code=0
wait "$job" || code=$?
[ "$code" = 75 ] || fail "Ctrl-C: exit code $code: $(tail -n 2 err)"
grep -q "stopped on request after step" err || fail "Ctrl-C: $(tail -n 2 err)"
step=$(grep -o "after step [0-9]*" err | grep -o "[0-9]*$")
expect_exit 75 "$popflow" $long --output interrupted --resume --stop-after $((step + 1))
grep -q "stopped on request after step $((step + 1))" err || fail "after Ctrl-C: $(tail -n 2 err)"

# A singleton launch does not use the folder for temporary files. Otherwise processes of one user remove the files of each
# other.
TMPDIR=/proc/none expect_exit 0 "$popflow" inspect s.h5ad --min-cells 30

# Two trainings with the same run folder: the second is refused. A killed training does not block the next one. Also on a
# file system without locks.
for locks in supported none; do
    shim=()
    [ "$locks" = supported ] ||
        shim=(env "LD_PRELOAD=$failing_disk" "FAILING_DISK_FOLDER=$scratch/two" FAILING_DISK_NO_LOCKS=1)
    rm -rf two
    "${shim[@]}" "$popflow" $long --output "$scratch/two" 2>/dev/null &
    first=$!
    wait_for two/checkpoint.h5
    expect_error 2 "in use by process $first on $(hostname)" -- "${shim[@]}" "$popflow" $long --output "$scratch/two" --resume
    kill -KILL "$first"
    wait "$first" 2>/dev/null || :
    [ -e two/lock ] || fail "the killed training left no lock file"
    step=$(h5dump -a /step two/checkpoint.h5 | sed -n 's/ *(0): //p')
    expect_exit 75 "${shim[@]}" "$popflow" $long --output "$scratch/two" --resume --stop-after $((step + 60))
    [ ! -e two/lock ] || fail "the lock file was not removed"
done
# Without locks, a process on another host is assumed to run, unless it is an earlier start of the same Slurm job.
printf 'host = elsewhere\nprocess = 12\nstarted = 1\njob = 77\n' >two/lock
expect_error 2 "process 12 on elsewhere (Slurm job 77)" "remove $scratch/two/lock" -- env \
    "LD_PRELOAD=$failing_disk" "FAILING_DISK_FOLDER=$scratch/two" FAILING_DISK_NO_LOCKS=1 \
    "$popflow" $train --output "$scratch/two"
rm -f two/checkpoint*.h5
SLURM_JOB_ID=77 expect_exit 0 env "LD_PRELOAD=$failing_disk" "FAILING_DISK_FOLDER=$scratch/two" FAILING_DISK_NO_LOCKS=1 \
    "$popflow" $train --output "$scratch/two"

# A non-finite loss: all ranks stop, and the last valid checkpoint stays.
nan="train --data s.h5ad $small_model --schedule constant --warmup-steps 0 --clip-norm 0 --precision fp32"
expect_exit 75 "$popflow" $nan --steps 1000 --rate 1e-3 --output nan --stop-after 5
sed -i 's/^rate = .*/rate = 1000/' nan/config.cfg
cp nan/checkpoint.h5 good.h5
expect_error 1 "the loss is not finite at step" "There is no checkpoint yet" "--on-nan" -- \
    ranks 2 1 $nan --steps 1000 --rate 1000 --output nan2
[ ! -e nan2/checkpoint.h5 ] || fail "a checkpoint with non-finite weights was written"
expect_error 1 "the loss is not finite at step" -- ranks 2 1 $nan --steps 1000 --rate 1000 --output nan3 --checkpoint-every 1
! [ -e nan3/checkpoint.h5 ] || expect_exit 0 "$popflow" evaluate --run nan3 --max-cells 20 --output nan3.h5
expect_error 1 "the loss is not finite" -- ranks 2 1 $nan --steps 1000 --rate 1000 --output nan4 --on-nan skip
grep -q "note: skipped step" err || fail "no note about skipped steps: $(cat err)"

# Ranks that differ in their options, program, data file or run folder.
# run_on_two_ranks OPTION... -- COMMAND...: starts popflow with the options as rank 0, and the command as rank 1.
run_on_two_ranks() {
    local first=()
    while [ "$1" != -- ]; do first+=("$1") && shift; done
    shift
    OMP_NUM_THREADS=1 "$mpiexec" --oversubscribe --bind-to none -n 1 "$popflow" "${first[@]}" : -n 1 "$@"
}
expect_error 1 "configuration: rank 1 on $(hostname) has \`rate = 0.5\`, rank 0 on $(hostname) has \`rate = 0.001\`" -- \
    run_on_two_ranks $train --output other -- "$popflow" $train --output other --rate 0.5
commit=$("$popflow" --version | sed -n 's/^popflow [^(]*(\([^)]*\)).*/\1/p')
sed "s/$commit/$(tr 'a-z0-9' 'b-za1-90' <<<"$commit")/g" "$popflow" >other_popflow
chmod +x other_popflow
if ./other_popflow --version | grep -q popflow && ! ./other_popflow --version | grep -qF "$commit"; then
    expect_error 1 "the ranks do not have the same program: rank 1" "($commit)" -- \
        run_on_two_ranks $train --output other -- ./other_popflow $train --output other
else
    fail "could not create a program with another commit"
fi
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
    "$popflow" simulate screen --output other.h5ad --patients 4 --cultures PDO,PDOF --treatments O,S,F --replicates 2 \
        --cells 60:200 --seed 4 >/dev/null 2>&1
    expect_error 1 "the ranks do not have the same data file s.h5ad: rank 1" -- run_on_two_ranks $train --output other -- \
        unshare -m sh -c 'mount --bind other.h5ad s.h5ad && exec "$@"' sh "$popflow" $train --output other
    mkdir empty
    expect_error 1 "checkpoint in whole: rank 1" "has \`none\`" "has \`step 30" -- \
        run_on_two_ranks $train --output whole --resume -- \
        unshare -m sh -c 'mount --bind empty whole && exec "$@"' sh "$popflow" $train --output whole --resume
    expect_error 2 "rank 1 on $(hostname): s.h5ad: cannot open" -- run_on_two_ranks $train --output other -- \
        unshare -m sh -c 'mount --bind empty . && cd . && exec "$@"' sh "$popflow" $train --output other || :
fi

# A change of the data during a training is reported, and a resume is refused afterwards.
"$popflow" $long --output changed 2>changed.log &
first=$!
wait_for changed/checkpoint.h5
touch s.h5ad
for ((i = 0; i < 200; i++)); do
    ! grep -q "s.h5ad was changed" changed.log || break
    sleep 0.05
done
kill -USR1 "$first"
wait "$first" && code=0 || code=$?
[ "$code" = 75 ] || fail "exit code $code: $(cat changed.log)"
[ "$(grep -c "note: s.h5ad was changed" changed.log)" = 1 ] || fail "changed data: $(cat changed.log)"

# A clock that jumps by a year at each call.
OMP_NUM_THREADS=1 LD_PRELOAD=$failing_disk FAILING_DISK_CLOCK=1 "$popflow" $train --output clock --checkpoint-minutes 1 2>err ||
    fail "a clock that jumps: $(cat err)"
h5diff whole/checkpoint.h5 clock/checkpoint.h5 /weights || fail "a clock that jumps changes the training"

# Too little memory: no signal, and no damaged checkpoint. The limits are fractions of the memory that a training needs on
# this CPU: oneDNN takes 60 to 600 MB for its kernels, depending on the instruction set. AddressSanitizer reserves terabytes.
if grep -q __asan_init "$popflow"; then
    echo "each failure printed one line and left the checkpoint intact; out of memory: skipped with AddressSanitizer"
    exit
fi
# train_within MB: trains with a data segment of at most MB megabytes. Sets `code`. Fails the test for a signal or a damaged
# checkpoint.
reported=0
train_within() {
    rm -rf memory
    code=0
    (ulimit -d $(($1 * 1024)) && OMP_NUM_THREADS=1 exec "$popflow" $train --output memory) >out 2>err || code=$?
    case $code in
        0) ;;
        1) ! grep -q '^popflow: out of memory' err || reported=$((reported + 1)) ;;
        12[89] | 1[3-9]? | 2??) fail "with $1 MB of data: killed by a signal, $code: $(tail -n 1 err)" ;;
        *) echo "with $1 MB of data: exit code $code, $(tail -n 1 err)" ;;
    esac
    [ ! -e memory/checkpoint.h5 ] || expect_exit 0 "$popflow" evaluate --run memory --max-cells 20 --output memory.h5
}
# Memory of a process that starts MPI and reads the data, but trains nothing. Open MPI itself crashes with less.
start=16
until (ulimit -d $((start * 1024)) && OMP_NUM_THREADS=1 exec "$popflow" inspect s.h5ad --min-cells 30) >out 2>err; do
    start=$((start + 4))
    [ $start -le 1024 ] || fail "1 GB of data are not enough to inspect: $(cat err)"
done
start=$((start + 8)) # a margin: close to its own requirement Open MPI ends with exit code 2 or a signal
code=1
enough=$start
while [ "$code" != 0 ]; do
    enough=$((enough + start))
    [ $enough -le 8192 ] || fail "8 GB of data are not enough: $(cat err)"
    train_within $enough
done
# Limits between the two: the training fails at various points.
for ((part = 1; part < 16; part++)); do train_within $((start + (enough - start) * part / 16)); done
[ $reported -gt 0 ] || fail "no run reported that it was out of memory"
echo "out of memory: reported $reported times between $start and $enough MB"
echo "each failure printed one line and left the checkpoint intact"
