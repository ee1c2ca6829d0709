#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The disk becomes full at any call that writes. popflow must print one line and exit with code 1, and all earlier files must
# stay complete. With free space again, the training must end with the bytes of an undisturbed one.
# The disk is full in three ways:
#   - A preloaded library fails the k-th call and all later ones, for each k.
#   - A limit on the size of files.
#   - A tmpfs that is too small (as root).
# Usage: full_disk.sh POPFLOW MPIEXEC FAILING_DISK [EVERY]     (EVERY: tests every EVERY-th call, default 8)
. "$(dirname "$0")/../support/scratch.sh"
failing_disk=$3
every=${4:-8}

small_screen "$scratch/s.h5ad"
cd "$scratch"
train="train --data s.h5ad ${small_model/--hidden 64/--hidden 16} --steps 30 --checkpoint-every 10"
OMP_NUM_THREADS=1 "$popflow" $train --output whole 2>err || fail "$(cat err)"
for step in 10 20; do expect_exit 75 "$popflow" $train --output "at$step" --stop-after $step; done

# check_damage CODE FOLDER: checks the message and the files of a training that was resumed from step 10 on a full disk and
# exited with CODE.
check_damage() {
    local code=$1 run=$2 good=
    [ "$code" = 0 ] || {
        [ "$code" = 1 ] || fail "exit code $code: $(cat err)"
        [ "$(grep -c '^popflow: ' err)" = 1 ] || fail "not one line: $(cat err)"
        grep -qE "^popflow: $run/[a-z0-9.-]+: cannot .*(No space left|Input/output error|File too large)" err || fail "$(cat err)"
    }
    for reference in at10 at20 whole; do
        ! cmp -s "$run/checkpoint.h5" "$reference/checkpoint.h5" || good=$reference
    done
    [ -n "$good" ] || fail "the checkpoint is not one of this training (exit code $code: $(cat err))"
    [ "$code" != 0 ] || [ "$good" = whole ] || fail "exit code 0 with the checkpoint $good"
    [ -z "$(find "$run" -name '*.tmp')" ] || fail "leftover files: $(find "$run" -name '*.tmp') ($(cat err))"
}
# resume FOLDER: resumes the training with enough space and compares its checkpoint with that of the undisturbed run.
resume() {
    expect_exit 0 "$popflow" $train --output "$1" --resume
    cmp "$1/checkpoint.h5" whole/checkpoint.h5 || fail "the resumed run differs"
}

# Calls of a training.
# preload FOLDER COMMAND...: runs a command with the library, which fails or counts the calls that write to FOLDER.
preload() { LD_PRELOAD=$failing_disk FAILING_DISK_FOLDER=$scratch/$1 "${@:2}"; }
# reset_run FOLDER: makes the folder a copy of the run at step 10.
reset_run() { rm -rf "$1" && cp -r at10 "$1"; }
reset_run run
FAILING_DISK_COUNT=$scratch/count preload run "$popflow" $train --output "$scratch/run" --resume 2>/dev/null
calls=$(head -n 1 count)
[ "$calls" -gt 20 ] || fail "only $calls calls were seen"
refused=0
for ((k = 1; k <= calls; k += every)); do
    reset_run run
    code=0
    FAILING_DISK_CALL=$k preload run "$popflow" $train --output "$scratch/run" --resume >out 2>err || code=$?
    sed -i "s,$scratch/,," err
    check_damage "$code" run
    [ "$code" = 0 ] || refused=$((refused + 1))
    [ $((k % 5)) != 0 ] || resume run # every fifth is enough: check_damage has compared the checkpoint with known bytes
done
[ $((refused * every)) -gt 10 ] || fail "only $refused of $calls failing calls were detected"
echo "training: full at every ${every}th of $calls calls, $refused with exit code 1, files complete each time"

# Calls of an evaluation that replaces earlier results.
evaluate="evaluate --run whole --max-cells 40"
expect_exit 0 "$popflow" $evaluate --output before.h5
mkdir scores
rm -f count
cp before.h5 scores/r.h5
FAILING_DISK_COUNT=$scratch/count preload scores "$popflow" $evaluate --output "$scratch/scores/r.h5" >/dev/null 2>&1
calls=$(head -n 1 count)
for ((k = 1; k <= calls; k += every)); do
    cp before.h5 scores/r.h5
    code=0
    FAILING_DISK_CALL=$k preload scores "$popflow" $evaluate --output "$scratch/scores/r.h5" >out 2>err || code=$?
    if [ "$code" = 0 ]; then
        h5diff before.h5 scores/r.h5 /pairs/w1 || fail "exit code 0, but the scores differ"
    else
        [ "$code" = 1 ] || fail "evaluation, call $k: exit code $code: $(cat err)"
        grep -qE "^popflow: .*(No space left|Input/output error)" err || fail "call $k of $calls: $(cat err)"
        cmp before.h5 scores/r.h5 || fail "call $k: the earlier results were changed"
    fi
done
echo "evaluation: full at every ${every}th of $calls calls, files complete each time"

# Calls of a prediction that replaces an earlier one.
predict="predict --run whole --data s.h5ad --treatment O"
expect_exit 0 "$popflow" $predict --output before.h5ad
mkdir cells
rm -f count
FAILING_DISK_COUNT=$scratch/count preload cells "$popflow" $predict --output "$scratch/cells/p.h5ad" >/dev/null 2>&1
calls=$(head -n 1 count)
refused=0
for ((k = 1; k <= calls; k += every)); do
    cp before.h5ad cells/p.h5ad
    code=0
    FAILING_DISK_CALL=$k preload cells "$popflow" $predict --output "$scratch/cells/p.h5ad" >out 2>err || code=$?
    [ "$code" != 0 ] || continue
    [ "$code" = 1 ] || fail "prediction, call $k: exit code $code: $(cat err)"
    grep -qE "^popflow: .*(No space left|Input/output error)" err || fail "call $k of $calls: $(cat err)"
    cmp before.h5ad cells/p.h5ad || fail "call $k: the earlier predictions were changed"
    refused=$((refused + 1))
done
[ $((refused * every)) -gt 10 ] || fail "only $refused of $calls failing calls of a prediction were detected"
echo "prediction: full at every ${every}th of $calls calls, $refused with exit code 1"

# A limit on the size of files.
reset_run run
code=0
(ulimit -f 40 && "$popflow" $train --output run --resume) >out 2>err || code=$?
[ "$code" = 1 ] || fail "a limit on the size of files: exit code $code ($(cat err))"
check_damage 1 run
resume run

# A tmpfs that is too small, by less each time.
mkdir disk
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=64k none disk 2>/dev/null; then
    trap 'umount "$scratch/disk" 2>/dev/null; rm -rf "$scratch"' EXIT
    used=$(du -s --block-size=4096 at10 | cut -f 1)
    full=0
    for ((size = used + 2; ; size += 4)); do
        rm -rf disk/run
        mount -o remount,size=$((size * 4096)) disk
        cp -r at10 disk/run
        code=0
        "$popflow" $train --output disk/run --resume >out 2>err || code=$?
        check_damage "$code" disk/run
        mount -o remount,size=64m disk
        resume disk/run
        [ "$code" != 0 ] || break
        full=$((full + 1))
    done
    [ "$full" -gt 2 ] || fail "the disk was full only $full times"
    echo "tmpfs: too small $full times, files complete $full of $full"
else
    echo "tmpfs: skipped, not root"
fi
