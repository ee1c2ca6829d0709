#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --dry-run prints what a training would do and writes nothing. Usage: dry_run.sh POPFLOW MPIEXEC
. "$(dirname "$0")/../support/scratch.sh"
cd "$scratch"
small_screen s.h5ad
# says PATTERN: fails unless the last command printed a line that matches.
says() { grep -qE -- "$1" out || fail "no '$1' in: $(cat out)"; }

for verb in train run; do
    expect_exit 0 ranks 2 1 $verb --data s.h5ad $small_model --steps 100 --precision fp32 --output planned --dry-run
    says "^data +s.h5ad: [0-9]+ pairs, 43 markers, 3 treatments$"
    says "^test +[0-9]+ pairs of 21$"
    says "^model +mfm, [0-9]+ parameters, fp32$"
    says "^steps +100 steps of 4 pairs x 150 cells: [0-9.]+ epochs$"
    says "^ranks +2 ranks x 1 thread on 1 host$"
    says "^time .* at .* steps per second, without the evaluation$"
    [ ! -e planned ] || fail "the dry run made a run folder"
done
# The training has the predicted number of parameters and, to one MiB, the predicted size of a checkpoint.
parameters=$(sed -n 's/^model .* \([0-9]*\) parameters.*/\1/p' out)
size=$(sed -n 's/^writes .* checkpoints of \([0-9]*\) MiB.*/\1/p' out)
expect_exit 0 "$popflow" train --data s.h5ad $small_model --steps 4 --precision fp32 --output made
grep -q " $parameters parameters, fp32" err || fail "the training has another number of parameters: $(cat err)"
bytes=$(stat -c %s made/checkpoint.h5)
[ $(((bytes + 524288) / 1048576)) = "$size" ] || fail "a checkpoint has $bytes bytes, planned $size MiB"

# A dry run does not change an existing run. It refuses the same configurations as a training.
before=$(sha256sum made/*)
expect_exit 0 "$popflow" train --data s.h5ad $small_model --steps 9 --output made --dry-run
[ "$(sha256sum made/*)" = "$before" ] || fail "the run folder changed"
expect_exit 2 "$popflow" train --data s.h5ad $small_model --split patient:Nowhere --output planned --dry-run
expect_exit 1 "$popflow" train --data s.h5ad $small_model --rate 1000 --clip-norm 0 --schedule constant --warmup-steps 0 \
    --output planned --dry-run
says "^fault .*"
# --dry-run=plan prints the same without memory and time, which need the cells.
"$popflow" train --data s.h5ad $small_model --steps 100 --precision fp32 --output planned --dry-run >timed
expect_exit 0 ranks 2 1 train --data s.h5ad $small_model --steps 100 --precision fp32 --output planned --dry-run=plan
says "^cells +[0-9]+ cells in [0-9]+ populations, [0-9]+ MiB for all ranks together$"
! grep -qE "^(memory|time)" out || fail "a plan has no measured lines: $(cat out)"
diff <(grep -vE "^(ranks|memory|time|writes)" timed) <(grep -v "^ranks" out) || fail "the plan differs from the timed dry run"
expect_exit 0 "$popflow" train --data s.h5ad $small_model --output planned --dry-run=options
[ ! -s out ] && [ ! -e planned ] || fail "--dry-run=options does more than to check the options"
expect_exit 2 "$popflow" train --data s.h5ad $small_model --steps 9 --output made --dry-run=plan
grep -q "contains a training. Add --resume" err || fail "$(cat err)"
expect_exit 2 "$popflow" train --data s.h5ad $small_model --steps 9 --output made --resume --dry-run=plan
grep -q "steps: found '9', was '4'" err || fail "$(cat err)"
expect_exit 0 "$popflow" train --data s.h5ad $small_model --steps 4 --precision fp32 --output made --resume --dry-run=plan
expect_exit 0 "$popflow" evaluate --run made --output scores.h5 --dry-run=plan
says "^scores +[0-9]+ pairs$"
[ ! -e scores.h5 ] && [ ! -e scores.h5.partial ] || fail "the dry run of an evaluation wrote files"
[ "$(sha256sum made/*)" = "$before" ] || fail "the run folder changed"
echo "dry runs describe the training"
