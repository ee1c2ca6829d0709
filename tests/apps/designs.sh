#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Designs of experiments: inspect, --dry-run and train say the same about what cannot be trained or scored. Splits by any column
# and by none, vehicles, options that do not fit small data, and predictions of real files.
# Usage: designs.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
here=$(cd "$(dirname "$0")" && pwd)
needs_python "anndata, h5py"
"$python" "$here/designs.py" make "$scratch"
cd "$scratch"
check() { "$python" "$here/designs.py" "check_$1" "${@:2}" || fail "check_$*"; }

network="--hidden 16 --layers 1 --embedding 4 --encoder-hidden 8 --encoder-layers 1 --knn 3 --time-frequencies 4
    --space-frequencies 4 --cells 32 --steps 4 --precision fp32 --min-cells 20"
data="--min-cells 20"

# says WORDS...: fails unless the output of the last command has each of WORDS.
says() {
    local word
    for word; do grep -qF -- "$word" out err || fail "'$word' is not in: $(cat out err)"; done
}
# refused_everywhere WORDS -- OPTIONS: inspect, a dry run, train and run refuse a design with the same words, and write nothing.
refused_everywhere() {
    local words=$1 verb
    shift 2
    expect_exit 2 "$popflow" inspect $data "$@"
    says "$words"
    grep -q "^Experiments" out || fail "inspect printed no tables"
    for verb in "train --dry-run" train run; do
        expect_exit 2 "$popflow" $verb $network "$@" --output refused
        says "$words"
    done
    [ ! -e refused/checkpoint.h5 ] || fail "a refused training wrote a checkpoint"
}

# 1. What cannot be trained or scored.
refused_everywhere "needs --treatment-vectors: no training pair has treatment B" -- --data other_drug.h5ad --split patient:P2
refused_everywhere "needs --treatment-vectors: no training pair has treatment C" -- --data drugs.h5ad --split treatment:C
refused_everywhere "needs --treatment-vectors: no training pair has treatment C" -- --data drugs.h5ad --split class:y
refused_everywhere "found one patient only" -- --data one.h5ad --split patient:P1
refused_everywhere "found 0 pairs to train on" -- --data plain.h5ad --split patient:P1,P2,P3
refused_everywhere "--split none trains on all pairs" -- --data plain.h5ad --split column:all_train
refused_everywhere "--split none trains on all pairs, --split patient:P3 holds out one of 3 patients" -- --data plain.h5ad --split replica
printf 'treatment,a,b\nA,1,0\nB,0,1\nC,1,1\n' >vectors.csv
expect_exit 0 "$popflow" inspect $data --data drugs.h5ad --split class:y --treatment-vectors vectors.csv
expect_exit 0 "$popflow" run $network --data drugs.h5ad --split class:y --treatment-vectors vectors.csv --output by_class
check pairs_column by_class/results.h5 class y
# Some test pairs can be scored: a note.
expect_exit 0 "$popflow" inspect $data --data some_drugs.h5ad --split patient:P2
says "1 of 2 test pairs cannot be scored: no training pair has treatment B"
expect_exit 0 "$popflow" train --dry-run $network --data some_drugs.h5ad --split patient:P2 --output dry
says "1 of 2 test pairs cannot be scored: no training pair has treatment B"
expect_exit 0 "$popflow" run $network --data some_drugs.h5ad --split patient:P2 --output some
says "note: 1 of 2 test pairs cannot be scored: no training pair has treatment B"
expect_exit 2 "$popflow" evaluate --run some --data other_drug.h5ad --exclude patient=P1 --split all --output new.h5
says "no pair that this run can be scored on: the run was not trained on treatment B"
expect_exit 0 "$popflow" train --dry-run $network --data drugs.h5ad --split patient:P2 --method icnn --icnn-hidden 8 --output dry
says "icnn with --condition none learns one map for all 3 treatments"

