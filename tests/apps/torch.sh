#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The PyTorch reader of a run folder gives the cells that popflow predicts, for each method and option of the networks.
# Usage: torch.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
here=$(cd "$(dirname "$0")" && pwd)
"$python" -c "import anndata, h5py, torch" 2>/dev/null || {
    echo "skipped: $python has no anndata, h5py and torch"
    exit 77
}
cd "$scratch"
"$popflow" simulate screen --output screen.h5ad --patients 2 --cultures PDOF --treatments O,S --replicates 1 \
    --dose-levels 2 --failed-wells 0 --cells 60:90 --seed 5 >/dev/null 2>&1
model="--min-cells 50 --split patient:11 --hidden 48 --layers 3 --embedding 16 --encoder-hidden 16 --knn 5
    --time-frequencies 8 --space-frequencies 8 --cells 50 --batch-pairs 2 --steps 50 --rate 0.003 --precision fp32"

# round_trip NAME OPTIONS...: trains, predicts and compares.
round_trip() {
    local name=$1
    shift
    expect_exit 0 "$popflow" train --data screen.h5ad $model --output "$name" "$@"
    local tolerance raw
    for tolerance in 1e-7 $loose; do
        raw=
        expect_exit 0 "$popflow" predict --run "$name" --data screen.h5ad --treatment S --times 0,0.5 --space normalised \
            --tolerance $tolerance --output predicted.h5ad
        if [[ " $* " != *" gaussian "* ]]; then
            raw=raw.h5ad
            expect_exit 0 "$popflow" predict --run "$name" --data screen.h5ad --treatment S --tolerance $tolerance \
                --output $raw
        fi
        "$python" -W ignore "$here/check_torch.py" "$here/../../python" "$name" predicted.h5ad screen.h5ad $tolerance $raw ||
            fail "$name"
    done
}
loose=1e-4 # the default of popflow predict
round_trip mfm --method mfm
loose=
round_trip everything --method mfm --doses all --modulation film --embedding-norm 4 --encoder-frequencies 6 \
    --encoder-layers 3 --encoder-activation none --time-highest 5 --transform log1p --updates alternate
round_trip noise --method mfm --base gaussian --knn 0 --space-frequencies 0
round_trip cgfm --method cgfm --modulation film --transform none
round_trip fm --method fm --ema-decay 0 --beta1 0.8 --beta2 0.99 --epsilon 1e-6
round_trip icnn --method icnn --icnn-hidden 50 --icnn-layers 3 --icnn-inner-steps 4 --icnn-start identity
round_trip conditional --method icnn --condition treatment --doses all
echo "PyTorch predicts the same cells"
