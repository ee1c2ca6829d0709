#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Predictions on the shipped sample: checks with Python the files that evaluate and predict write, that both agree, and that
# they do not depend on the number of ranks.
# Usage: predictions.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
here=$(cd "$(dirname "$0")" && pwd)
needs_python "anndata, h5py, scipy"
sample=$here/../../data/egf_sample.h5ad
cd "$scratch"
# check NAME ARGUMENT...: schedules a check of check_predictions.py. One interpreter runs all checks at the end.
check() {
    echo "$*" >>checks.txt
}

model="--pair-by patient,culture,plate --hidden 16 --layers 2 --embedding 8 --encoder-hidden 8 --knn 5 --cells 32
    --time-frequencies 4 --space-frequencies 4 --batch-pairs 2 --steps 15 --rate 0.01 --max-cells 200
    --min-cells 100"

# Writes small parts of the sample, and a file with controls only that has another order and encoding.
"$python" "$here/check_predictions.py" make "$sample" "$scratch"

# run writes scores and predictions. The scores are those of the written cells.
expect_exit 0 "$popflow" run --data screen.h5ad $model --split patient:MAPK1 --metrics w1_markers --output run \
    --predictions pairs.h5ad --space normalised
check scores pairs.h5ad run/results.h5 run/checkpoint.h5 screen.h5ad
! grep -q predictions run/config.cfg || fail "the run would write the predictions again"

# The same cells in each space.
for space in raw arcsinh transformed normalised; do
    expect_exit 0 "$popflow" evaluate --run run --output r.h5 --predictions "$space.h5ad" --space $space
done
check same_files pairs.h5ad normalised.h5ad
check spaces raw.h5ad arcsinh.h5ad transformed.h5ad normalised.h5ad run/checkpoint.h5

# predict on controls only gives the same cells as evaluate, from a file with another order and encoding.
expect_exit 0 "$popflow" predict --run run --data controls.h5ad --output all.h5ad --space normalised
check same_cells pairs.h5ad all.h5ad
check obs_kept controls.h5ad all.h5ad
expect_exit 0 "$popflow" predict --run run --data controls.h5ad --output one.h5ad --treatment EGF_5min
check obs_kept controls.h5ad one.h5ad --names-kept

# Cells at intermediate times.
expect_exit 0 "$popflow" predict --run run --data controls.h5ad --output way.h5ad --times 0,0.25,0.5,1 \
    --treatment EGF_15min,EGF_5min --treatment EGF_60min --space normalised
check intermediate way.h5ad all.h5ad controls.h5ad run/checkpoint.h5

# The noise of a Gaussian base. Populations larger than --max-cells.
expect_exit 0 "$popflow" run --data screen.h5ad $model --split patient:MAPK1 --base gaussian --metrics r2_means \
    --output noise --predictions noise_pairs.h5ad --space normalised
expect_exit 0 "$popflow" predict --run noise --data controls.h5ad --output noise_all.h5ad --space normalised
check same_cells noise_pairs.h5ad noise_all.h5ad
expect_exit 0 "$popflow" evaluate --run run --output r.h5 --predictions few.h5ad --max-cells 90
expect_exit 0 "$popflow" predict --run run --data controls.h5ad --output drawn.h5ad --max-cells 90
check sizes few.h5ad 90
check sizes drawn.h5ad 200

# The files do not depend on the number of ranks and threads.
for shape in 1x2 2x1 3x1; do
    ranks "${shape%x*}" "${shape#*x}" evaluate --run run --output r.h5 --predictions "pairs$shape.h5ad" \
        --space normalised >/dev/null 2>&1 || fail "evaluate $shape"
    ranks "${shape%x*}" "${shape#*x}" predict --run noise --data controls.h5ad --output "all$shape.h5ad" --times 0.5 \
        >/dev/null 2>&1 || fail "predict $shape"
    check same_files pairs1x2.h5ad "pairs$shape.h5ad"
    check same_files all1x2.h5ad "all$shape.h5ad"
done
check same_files pairs.h5ad pairs3x1.h5ad

# A failed pair has no cells: the model was not trained on EGF_60min.
expect_exit 0 "$popflow" run --data unseen.h5ad $model --split column:part --metrics r2_means --output unseen \
    --predictions unseen_pairs.h5ad
check failed unseen_pairs.h5ad unseen/results.h5

# Doses: predictions for any concentration between those of the training.
"$popflow" simulate screen --output doses.h5ad --patients 3 --cultures PDO --treatments O,S --replicates 1 \
    --dose-levels 3 --cells 60:90 --seed 5 >/dev/null 2>&1
expect_exit 0 "$popflow" run --data doses.h5ad $model --min-cells 50 --split patient:21 --doses all --metrics r2_means \
    --output doses --pair-by patient,culture,plate,replicate --predictions doses_pairs.h5ad
expect_exit 0 "$popflow" predict --run doses --data doses.h5ad --output doses_all.h5ad
check same_cells doses_pairs.h5ad doses_all.h5ad
expect_exit 0 "$popflow" predict --run doses --data doses.h5ad --output between.h5ad --treatment O --concentration 1.5,3
check conditions between.h5ad O@1.5 O@3
expect_exit 2 "$popflow" predict --run doses --data doses.h5ad --output no.h5ad --concentration 3.5
grep -q "concentration: 3.5 is outside the training range of treatment O. Give a number from 1 to 3" err || fail "$(cat err)"

"$python" "$here/check_predictions.py" checks.txt || fail "a check of the written files failed"
[ -z "$(find . -name '*.tmp' -o -name '*.h5ad.*')" ] || fail "leftover files: $(ls)"
echo "predictions can be read with anndata"