# 2. Nothing is held out.
expect_exit 0 "$popflow" run $network --data plain.h5ad --split none --output none
says "3 training pairs" "--split none holds nothing out: the scores are those of the training pairs" "train"
expect_exit 0 "$popflow" report none
says "train"
expect_exit 0 "$popflow" evaluate --run none --output again.h5
expect_exit 0 "$popflow" predict --run none --data plain.h5ad --output none.h5ad
expect_exit 0 "$popflow" run $network --data one.h5ad --split none --output one

# 3. A split by any column.
expect_exit 0 "$popflow" inspect $data --data plain.h5ad --split batch:b2
grep -q "^  batch  *train  *validation  *test" out || fail "$(cat out)"
grep -q "^  b2  *0  *0  *1" out || fail "$(cat out)"
expect_exit 0 "$popflow" run $network --data plain.h5ad --split batch:b2 --output batch --parts train,test
check pairs_column batch/results.h5 batch b1,b2
expect_exit 0 "$popflow" report batch --output batch.html
grep -q "batch by treatment" batch.html || fail "the report does not name the column of the split"
expect_exit 0 "$popflow" train --dry-run $network --data plain.h5ad --split batch:b2 --output dry
says "2 pairs of batch b1" "1 pair of batch b2"
expect_exit 2 "$popflow" inspect $data --data plain.h5ad --split half:odd
says "has several values of half: even, odd. Add half to --pair-by"
expect_exit 0 "$popflow" inspect $data --data plain.h5ad --split half:odd --pair-by patient,half
expect_exit 2 "$popflow" inspect $data --data plain.h5ad --split bach:b2
says "obs/bach: is missing (did you mean 'batch'?)"

# 4. Several controls in an experiment.
expect_exit 0 "$popflow" inspect $data --data vehicles.h5ad
says "2 experiments have several controls (DMSO, H2O)" "DMSO in 1 experiment, H2O in 1 experiment" "--vehicles pool"
for option in "--control A=DMSO,B=H2O" "--column vehicle=solvent"; do
    expect_exit 0 "$popflow" inspect $data --data vehicles.h5ad $option
    says "A treatment is paired with its own vehicle"
    grep -q "DMSO (control) .* 2$" out || fail "$(cat out)"
    expect_exit 0 "$popflow" train $network --data vehicles.h5ad --split patient:P2 $option --output "vehicles${option##*=}"
    says "note: 2 experiments have several controls"
done
# A treatment is predicted from its own vehicle, also in a file of controls without the column of vehicles.
for run in vehiclesH2O vehiclessolvent; do
    for file in vehicles vehicle_controls; do
        expect_exit 0 "$popflow" predict --run $run --data $file.h5ad --output $run.$file.h5ad
        says "A treatment is predicted from its own vehicle. --from-controls all"
        check own_vehicles $run.$file.h5ad
    done
    expect_exit 0 "$popflow" predict --run $run --data vehicles.h5ad --from-controls all --output $run.all.h5ad
    check every_control $run.all.h5ad
done
expect_exit 0 "$popflow" train $network --data vehicles.h5ad --split patient:P2 --output largest
expect_exit 0 "$popflow" predict --run largest --data vehicles.h5ad --output largest.h5ad
says "Each treatment is predicted from each of them. --control TREATMENT=VEHICLE names the vehicle"
check every_control largest.h5ad
expect_exit 0 "$popflow" run $network --data vehicles.h5ad --split patient:P2 --vehicles pool --output pooled
says "the controls DMSO, H2O are pooled in 2 experiments"
expect_exit 0 "$popflow" predict --run pooled --data vehicles.h5ad --output pooled.h5ad
check pooled pooled.h5ad vehicles.h5ad

# 5. inspect describes a file of which nothing is kept. The values that it proposes keep what it says.
expect_exit 0 "$popflow" inspect plates.h5ad
says "none of 6 experiments" "plate differs between controls and treated cells" \
    "Use --pair-by patient --min-cells 50, which keeps 3 pairs"
grep -q "^Experiments   6 found, 0 kept" out || fail "$(cat out)"
expect_exit 0 "$popflow" inspect plates.h5ad --pair-by patient --min-cells 50
grep -q "^Pairs         3" out || fail "$(cat out)"
expect_exit 0 "$popflow" inspect plates.h5ad --json
grep -q '"nothing_kept": "none of 6 experiments' out || fail "$(cat out)"
expect_exit 2 "$popflow" inspect plates.h5ad --split patient:P1
expect_exit 2 "$popflow" inspect plates.h5ad --control nosuch
says "found no control among DMSO, S"
grep -q "^Experiments" out || fail "inspect printed no tables"

