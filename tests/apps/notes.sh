#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Notes and words on runs that a user may misread: unfinished trainings, changed data, scores of training populations, a model
# that is compared with itself, and folders without their list of folds.
# Usage: notes.sh POPFLOW MPIEXEC
. "$(dirname "$0")/../support/scratch.sh"
cd "$scratch"

# says TEXT COMMAND...: fails unless the output of the command contains the text.
says() {
    local text=$1
    shift
    "$@" >out 2>&1 || fail "$*: $(cat out)"
    grep -qF -- "$text" out || fail "$*: the output lacks '$text': $(cat out)"
}
# does_not_say TEXT COMMAND...: fails if the output of the command contains the text.
does_not_say() {
    local text=$1
    shift
    "$@" >out 2>&1 || fail "$*: $(cat out)"
    ! grep -qF -- "$text" out || fail "$*: the output has '$text'"
}

screen() { "$popflow" simulate screen --output "$1" --patients 4 --cultures PDO --treatments O,S --replicates 1 --cells 60:90 --seed "$2" 2>/dev/null >/dev/null; }
small="--split patient:21 --min-cells 20 --hidden 16 --layers 2 --embedding 8 --encoder-hidden 8 --knn 5 --cells 32 --batch-pairs 2"
screen s.h5ad 1

# A training that has not ended.
expect_exit 75 "$popflow" train --data s.h5ad $small --steps 40 --stop-after 1 --output stopped
note="note: the training has done 1 of 40 steps. popflow train --resume continues it"
says "$note" "$popflow" evaluate --run stopped --output stopped.h5
says "$note" "$popflow" predict --run stopped --data s.h5ad --output stopped.h5ad
"$popflow" train --data s.h5ad $small --steps 40 --output stopped --resume 2>/dev/null
does_not_say "of 40 steps" "$popflow" evaluate --run stopped --output ended.h5

# Data that have changed since the training, and other data that never were those of the training.
screen other.h5ad 2
does_not_say "is not as it was" "$popflow" evaluate --run stopped --data other.h5ad --output other.h5
mv other.h5ad s.h5ad
says "note: s.h5ad is not as it was at the training" "$popflow" evaluate --run stopped --output changed.h5

# A model that is one of the rows it is compared with.
says "MEAN-SHIFT is better than mean_shift in 0 of 2 pairs" "$popflow" run --data s.h5ad --method mean-shift --split patient:21 --min-cells 20 --output same

# Methods without steps have no slots.
does_not_say "some ranks have no work" ranks 3 1 train --data s.h5ad --split patient:21 --min-cells 20 --method mean-shift --batch-pairs 1 --output once

# Populations that were trained on are not called held-out.
"$popflow" simulate shapes rings --output rings.h5ad --populations 8 --test-populations 0 --cells 30 --seed 1 2>/dev/null >/dev/null
says "8 training and 8 generated populations" "$popflow" run --method bwfm --data rings.h5ad --population population --split none --min-cells 10 \
    --transform none --steps 4 --gaussian-hidden 8 --distance energy --output trained_on
grep -q "the model was trained on the compared populations" out || fail "no note on the compared populations"
! grep -q "held-out" out || fail "training populations are called held-out"
"$popflow" report trained_on --output page.html 2>/dev/null
! grep -q "held-out\|Held-out" page.html || fail "the page calls training populations held-out"
expect_exit 2 "$popflow" evaluate --run trained_on --metrics w2 --output none.h5
grep -q "metrics: is an option of scores of pairs" err || fail "$(cat err)"

# A leave-one-out without its list of folds, and a command with a folder name that a shell would split.
leave_out="run --data s.h5ad ${small/patient:21/each:patient} --steps 3 --output"
says "popflow report 'the folds' --output report.html" "$popflow" $leave_out "the folds"
rm "the folds/folds.csv" "the folds/results.h5"
expect_exit 2 "$popflow" report "the folds"
grep -q "the folds/folds.csv: is missing. Start the leave-one-out again with --resume" err || fail "$(cat err)"
"$popflow" $leave_out "the folds" --resume 2>/dev/null >/dev/null
[ -e "the folds/folds.csv" ] && [ -e "the folds/results.h5" ] || fail "the leave-one-out was not completed"
echo "all notes are as expected"
