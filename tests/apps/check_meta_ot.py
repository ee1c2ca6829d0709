#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the inputs of meta_ot.sh, and checks that learned starts need fewer iterations."""
import gzip
import sys
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
from anndata.experimental import read_elem

GRID = 12
CLOTHES = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz"  # Debian package dataset-fashion-mnist


def save(path, x, position, parts):
    names = [f"h{i}" for i in range(len(x))]
    adata = anndata.AnnData(x.astype(np.float32), obs=pd.DataFrame({"part": parts}, index=names))
    if position is not None:
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
    save(folder / "bare.h5ad", images, None, ["train"] * 160 + ["test"] * 40)
    with gzip.open(CLOTHES) as file:
        clothes = np.frombuffer(file.read(), np.uint8, offset=16)[:40 * 28**2].reshape(40, 28, 28)
    pooled = clothes[:, 2:26, 2:26].reshape(40, GRID, 2, GRID, 2).mean((2, 4))
    save(folder / "clothes.h5ad", pooled.reshape(40, -1), position, ["test"] * 40)
    sparse = np.zeros((40, GRID**2))
    for image in sparse:
        image[random.choice(GRID**2, random.integers(5, 40), replace=False)] = 1
    save(folder / "sparse.h5ad", sparse, position, ["test"] * 40)
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


def unseen(path):
    """With the fallback, the error after one iteration is never larger than that from zeros.

    The error that follows falls at the rate of its slowest component, which one iteration does not show. So single problems may
    take more iterations than from zeros, but not the mean.
    """
    with h5py.File(path) as file:
        table, errors = read_elem(file["problems"]), read_elem(file["convergence"])
    assert (table.status == "ok").all() and table.converged.all()
    first = errors[errors.iteration == 1].pivot(index=["problem", "acceleration"], columns="start", values="marginal_error")
    assert (first.one <= first.zeros * (1 + 1e-9)).all(), first[first.one > first.zeros]
    mean = table.groupby(["start", "acceleration", "tolerance"], observed=True).iterations.mean()
    assert (mean["one"] <= mean["zeros"] + 1).all(), mean
    assert table[table.start == "zeros"].fallback.sum() == 0
    share = table[table.start == "one"].fallback.mean()
    print(f"{path}: {share:.0%} fallbacks, mean iterations\n{mean.unstack()}")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
