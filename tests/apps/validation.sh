#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Validation during a training: the scores are those of NumPy and of popflow evaluate, the work is bounded, the weights have the
# same bits with and without it, --keep best takes the check with the lowest energy, --patience ends a training.
# Usage: validation.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
needs_python "h5py, numpy"
here=$(cd "$(dirname "$0")" && pwd)
cd "$scratch"
check() { "$python" "$here/check_validation.py" "$@"; }

# message PATTERN ARGUMENT...: fails unless a training with the arguments ends with one line that matches.
message() {
    local pattern=$1
    shift
    expect_exit 2 "$popflow" train --output refused "$@"
    [ "$(wc -l <"$scratch/err")" = 1 ] || fail "expected one line: $(cat "$scratch/err")"
    grep -q -- "$pattern" "$scratch/err" || fail "expected '$pattern': $(cat "$scratch/err")"
}

# All populations have 100 cells. So a sample with at least as many cells has all of them.
"$popflow" simulate screen --output s.h5ad --patients 5 --cultures PDO --treatments O,S --replicates 2 --cells 100:100 --seed 3 \
    >/dev/null 2>&1
data="--data s.h5ad --min-cells 1 --split patient:21"
small="--method fm --hidden 8 --layers 1 --time-frequencies 4 --space-frequencies 4 --cells 100 --batch-pairs 4 --precision fp32"

# A training in one pass: one check, whose mean shift and model have the energy that NumPy computes.
expect_exit 0 "$popflow" run --method mean-shift $data --validation 1 --output shift
grep -q "energy .*mean shift" err || fail "no line about the validation: $(cat err)"
expect_exit 0 "$popflow" evaluate --run shift --parts validation --max-cells all --output shift.h5
check mean_shift s.h5ad shift shift.h5 || fail "the energy of the mean shift is wrong"
[ "$(wc -l <shift/validation.csv)" = 2 ] || fail "validation.csv: $(cat shift/validation.csv)"
expect_exit 0 "$popflow" run --method moment-map $data --column cell_type= --validation 1 --output map
check equal map energy moment_map || fail "the method moment-map is not its baseline"

# The pairs of a unit stay together, another seed draws another one, and the held-out pairs are in no statistic.
check units s.h5ad shift.h5 || fail "the held-out pairs are not those of one patient"
for seed in 2 3 4 5 6; do
    expect_exit 0 "$popflow" train --method mean-shift $data --validation 1 --seed $seed --output seed$seed
    h5dump -d /normalisation_mean seed$seed/checkpoint.h5 | grep '(0)'
done | sort -u | wc -l >means
[ "$(cat means)" -gt 1 ] || fail "every seed holds out the same unit"

# A training by gradients: ten checks within a tenth of the work. The last one has the scores of popflow evaluate.
train="train $data $small --steps 2000 --validation 1 --keep last"
expect_exit 0 "$popflow" $train --output last
check table last 2000 100 4 || fail "the table is wrong"
check same_csv last || fail "validation.csv differs from the table"
expect_exit 0 "$popflow" evaluate --run last --parts validation --max-cells all --ode-solver dopri5 --tolerance 0.01 --output last.h5
check evaluated last last.h5 || fail "the last check differs from popflow evaluate"
grep -Eq "train 2000/2000 .*loss [^ ]+  energy [^ ]+" last/log.txt || fail "no energy in the line of progress: $(cat last/log.txt)"

# --keep best: the minimum of the table, and the weights that a training had after that step.
best="train $data $small --steps 200 --rate 0.3 --validation 1 --schedule constant --seed 2"
expect_exit 0 "$popflow" $best --output best
step=$(check best_step best)
[ "$step" -lt 200 ] || fail "the last check is the best one, so this test shows nothing"
grep -q "the weights of step $step are the result: .*(--keep best)" err || fail "no line about the kept weights: $(cat err)"
expect_exit 0 "$popflow" $best --steps 200 --keep last --output kept_last
h5diff best/checkpoint.h5 kept_last/checkpoint.h5 /average /average || fail "--keep best changes the training"
cmp best/validation.csv kept_last/validation.csv || fail "--keep best changes the checks"
expect_exit 75 "$popflow" $best --keep last --stop-after "$step" --output until
h5diff until/checkpoint.h5 best/checkpoint.h5 /average /best || fail "the best weights are not those of step $step"
h5diff until/checkpoint.h5 best/weights.h5 /average /average || fail "weights.h5 does not have the best weights"
mkdir only_weights
cp best/weights.h5 best/config.cfg best/training.h5 only_weights
for run in best only_weights until; do
    expect_exit 0 "$popflow" evaluate --run $run --output $run.h5
    [ $run = until ] || grep -q "weights are those of step $step of 200" err || fail "$run: no note: $(cat err)"
    expect_exit 0 "$popflow" predict --run $run --data s.h5ad --output $run.h5ad
