#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures W1 between two draws of the same letter, which is the expected score of a perfect prediction.

    popflow simulate letters --output clean.h5ad --jitter 0 --seed 1
    letters_floor.py clean.h5ad [--jitter 0.05]

Run it in the environment of make_environment.sh. Adds two independent draws of the jitter to the clean points of each letter.
W1 between the two is POT's.
"""
import argparse

import anndata
import numpy as np
import ot

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("clean")
parser.add_argument("--jitter", type=float, default=0.05)
options = parser.parse_args()
data = anndata.read_h5ad(options.clean)
treated = data[~data.obs["treatment"].isin(["control", "DMSO"])]
rng = np.random.default_rng(1)
found = {}
for (letter, rotation), rows in treated.obs.groupby(["patient", "replicate"], observed=True).indices.items():
    clean = np.asarray(treated.X[rows], dtype=float)
    one, other = (clean + rng.normal(scale=options.jitter, size=clean.shape) for _ in range(2))
    found.setdefault(letter, []).append(ot.emd2([], [], ot.dist(one, other, metric="euclidean"), numItermax=10**9))
test = {letter: np.mean(values) for letter, values in found.items() if letter in ("X", "Y")}
training = [np.mean(values) for letter, values in found.items() if letter not in test]
print(f"training letters {np.mean(training):.3f}; " + "; ".join(f"{k} {v:.3f}" for k, v in test.items()))