# 6. Options that do not fit small data are adapted with a note.
expect_exit 0 "$popflow" train $network --data plain.h5ad --split patient:P3 --knn 100 --cells 1024 --batch-pairs 9 --output small
says "--knn 100 is more than the smallest slot of 60 cells has neighbours: 59 is used" \
    "--batch-pairs 9 is more than the 2 training pairs: 2 is used"
grep -q "^knn = 59" small/config.cfg || fail "$(cat small/config.cfg)"
expect_exit 0 "$popflow" train $network --data plain.h5ad --split patient:P3 --knn 59 --cells 1024 --batch-pairs 2 --output fitting
cmp small/weights.h5 fitting/weights.h5 || fail "an adapted option gives other weights than the same value"
expect_exit 0 "$popflow" train $network --data plain.h5ad --split patient:P3 --knn 100 --cells 1024 --batch-pairs 9 --output small --resume
expect_exit 0 "$popflow" train --dry-run $network --data plain.h5ad --split patient:P3 --cells 1024 --output dry
says "--cells 1024 is more than the 60 cells of the largest training population"

# 7. Predictions. A type that no training control has gets zeros, in the evaluation as well.
expect_exit 0 "$popflow" run $network --data types.h5ad --split patient:P3 --output types
says "no training control has cells of type igm+. The encoder gets zeros"
expect_exit 0 "$popflow" predict --run types --data types.h5ad --output types.h5ad.out --treatment S
says "types that the run was not trained on" "cd14-, igm+"
mv types.h5ad.out predicted_types.h5ad
if "$python" -c "import torch" 2>/dev/null; then check zeros types predicted_types.h5ad types.h5ad; fi
check concentration predicted_types.h5ad 2.5
expect_exit 0 "$popflow" predict --run types --data without_types.h5ad --output without.h5ad
says "controls have cells without a cell type"
expect_exit 0 "$popflow" predict --run types --data types.h5ad --column cell_type= --output off.h5ad
says "controls have cells without a cell type"
expect_exit 0 "$popflow" train $network --data types.h5ad --split patient:P3 --column cell_type= --output off
! grep -q "igm+" err || fail "the role is not switched off: $(cat err)"
expect_exit 0 "$popflow" predict --run types --data controls.h5ad --treatment S --output from_controls.h5ad
says "the file has no column of treatments, so that all 320 cells count as controls"
check concentration from_controls.h5ad 2.5
expect_exit 2 "$popflow" predict --run types --data controls.h5ad --output new.h5ad
says "obs/treatment: is missing" "or predict a file of controls with --treatment"

expect_exit 0 "$popflow" predict --run none --data awkward.h5ad --output left_out.h5ad
says "left out of the predictions: obs/IC50/uM: found a name with" "left out of the predictions: obs/odd" \
    "left out of the predictions: var/odd"
check left_out left_out.h5ad "IC50/uM,IC50,odd"

expect_exit 0 "$popflow" train $network --data plain.h5ad --split patient:P3 --rate 0.05 --steps 30 --output far
expect_exit 0 "$popflow" predict --run far --data plain.h5ad --output far.h5ad
says "have a marker outside the range of the training cells" "predict --clip limits them to it"
check range far.h5ad plain.h5ad P1,P2 no
expect_exit 0 "$popflow" predict --run far --data plain.h5ad --output clipped.h5ad --clip
says "They are clipped to it"
check range clipped.h5ad plain.h5ad P1,P2 yes
ranks 2 1 predict --run far --data plain.h5ad --output two.h5ad >out 2>err || fail "$(cat err)"
check range two.h5ad plain.h5ad P1,P2 no

[ -z "$(find . -name '*.tmp' -o -name 'new.h5*')" ] || fail "leftover files: $(ls)"
echo "all verbs train or refuse the same designs"
