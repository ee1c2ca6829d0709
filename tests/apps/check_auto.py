#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the selection of a run.

    check_auto.py RUN RESULTS.h5...   the folds have the energy distances of runs that hold one more patient out
    check_auto.py finished RUN        prints the number of finished folds
"""
import sys

import h5py
import numpy as np
from anndata.experimental import read_elem

if sys.argv[1] == "finished":
    with h5py.File(f"{sys.argv[2]}/selection.h5") as file:
        print(read_elem(file["scores"])["fold"].nunique())
    sys.exit()

run, *results = sys.argv[1:]
with h5py.File(f"{run}/selection.h5") as file:
    scores, candidates, table = (read_elem(file[name]) for name in ("scores", "candidates", "selection"))
    words = file.attrs["choice"]
names = list(candidates["method"])
assert names == ["identity", "mean-shift", "moment-map", "fm", "fm", "fm", "fm"], names
compared = 0
for path in results:
    with h5py.File(path) as file:
        pairs = read_elem(file["pairs"])
        config = dict(line.split(" = ", 1) for line in file.attrs["config"].splitlines())
    own = scores.set_index("pair")
    for _, row in pairs[pairs["patient"] != "P7"].iterrows():
        shrinkage = float(config["shrinkage"])
        column = {"identity": 0, "mean_shift": 1, "moment_map": 2}.get(row["predictor"])
        if row["predictor"] == "model":
            column = int(np.flatnonzero((candidates["method"] == "fm") & (candidates["shrinkage"] == shrinkage))[0])
        if column is None:
            continue
        np.testing.assert_allclose(own.loc[row["pair"], f"energy_{column}"], row["energy"], rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(own.loc[row["pair"], "training_distance"], row["training_distance"], rtol=1e-9)
        compared += 1
assert compared >= 30, compared

# The choice by hand.
energies = scores.groupby("unit")[[f"energy_{c}" for c in range(len(names))]].mean().to_numpy()
means = energies.mean(0)
simple, network = int(means[:3].argmin()), 3 + int(means[3:].argmin())
gain = energies[:, simple] - energies[:, network]
chosen = network if gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain)) else simple
assert (table["is_chosen"].to_numpy().reshape(-1, len(names)) == (np.arange(len(names)) == chosen)).all()
assert names[chosen] in words and f"{means[chosen]:.3f}" in words, words
expected = scores.groupby("fold")[f"energy_{chosen}"].mean().to_numpy()
np.testing.assert_allclose(table["energy"].to_numpy().reshape(-1, len(names))[:, chosen], expected)
