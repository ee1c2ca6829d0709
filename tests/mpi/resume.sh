#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A run that was stopped and resumed on another number of ranks ends with the bytes of an uninterrupted run. A changed
# configuration or data file is refused. Usage: resume.sh POPFLOW MPIEXEC
. "$(dirname "$0")/../support/scratch.sh"

small_screen "$scratch/s.h5ad"
options="--data $scratch/s.h5ad --steps 40 $small_model"
ranks 1 1 train $options --output "$scratch/whole" 2>/dev/null
expect_exit 75 ranks 2 1 train $options --output "$scratch/parts" --stop-after 13
expect_exit 75 ranks 1 2 train $options --output "$scratch/parts" --resume --stop-after 29
expect_exit 0 ranks 3 1 train $options --output "$scratch/parts" --resume
cmp "$scratch/whole/checkpoint.h5" "$scratch/parts/checkpoint.h5" || fail "the resumed run differs"

# The same with alternating updates, stopped in the middle of a round. Cached embeddings are restored.
# The last methods draw whole populations.
clouds="--populations-per-slot 3 --cells 40 --attention-width 16 --attention-blocks 2 --attention-heads 2"
for method in icnn "mfm --recipe paper --batch-pairs 4" "bwfm --populations-per-slot 9 --gaussian-hidden 16" "wfm $clouds" \
    "meta-icnn --maps-per-slot 2 --cells 40 --map-hidden 16 --map-units 8"; do
    name=method_${method%% *}
    options="--data $scratch/s.h5ad $small_model --steps 26 --method $method"
    ranks 1 1 train $options --output "$scratch/$name" 2>/dev/null
    expect_exit 75 ranks 2 1 train $options --output "$scratch/parts_$name" --stop-after 9
    expect_exit 0 ranks 3 1 train $options --output "$scratch/parts_$name" --resume
    cmp "$scratch/$name/checkpoint.h5" "$scratch/parts_$name/checkpoint.h5" || fail "$method: the resumed run differs"
done
options="--data $scratch/s.h5ad --steps 40 $small_model"

# SIGUSR1 has the same effect as --stop-after.
(exec "$mpiexec" -n 1 "$popflow" train ${options/--steps 40/--steps 100000} --schedule constant --output "$scratch/signal") \
    2>/dev/null &
job=$!
for _ in $(seq 100); do
    [ -e "$scratch/signal/config.cfg" ] && break
    sleep 0.1
done
sleep 1
kill -USR1 "$job"
code=0
wait "$job" || code=$?
[ "$code" = 75 ] || fail "exit code $code after SIGUSR1, expected 75"
[ -s "$scratch/signal/checkpoint.h5" ] || fail "no checkpoint after SIGUSR1"

expect_exit 2 "$popflow" train $options --output "$scratch/parts" --resume --rate 0.5
grep -q "rate: found '0.5', was '0.001'" "$scratch/err" || fail "the message does not name the changed option: $(cat "$scratch/err")"
"$popflow" simulate screen --output "$scratch/s.h5ad" --patients 4 --cultures PDO,PDOF --treatments O,S,F \
    --replicates 2 --cells 60:200 --seed 4 >/dev/null 2>&1
expect_exit 2 "$popflow" train $options --output "$scratch/parts" --resume
grep -q "not the file that this run was trained on" "$scratch/err" || fail "changed data: $(cat "$scratch/err")"
echo "resumed to the same bits"
