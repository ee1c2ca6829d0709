#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# An evaluation that was stopped by a signal or killed, and resumed on another number of ranks, scores only the remaining
# pairs. Its tables and predictions are those of an uninterrupted evaluation. Pairs of another evaluation are refused.
# Usage: resume_evaluation.sh POPFLOW MPIEXEC
. "$(dirname "$0")/../support/scratch.sh"

"$popflow" simulate screen --output "$scratch/s.h5ad" --patients 4 --cultures PDO,PDOF --treatments O,S,F \
    --replicates 2 --cells 250:300 --seed 3 >/dev/null 2>&1
ranks 1 2 train --data "$scratch/s.h5ad" --output "$scratch/run" --steps 4 $small_model 2>"$scratch/err" || fail "$(cat "$scratch/err")"
options="--run $scratch/run --parts train,test --sample-pairs 40 --sample-cells 20"

# same_tables A B: fails unless two result files have the same tables.
same_tables() {
    for column in pair predictor w1 w2 mmd r2 energy r2_means w1_markers mmd_scaled change_correlation recall_top n_predicted n_target status; do
        h5diff "$1" "$2" "/pairs/$column" || fail "$2: the scores differ in $column"
    done
    h5diff "$1" "$2" /cells || fail "$2: the sample of cells differs"
    h5diff "$1" "$2" /embeddings || fail "$2: the embeddings differ"
    h5diff "$1" "$2" /summary || fail "$2: the summary differs"
    [ ! -e "$2.partial" ] || fail "$2: the folder of partial results was not removed"
}

# with_signal SIGNAL OUTPUT COMMAND...: runs a command and sends the signal once some pairs are scored. Sets `code` to the
# exit code.
with_signal() {
    local signal=$1 output=$2
    shift 2
    ("$@" 2>"$scratch/err" >/dev/null) &
    local job=$!
    for _ in $(seq 6000); do
        [ "$(cat "$output".partial/* 2>/dev/null | wc -c)" -gt 20000 ] && break
        sleep 0.02
    done
    kill -"$signal" "$job"
    code=0
    wait "$job" 2>/dev/null || code=$?
}
one_rank() { OMP_NUM_THREADS=1 exec "$popflow" evaluate $options "$@"; }
two_ranks() {
    OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive exec "$mpiexec" --oversubscribe --bind-to none -n 2 "$popflow" evaluate \
        $options "$@"
}

ranks 1 2 evaluate $options --output "$scratch/whole.h5" --predictions "$scratch/whole.h5ad" >"$scratch/whole.txt" \
    2>/dev/null
ranks 3 1 evaluate $options --output "$scratch/three.h5" >"$scratch/three.txt" 2>/dev/null
cmp "$scratch/whole.txt" "$scratch/three.txt" || fail "the table differs on 3 ranks"
same_tables "$scratch/whole.h5" "$scratch/three.h5"
h5ls "$scratch/whole.h5/cells/obs/cell" | grep -q "Dataset {[1-9]" || fail "the result file has no sample of cells"

# Stopped on two ranks, killed on one, completed on three. The last partial file is truncated, as by a full disk.
parts=$scratch/parts.h5
with_signal USR1 "$parts" two_ranks --output "$parts"
[ "$code" = 75 ] || fail "exit code $code after SIGUSR1, expected 75: $(cat "$scratch/err")"
grep -q "stopped on request after [0-9]* of [0-9]* pairs. Continue with --resume" "$scratch/err" || fail "$(cat "$scratch/err")"
[ ! -e "$parts" ] || fail "a stopped evaluation wrote results"
kept=$(cat "$parts".partial/* | wc -c)
expect_exit 2 "$popflow" evaluate $options --output "$parts" --resume --tolerance 0.5
grep -q "tolerance: found '0.5', was '0.0001'" "$scratch/err" || fail "the message does not name the changed option: $(cat "$scratch/err")"
with_signal KILL "$parts" one_rank --output "$parts" --resume --metrics w1,w2,mmd,r2,energy,r2_means,w1_markers,mmd_scaled
[ "$(cat "$parts".partial/* | wc -c)" -ge "$kept" ] || fail "scored pairs were lost"
for file in "$parts".partial/*; do last=$file; done
truncate -s -9 "$last"
expect_exit 0 ranks 3 1 evaluate $options --output "$parts" --predictions "$scratch/parts.h5ad" --resume
cmp "$scratch/whole.txt" "$scratch/out" || fail "the table of the resumed evaluation differs"
same_tables "$scratch/whole.h5" "$parts"
for object in X obs layers; do
    h5diff "$scratch/whole.h5ad" "$scratch/parts.h5ad" "/$object" || fail "the predictions differ in $object"
done

# Ignores a partial file that does not belong to this evaluation, and scores all pairs again.
mkdir "$parts.partial" && echo "not a partial result" >"$parts.partial/1-0"
expect_exit 0 ranks 1 2 evaluate $options --output "$parts" --resume
same_tables "$scratch/whole.h5" "$parts"

# `run --resume` keeps scored pairs when an option that changes no score is different, and discards them otherwise.
run="run --data $scratch/s.h5ad --steps 4 $small_model --parts train,test --output $scratch/both"
any_run() { OMP_NUM_THREADS=1 exec "$popflow" $run "$@"; }
# stop_resumed OPTION...: resumes the run and stops it as soon as it has read the data. Sets `code`.
stop_resumed() {
    : >"$scratch/err"  # without the lines of an earlier run, which would end the loop below at once
    (any_run --resume "$@" 2>"$scratch/err" >/dev/null) &
    local job=$!
    for _ in $(seq 6000); do
        ! grep -q "training pairs" "$scratch/err" || break
        sleep 0.02
    done
    kill -USR1 "$job"
    code=0
    wait "$job" 2>/dev/null || code=$?
    [ "$code" = 75 ] || fail "exit code $code after SIGUSR1, expected 75: $(cat "$scratch/err")"
}
scored_bytes() { cat "$scratch"/both/results.h5.partial/* 2>/dev/null | wc -c; }
with_signal USR1 "$scratch/both/results.h5" any_run
[ "$code" = 75 ] || fail "exit code $code after SIGUSR1, expected 75: $(cat "$scratch/err")"
kept=$(scored_bytes)
stop_resumed --checkpoint-minutes 10 --keep-checkpoints 3 --on-nan skip --log-every 7
[ "$(scored_bytes)" -ge "$kept" ] || fail "--checkpoint-minutes discarded scored pairs"
stop_resumed --tolerance 0.5
[ "$(scored_bytes)" -lt "$kept" ] || fail "--tolerance kept scored pairs"
echo "resumed to the same tables"
