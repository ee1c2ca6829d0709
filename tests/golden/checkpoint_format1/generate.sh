#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes the kept files of checkpoint format 1. Usage: generate.sh POPFLOW, a program that writes format 1 (commit 17c5ef2 or
# another one before format 2).
set -euo pipefail
popflow=$1
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
/usr/bin/python3 make_screen.py screen.h5ad
common=(--data screen.h5ad --transform none --min-cells 2 --split patient:P2 --steps 4 --cells 12 --batch-pairs 2 --hidden 6 --layers 2
    --time-frequencies 2 --space-frequencies 2 --checkpoint-every 2 --log-every 2 --precision fp32)
# train NAME OPTIONS...
train() {
    local name=$1
    shift
    OMP_NUM_THREADS=1 "$popflow" train "${common[@]}" --output "$work/$name" "$@"
    mkdir -p "$name"
    cp "$work/$name/checkpoint.h5" "$work/$name/weights.h5" "$name"
    OMP_NUM_THREADS=1 "$popflow" predict --run "$name" --data screen.h5ad --output "$work/$name.h5ad" --space normalised
    /usr/bin/python3 - "$work/$name.h5ad" "$name/predicted.csv" <<'P'
import sys
import anndata
import numpy
numpy.savetxt(sys.argv[2], anndata.read_h5ad(sys.argv[1]).X, fmt="%.9g", delimiter=",")
P
}
train fm --method fm --base gaussian
train cgfm --method cgfm
train mfm --method mfm --knn 3 --embedding 2 --encoder-hidden 3 --encoder-frequencies 2 --modulation film
train alternate --method mfm --knn 0 --embedding 2 --encoder-hidden 3 --recipe paper --batch-pairs 2
train icnn --method icnn --condition treatment --icnn-hidden 4 --icnn-layers 2 --icnn-inner-steps 1
