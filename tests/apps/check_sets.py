# SPDX-License-Identifier: MIT
"""Tests `popflow metrics --population`: makes files of populations, and computes all scores from all pairs with SciPy and POT.

Usage: check_sets.py FOLDER make
       check_sets.py FOLDER check OUTPUT.json NAME
"""

import json
import sys
from pathlib import Path

import anndata
import numpy as np
import ot
import pandas as pd
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist

folder = Path(sys.argv[1])


def write(name, populations):
    cells = np.concatenate(populations).astype(np.float32)
    labels = np.repeat([f"p{i}" for i in range(len(populations))], [len(p) for p in populations])
    obs = pd.DataFrame({"population": pd.Categorical(labels)}, index=[f"c{i}" for i in range(len(cells))])
    anndata.AnnData(cells, obs=obs).write_h5ad(folder / f"{name}.h5ad")


def populations_of(name):
    data = anndata.read_h5ad(folder / f"{name}.h5ad")
    labels = data.obs["population"].astype(str)
    return [np.asarray(data.X[(labels == f"p{i}").to_numpy()], dtype=np.float64) for i in range(labels.nunique())]


def make():
    draws = np.random.default_rng(4)

    def cloud(cells, spread):
        centre = draws.normal(size=3)
        return centre + draws.normal(size=(cells, 3)) * spread * draws.uniform(0.5, 1.5, 3)

    real = [cloud(25, 0.4) for _ in range(9)]
    training = [cloud(25, 0.4) for _ in range(7)]
    # Some are copies of training and real populations, so that distances are 0 and tie.
    generated = [cloud(25, 0.5) for _ in range(6)] + [training[2], training[2][::-1], real[4]]
    write("real", real)
    write("generated", generated)
    write("training", training)
    write("unequal", [cloud(n, 0.4) for n in (12, 25, 31, 18, 40)])


def bures(x, y):
    a, b = np.cov(x.T, bias=True), np.cov(y.T, bias=True)
    root = np.real(sqrtm(a))
    inner = np.real(sqrtm(root @ b @ root))
    return np.sqrt(max(0, ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(a + b - 2 * inner)))


def distance(name, x, y):
    d = cdist(x, y)
    if name == "w1":
        return ot.emd2([], [], d)
    if name == "w2":
        return np.sqrt(ot.emd2([], [], d**2))
    if name == "chamfer":
        return (d.min(0) ** 2).mean() + (d.min(1) ** 2).mean()
    if name == "energy":
        return 2 * d.mean() - cdist(x, x).mean() - cdist(y, y).mean()
    return bures(x, y)


def scores(name, real, generated, training):
    items = real + generated + training
    n, m = len(real), len(generated)
    d = np.array([[distance(name, x, y) if i < j else 0 for j, y in enumerate(items)] for i, x in enumerate(items)])
    d += d.T
    d[np.abs(d) < 2e-7] = 0  # equal populations, by rounding
    pooled = d[: n + m, : n + m].copy()
    np.fill_diagonal(pooled, np.inf)
    same = (pooled.argmin(1) < n) == (np.arange(n + m) < n)
    found = {"nna": same.mean(), "nna_real": same[:n].mean(), "nna_generated": same[n:].mean()}
    found["nnd"] = (abs(found["nna_real"] - 0.5) + abs(found["nna_generated"] - 0.5)) / 2
    across = d[:n, n : n + m]
    found["matching"] = across.min(1).mean()
    found["coverage"] = len(set(across.argmin(0))) / n
    if training:
        to_training = d[: n + m, n + m :].min(1)
        found["memorised"] = (to_training[n:] < across.min(0)).mean()
        found["training_ratio"] = to_training[n:].mean() / to_training[:n].mean()
    return found


def check(output, name):
    with open(output) as file:
        output = json.load(file)
    training = populations_of("training") if name == "generated" else []
    real, generated = populations_of("real"), populations_of(name)
    pairs = len(real) * len(generated) + len(real) * (len(real) - 1) // 2 + len(generated) * (len(generated) - 1) // 2
    pairs += len(training) * (len(real) + len(generated))
    for distance_name, own in output.items():
        for score, value in scores(distance_name, real, generated, training).items():
            if abs(own[score] - value) > 1e-6 * max(1, abs(value)):
                sys.exit(f"{name} {distance_name} {score}: {own[score]} instead of {value}")
        if not 0 < own["p_value"] <= 1:
            sys.exit(f"p_value {own['p_value']}")
        limit = 0.8 * pairs if distance_name in ("w1", "w2") else pairs
        if own["distances_computed"] > limit:
            sys.exit(f"{distance_name}: {own['distances_computed']} of {pairs} distances computed")
    print(name, len(output), "distances, all scores equal")


if sys.argv[2] == "make":
    make()
else:
    check(sys.argv[3], sys.argv[4])
