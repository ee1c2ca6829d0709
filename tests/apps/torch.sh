#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# popflow.torch predicts the same cells as popflow, for each method and each option of the networks.
# Usage: torch.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
here=$(cd "$(dirname "$0")" && pwd)
needs_python "anndata, h5py, torch"
cd "$scratch"
"$popflow" simulate screen --output screen.h5ad --patients 2 --cultures PDOF --treatments O,S --replicates 1 \
    --dose-levels 2 --failed-wells 0 --cells 60:90 --seed 5 >/dev/null 2>&1
model="--min-cells 50 --split patient:11 --hidden 48 --layers 3 --embedding 16 --encoder-hidden 16 --knn 5
    --time-frequencies 8 --space-frequencies 8 --cells 50 --batch-pairs 2 --steps 50 --rate 0.003 --precision fp32"

# round_trip NAME OPTION...: trains, predicts with popflow and compares with PyTorch.
round_trip() {
    local name=$1
    shift
    expect_exit 0 "$popflow" train --data $screen $model --output "$name" "$@"
    local tolerance raw
    for tolerance in 1e-7 $loose; do
        raw=
        expect_exit 0 "$popflow" predict --run "$name" --data $screen --treatment $treatment --times 0,0.5 --space normalised \
            --tolerance $tolerance --output predicted.h5ad
        if [[ " $* " != *" gaussian "* ]]; then
            raw=raw.h5ad
            expect_exit 0 "$popflow" predict --run "$name" --data $screen --treatment $treatment --tolerance $tolerance \
                --output $raw
        fi
        "$python" -W ignore "$here/check_torch.py" "$here/../../python" "$name" predicted.h5ad $screen $tolerance $raw ||
            fail "$name"
    done
}
treatment=S
screen=screen.h5ad
loose=1e-4 # the default of popflow predict
round_trip mfm --method mfm
loose=

# A folder with only config.cfg and weights.h5 gives the same predictions, in popflow and in PyTorch.
mkdir slim
cp mfm/config.cfg mfm/weights.h5 slim
for run in mfm slim; do
    expect_exit 0 "$popflow" predict --run $run --data screen.h5ad --output $run.h5ad
    expect_exit 0 "$popflow" evaluate --run $run --output $run.h5
done
for object in X obs layers; do h5diff mfm.h5ad slim.h5ad /$object || fail "weights.h5 gives other predictions: $object"; done
for column in w1 w2 predictor; do h5diff mfm.h5 slim.h5 /pairs/$column || fail "weights.h5 gives other scores: $column"; done
[ "$(stat -c %s slim/weights.h5)" -lt "$(($(stat -c %s mfm/checkpoint.h5) / 2))" ] || fail "weights.h5 is larger than half of the checkpoint"
"$python" - "$here/../../python" <<PYTHON || fail "popflow.torch reads other weights from weights.h5"
import sys
import torch
sys.path.insert(0, sys.argv[1])
from popflow.torch import Run
whole, slim = Run("mfm").model.state_dict(), Run("slim").model.state_dict()
assert whole.keys() == slim.keys() and all(torch.equal(whole[k], slim[k]) for k in whole)
PYTHON
expect_exit 0 "$python" "$here/../../python/popflow_torch.py" slim script.pt
grep -q "script.pt: TorchScript of slim" out || fail "$(cat out)"
expect_exit 1 "$python" "$here/../../python/popflow_torch.py" nowhere none.pt
round_trip everything --method mfm --doses all --modulation film --embedding-norm 4 --encoder-frequencies 6 \
    --encoder-layers 3 --encoder-activation none --time-highest 5 --transform log1p --updates alternate
"$popflow" simulate screen --output more.h5ad --patients 4 --cultures PDOF --treatments O,S --replicates 1 --failed-wells 0 \
    --cells 60:90 --seed 5 >/dev/null 2>&1
screen=more.h5ad
for encoder in moments kernel-pca:2; do
    round_trip ${encoder%:*} --encoder $encoder --modulation film --knn 100 --embedding 128 --encoder-hidden 128
done
screen=screen.h5ad
round_trip noise --method mfm --base gaussian --knn 0 --space-frequencies 0
round_trip latent --method mfm --latent pca:6
round_trip cgfm --method cgfm --modulation film --transform none
round_trip fm --method fm --ema-decay 0 --beta1 0.8 --beta2 0.99 --epsilon 1e-6
round_trip icnn --method icnn --icnn-hidden 50 --icnn-layers 3 --icnn-inner-steps 4 --icnn-start identity
round_trip conditional --method icnn --condition treatment --doses all
printf 'treatment,a,b\nO,1,0.5\nS,-1,0.25\nV,2,3\n' >vectors.csv
for treatment in V O+S; do # the model was trained on neither
    round_trip vectors-$treatment --treatment-vectors vectors.csv --doses all
done
echo "PyTorch predicts the same cells"
