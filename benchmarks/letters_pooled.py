#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures W1 between a pool of all training letters and each letter that a run evaluated.

    popflow run --config configs/letters_fast/fm_gaussian.cfg --data letters.h5ad --output RUN
    letters_pooled.py letters.h5ad RUN/results.h5

Run it in the environment of make_environment.sh. FM from a Gaussian sees neither the source letter nor which letter to
produce, so it learns the mixture of its training letters. The script draws as many points from that mixture as the letter
has. W1 is POT's.
"""
import argparse

import anndata
import h5py
import numpy as np
import ot

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("letters")
parser.add_argument("results")
options = parser.parse_args()
with h5py.File(options.results) as file:
    pairs = file["pairs"]
    names = ("predictor", "patient", "replicate", "part")
    labels = [pairs[name]["categories"].asstr()[:][pairs[name]["codes"][:]] for name in names]
    rows = [(*row, w1) for *row, w1 in zip(*labels, pairs["w1"][:]) if row[0] == "model"]
data = anndata.read_h5ad(options.letters)
treated = data[~data.obs["treatment"].isin(["control", "DMSO"])]
points = np.asarray(treated.X, dtype=float)
cells_of = treated.obs.groupby(["patient", "replicate"], observed=True).indices
tested = {letter for _, letter, _, part, _ in rows if part == "test"}
pool = points[~treated.obs["patient"].isin(tested).to_numpy()]
rng = np.random.default_rng(1)
found = {}
for _, letter, rotation, part, w1 in rows:
    target = points[cells_of[letter, rotation]]
    drawn = pool[rng.choice(len(pool), len(target), replace=False)]
    pooled = ot.emd2([], [], ot.dist(drawn, target, metric="euclidean"), numItermax=10**9)
    found.setdefault(letter if part == "test" else "training letters", []).append((pooled, w1))
for name, values in sorted(found.items()):
    pooled, w1 = np.mean(values, axis=0)
    print(f"{name}: pooled {pooled:.3f}, run {w1:.3f}")
