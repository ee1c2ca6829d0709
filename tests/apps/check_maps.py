#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the inputs of maps.sh, and checks its scores and mapped cells.

Usage: check_maps.py write FOLDER | fresh R.h5 F.h5ad | gain R.h5 | trained R.h5 | mapped P.h5ad F.h5ad
"""
import sys

import anndata
import h5py
import numpy as np
import pandas as pd
from scipy.linalg import sqrtm
from scipy.optimize import linear_sum_assignment

CELLS = 80


def write(folder):
    """30 training populations and 8 held-out ones: Gaussians in turn with pairs of clusters, moved and stretched at random.
    The held-out ones are 4 Gaussians and 4 pairs of clusters."""
    rng = np.random.default_rng(4)
    cells, names, parts = [], [], []
    for k in range(38):
        held_out = k >= 30
        gaussian = k < 34 if held_out else k % 2 == 0
        x = rng.normal(size=(CELLS, 2))
        if not gaussian:
            x[:, 0] = 0.3 * x[:, 0] + rng.choice([-2, 2], size=CELLS)
        cells.append(x * rng.uniform(0.8, 1.2, size=2) + rng.normal(size=2))
        names += [f"g{k - 30}" if gaussian else f"b{k - 34}" if held_out else f"t{k}"] * CELLS
        parts += ["test" if held_out else "train"] * CELLS
    obs = pd.DataFrame({"image": names, "part": parts}, index=[f"cell{i}" for i in range(len(names))])
    data = anndata.AnnData(np.concatenate(cells).astype(np.float32), obs=obs, var=pd.DataFrame(index=["red", "green"]))
    data.write_h5ad(f"{folder}/bent.h5ad")
    with open(f"{folder}/none.csv", "w") as file:
        file.write("source,target\ng0,g99\n")


def column(group, name):
    item = group[name]
    if isinstance(item, h5py.Group):
        categories = item["categories"][:].astype(str)
        return categories[item["codes"][:]]
    values = item[:]
    return values.astype(str) if values.dtype.kind == "O" else values


def read(path):
    with h5py.File(path) as file:
        group = file["problems"]
        return pd.DataFrame({name: column(group, name) for name in group if name != "_index"})


def fresh(path, data):
    """Compares all values of a fresh model with closed forms and with exact assignment."""
    table = read(path)
    cells = anndata.read_h5ad(data)
    train = cells.X[(cells.obs["part"] == "train").to_numpy()].astype(float)
    scale = train.std(axis=0).mean()
    assert len(table) == 6 * 4 and (table["message"] == "").all() and table["certified"].all()
    for (source, target), rows in table.groupby(["source", "target"]):
        x, y = (cells.X[(cells.obs["image"] == name).to_numpy()].astype(float) / scale for name in (source, target))
        cost = ((x[:, None] - y[None]) ** 2).sum(2)
        exact = cost[linear_sum_assignment(cost)].mean() / 2
        shift = ((x.mean(0) - y.mean(0)) ** 2).sum() / 2
        a, b = np.cov(x.T, bias=True), np.cov(y.T, bias=True)
        root = sqrtm(a).real
        bures = shift + (np.trace(a) + np.trace(b) - 2 * np.trace(sqrtm(root @ b @ root).real)) / 2
        value = rows.set_index("predictor")["value"]
        np.testing.assert_allclose(rows["exact"], exact, rtol=1e-4)
        np.testing.assert_allclose(value["mean_shift"], shift, rtol=1e-4)
        np.testing.assert_allclose(value["gaussian"], bures, rtol=1e-4)
        np.testing.assert_allclose(value["identity"], 0, atol=1e-5)
        np.testing.assert_allclose(value["model"], bures, atol=0.02 * exact)
        np.testing.assert_allclose(rows["normalised"], rows["value"] / exact, rtol=1e-4, atol=1e-5)
        assert (rows["normalised"] < 1 + 1e-5).all()  # weak duality
        identity = rows.set_index("predictor")["w2"]["identity"]
        np.testing.assert_allclose(identity, np.sqrt(2 * exact), rtol=1e-4)


def gain(path):
    """The trained model is better than the Gaussian map."""
    mean = read(path).groupby("predictor")[["normalised", "w2"]].mean()
    assert mean.loc["model", "normalised"] > mean.loc["gaussian", "normalised"] + 0.01, mean
    assert mean.loc["model", "w2"] < mean.loc["gaussian", "w2"], mean


def trained(path):
    """All values are certified, and steps from the identity approach the optimum."""
    table = read(path)
    assert (table["message"] == "").all() and (table["normalised"] < 1 + 1e-5).all() and (table["gap"] <= 1e-6).all()
    mean = table.groupby(["predictor", "steps"])[["normalised", "w2"]].mean()
    assert len(table) == 28 * 10, len(table)
    assert mean.loc[("identity_start", 20), "normalised"] > mean.loc[("identity_start", 5), "normalised"] > 0, mean


def mapped(path, data):
    """The file names the problems, has the columns of the data, and cells near those of the targets."""
    prediction, cells = anndata.read_h5ad(path), anndata.read_h5ad(data)
    assert list(prediction.var_names) == list(cells.var_names)
    problems = prediction.obs[["predicted_problem", "predicted_source", "predicted_target"]].drop_duplicates()
    assert sorted(map(tuple, problems.astype(str).to_numpy())) == [("down", "g1", "b2"), ("up", "g0", "g1")]
    assert (prediction.obs["image"].astype(str) == prediction.obs["predicted_source"].astype(str)).all()
    assert set(prediction.obs["predicted_from"]) <= set(cells.obs_names)
    for _, source, target in problems.astype(str).to_numpy():
        found = prediction.X[(prediction.obs["predicted_source"] == source).to_numpy()]
        y = cells.X[(cells.obs["image"] == target).to_numpy()]
        x = cells.X[(cells.obs["image"] == source).to_numpy()]
        distance = np.linalg.norm(found.mean(0) - y.mean(0))
        assert distance < 0.2 * np.linalg.norm(x.mean(0) - y.mean(0)) + 0.2, distance


def unmoved(path, data):
    """A fresh model maps a population to itself by nearly the identity."""
    prediction, cells = anndata.read_h5ad(path), anndata.read_h5ad(data)
    x = cells.X[(cells.obs["image"] == "g0").to_numpy()]
    assert prediction.shape == x.shape
    assert np.sqrt(((prediction.X - x) ** 2).mean()) < 0.05 * x.std(), np.abs(prediction.X - x).max()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
