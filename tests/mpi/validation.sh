#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The validation of a training has the same bytes on any number of ranks and threads, and after a stop, a kill and a resume: the
# table, the best weights and the checkpoint. Usage: validation.sh POPFLOW MPIEXEC
. "$(dirname "$0")/../support/scratch.sh"

small_screen "$scratch/s.h5ad"
cd "$scratch"
options="--data s.h5ad $small_model --validation 1 --rate 0.05 --steps 200 --checkpoint-every 30 --precision fp32"

# same NAME REFERENCE: fails unless two runs have the same checkpoint, weights and checks.
same() {
    local file
    for file in checkpoint.h5 weights.h5 validation.csv; do
        cmp "$1/$file" "$2/$file" || fail "$1: $file differs from that of $2"
    done
    h5diff "$1/training.h5" "$2/training.h5" /validation || fail "$1: the table differs from that of $2"
}

ranks 1 1 train $options --output whole 2>/dev/null
[ "$(wc -l <whole/validation.csv)" = 11 ] || fail "expected ten checks: $(cat whole/validation.csv)"
for shape in 1x2 2x1 3x1; do
    ranks "${shape%x*}" "${shape#*x}" train $options --output "s$shape" 2>/dev/null
    same "s$shape" whole
done
for method in icnn "fm --base gaussian" cgfm moment-map; do
    name=${method%% *}
    for n in 1 3; do ranks $n 1 train $options --method $method --steps 40 --output "$name$n" 2>/dev/null; done
    same "$name"3 "$name"1
done

# Stops at a check, between checks, and with another number of ranks.
expect_exit 75 ranks 2 1 train $options --output parts --stop-after 40
expect_exit 75 ranks 1 2 train $options --output parts --resume --stop-after 130
expect_exit 0 ranks 3 1 train $options --output parts --resume
same parts whole

# Killed after a check that is not in the checkpoint, whatever was the best one. The earlier checkpoint is used as well.
for n in 1 2 3; do
    rm -rf killed
    (exec "$popflow" train $options --log-every 1 --output killed) 2>/dev/null &
    job=$!
    while [ ! -e killed/validation.csv ] || [ "$(wc -l <killed/validation.csv)" -le $((2 * n)) ]; do
        kill -0 "$job" 2>/dev/null || break
        sleep 0.01
    done
    kill -9 "$job" 2>/dev/null || true
    wait "$job" 2>/dev/null || true
    if [ $n = 3 ] && ls killed/checkpoint-*.h5 >/dev/null 2>&1; then echo damaged >killed/checkpoint.h5; fi
    expect_exit 0 "$popflow" train $options --output killed --resume
    same killed whole
done

# The end of the patience is the same on several ranks, and after a stop.
patient="$options --rate 0.3 --patience 1"
ranks 1 1 train $patient --output patient 2>/dev/null
ranks 3 1 train $patient --output patient3 2>/dev/null
same patient3 patient
expect_exit 75 ranks 2 1 train $patient --output patient_parts --stop-after 21
expect_exit 0 ranks 1 1 train $patient --output patient_parts --resume
same patient_parts patient
echo "the same validation on any number of ranks"