done
h5diff best.h5ad until.h5ad /X || fail "predict does not use the best weights"
for run in only_weights until; do
    for column in w1 w2 energy; do h5diff best.h5 $run.h5 /pairs/$column || fail "$run: another $column"; done
done
check best_results best.h5 "$step" || fail "results.h5 does not have the step"
check best_results only_weights.h5 "$step" || fail "the results of weights.h5 do not have the step"
expect_exit 0 "$popflow" evaluate --run best --dry-run --output none.h5
grep -q "fm after $step steps" out || fail "the plan of an evaluation: $(cat out)"
check torch "$here/../../python" best || fail "popflow.torch does not load the best weights"

# A held-out patient may be a test patient of an evaluation, since the run was not trained on it. Others may not.
patient=$(check patient last.h5)
expect_exit 0 "$popflow" evaluate --run last --split "patient:$patient" --max-cells all --ode-solver dopri5 --tolerance 0.01 --output held_out.h5
for column in w1 w2 energy; do
    h5diff held_out.h5 last.h5 /pairs/$column || fail "other scores of the held-out patient"
done
for other in 5 11 23 27; do
    [ "$other" = "$patient" ] || expect_exit 2 "$popflow" evaluate --run last --split "patient:$other" --output trained.h5
done
grep -q "but the run was trained on it" err || fail "a trained patient as test patient: $(cat err)"

message "keep: found 'last', was 'no value'\|keep: " ${best#train } --output best --resume --keep last

# --patience: with the rate 0 no check is better than the first one. A resume does not continue.
patient="train $data $small --steps 100 --rate 0 --ema-decay 0 --validation 1 --patience 2"
expect_exit 0 "$popflow" $patient --output patient
[ "$(wc -l <patient/validation.csv)" = 4 ] || fail "--patience 2: $(cat patient/validation.csv)"
grep -q "ended after step 30 of 100: the last 2 checks did not lower the energy" err || fail "--patience: $(cat err)"
[ -s patient/weights.h5 ] || fail "--patience: no weights"
before=$(cksum <patient/checkpoint.h5)
expect_exit 0 "$popflow" $patient --output patient --resume
[ "$before" = "$(cksum <patient/checkpoint.h5)" ] || fail "a training that has ended was continued"
expect_exit 0 "$popflow" report --watch patient
expect_exit 0 "$popflow" ${patient% --patience 2} --output patient --resume
[ "$(wc -l <patient/validation.csv)" = 11 ] || fail "without --patience the training does not continue: $(cat patient/validation.csv)"

# The validation part of the split is used by default, and changes no bit of the training.
for choice in auto none; do
    expect_exit 0 "$popflow" run --data s.h5ad --min-cells 1 --split replica $small --steps 100 --validation $choice --output $choice
done
cmp auto/checkpoint.h5 none/checkpoint.h5 || fail "the validation changes the checkpoint"
cmp auto/weights.h5 none/weights.h5 || fail "the validation changes the weights"
[ -s auto/validation.csv ] || fail "auto: no validation.csv"
[ ! -e none/validation.csv ] || fail "none: a validation.csv"
check table auto 100 100 4 || fail "auto: the table is wrong"
expect_exit 0 "$popflow" report auto --output auto.html --figures figures
grep -q "Validation energy" auto.html || fail "the report has no curve of the validation"
ls figures | grep -q validation-energy || fail "no file of the figure: $(ls figures)"
expect_exit 0 "$popflow" report none --output none.html
! grep -q "Validation energy" none.html || fail "the report of a run without validation has a curve"

message "validation: found 1, but --split replica has a validation part" --data s.h5ad --min-cells 1 --split replica $small --validation 1
message "validation: found 4, but the training part has 4 units" $data $small --validation 4
message "validation: found '-1'. Give auto, none or a number" $data $small --validation=-1
message "validation: " $data $small --validation 0
message "keep: found best, which needs a validation, but --split patient:21 has no validation part" $data $small --keep best
message "keep: found best, which needs a validation. Omit --validation none" $data $small --keep best --validation none
message "patience: found 2, which needs a validation, but --split" $data $small --patience 2
message "keep: found 'worst'. Give one of" $data $small --keep worst
"$popflow" simulate supply-demand --output supply.h5ad --target-output demand.h5ad --instances 4 --supply 3 --demand 3 >/dev/null 2>&1
problems="--data supply.h5ad --target-data demand.h5ad --method meta-ot --cost sphere --position position"
message "validation: found 2, but method meta-ot does not train on pairs" $problems --validation 2
message "patience: found 2, which needs a method that trains on pairs" $problems --patience 2
echo "validation during training"
