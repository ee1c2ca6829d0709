#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the inputs of meta_ot.sh, and checks that learned starts need fewer iterations."""
import sys
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
from anndata.experimental import read_elem

GRID = 12


def save(path, x, position, parts):
    names = [f"h{i}" for i in range(len(x))]
    adata = anndata.AnnData(x.astype(np.float32), obs=pd.DataFrame({"part": parts}, index=names))
    adata.varm["position"] = position
    adata.write_h5ad(path)


def write(folder):
    """Images of two blobs on a grid, and supply and demand on the sphere."""
    folder, random = Path(folder), np.random.default_rng(2)
    x, y = np.meshgrid(np.linspace(0, 1, GRID), np.linspace(0, 1, GRID))
    position = np.stack([x.ravel(), y.ravel()], 1)
    images = np.zeros((200, GRID**2))
    for image in images:
        for _ in range(2):
            centre, width = random.uniform(0.15, 0.85, 2), random.uniform(0.05, 0.12)
            image += np.exp(-((position - centre) ** 2).sum(1) / (2 * width**2))
    images[images < 0.05] = 0
    save(folder / "blobs.h5ad", images, position, ["train"] * 160 + ["test"] * 40)
    for name, atoms in (("supply", 12), ("demand", 60)):
        save(folder / f"{name}.h5ad", random.random((30, atoms)), random.normal(size=(atoms, 3)), ["train"] * 30)


def starts(path):
    with h5py.File(path) as file:
        table, errors = read_elem(file["problems"]), read_elem(file["convergence"])
    assert (table.status == "ok").all() and table.converged.all()
    mean = table.groupby(["start", "acceleration", "tolerance"], observed=True).iterations.mean()
    first = errors[(errors.iteration == 1) & (errors.acceleration == "none")].groupby("start", observed=True).marginal_error.mean()
    assert first["one"] < 0.5 * first["gaussian"], first
    for acceleration in ("none", "anderson"):
        assert mean["one", acceleration, 1e-2] < 0.7 * mean["zeros", acceleration, 1e-2], mean
        assert mean["one", acceleration, 1e-4] < mean["zeros", acceleration, 1e-4], mean
    learned = table[table.start == "one"]
    assert (learned.start_seconds > 0).all() and (learned.check_seconds > 0).all()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
