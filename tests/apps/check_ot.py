#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the inputs of ot.sh, and compares the results of `popflow ot` with POT and NumPy."""
import sys
from pathlib import Path

import anndata
import h5py
import numpy as np
import ot
import pandas as pd
import scipy.sparse
from anndata.experimental import read_elem

GRID = 6


def data(x, **members):
    parts = ["a"] * (x.shape[0] - 4) + ["b"] * 4
    obs = pd.DataFrame({"part": parts}, index=[f"h{i}" for i in range(x.shape[0])])
    adata = anndata.AnnData(x.astype(np.float32), obs=obs)
    for key, value in members.items():
        adata.varm[key] = value
    return adata


def write(folder):
    random = np.random.default_rng(1)
    folder = Path(folder)
    x, y = np.meshgrid(np.linspace(0, 1, GRID), np.linspace(0, 1, GRID))
    position = np.stack([x.ravel(), y.ravel()], 1)
    weights = (random.gamma(0.5, size=(12, GRID**2)) * (random.random((12, GRID**2)) < 0.6)).astype(np.float32)
    data(weights, position=position, grid=position).write_h5ad(folder / "histograms.h5ad")
    data(scipy.sparse.csr_matrix(weights), position=position).write_h5ad(folder / "csr.h5ad")
    data(scipy.sparse.csc_matrix(weights), position=position).write_h5ad(folder / "csc.h5ad")
    layered = data(np.ones_like(weights), position=position[::-1].copy(), grid=position)
    layered.layers["weights"] = weights
    layered.write_h5ad(folder / "layer.h5ad")
    data(random.random((12, 20)), position=random.random((20, 2))).write_h5ad(folder / "targets.h5ad")
    costs = ot.dist(position, position)
    np.savetxt(folder / "costs.csv", costs, delimiter=",", fmt="%.17g")
    with h5py.File(folder / "costs.h5", "w") as file:
        file["cost"] = costs
    (folder / "list.csv").write_text("problem,source,target\nfirst,h0,h5\nsecond,3,h1\nthird,h0,0\n")
    (folder / "bad_list.csv").write_text("source,target\nh0,h1\nh2,h99\n")
    directions = random.normal(size=(40, 3))
    data(random.random((5, 40)) + 0.01, position=directions).write_h5ad(folder / "sphere.h5ad")
    many = random.random((45, 15**2))
    x, y = np.meshgrid(np.linspace(0, 1, 15), np.linspace(0, 1, 15))
    data(many, position=np.stack([x.ravel(), y.ravel()], 1)).write_h5ad(folder / "many.h5ad")
    for name, value in (("empty", 0), ("negative", -3), ("nan", np.nan)):
        bad = weights.copy()
        bad[2] = 0 if name == "empty" else 1
        bad[2, 1] = value
        data(bad, position=position).write_h5ad(folder / f"{name}.h5ad")
    lost = position.copy()
    lost[3, 1] = np.nan
    data(weights, position=lost).write_h5ad(folder / "lost.h5ad")
    data(weights).write_h5ad(folder / "bare.h5ad")
    labels = [(p, t) for p in ("P1", "P2", "P3") for t in ("DMSO", "O")]
    cells = np.concatenate([random.normal(k, 1 + 0.1 * k, size=(50 + 10 * k, 4)) for k in range(len(labels))])
    obs = pd.DataFrame([labels[k] for k in range(len(labels)) for _ in range(50 + 10 * k)], columns=["patient", "treatment"])
    obs.index = obs.index.astype(str)
    anndata.AnnData(cells.astype(np.float32), obs=obs).write_h5ad(folder / "cells.h5ad")
    cells[obs.patient == "P1"] = 1  # two populations of equal cells
    anndata.AnnData(cells.astype(np.float32), obs=obs).write_h5ad(folder / "equal_cells.h5ad")


def read(path):
    with h5py.File(path) as file:
        assert "problems" in file.attrs["tables"]
        return read_elem(file["problems"])


def normalised(path):
    adata = anndata.read_h5ad(path)
    weights = np.asarray(adata.X, float)
    return weights / weights.sum(1, keepdims=True), np.asarray(adata.varm["position"]), list(adata.obs_names)


def near(got, expected, what, tolerance=1e-9):
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    assert got.shape == expected.shape, (what, got.shape, expected.shape)
    difference = np.abs(got - expected).max()
    assert difference <= tolerance * max(1, np.abs(expected).max()), (what, difference)


def histograms(path, inputs):
    """Each solver, start and acceleration: values, errors, gaps, potentials and plans."""
    table = read(path)
    weights, position, names = normalised(inputs)
    cost = ot.dist(position, position)
    epsilon = 0.05
    assert len(table) == 66 * (2 * 1 + 2 * 3 * 2 + 2 * 2), len(table)
    assert (table.status == "ok").all() and table.converged.all()
    assert not table[table.solver != "sinkhorn"].acceleration.ne("none").any()
    exact = table[table.solver == "exact"].set_index("problem")
    entropic = table[(table.solver != "exact") & (table.tolerance == 1e-10)]
    assert (entropic.epsilon == epsilon).all()
    for i in range(12):
        for j in range(i + 1, 12, 3):  # a third of the problems, for the time that POT takes
            name = f"h{i} -> h{j}"
            a, b = weights[i], weights[j]
            near(exact.loc[name].value, np.full(2, ot.emd2(a, b, cost)), name)
            lit = np.ix_(a > 0, b > 0)
            plan = ot.sinkhorn(a[a > 0], b[b > 0], cost[lit], epsilon, method="sinkhorn_log", stopThr=1e-13, numItermax=100000)
            rows = entropic[entropic.problem == name]
            near(rows.value, np.full(len(rows), (plan * cost[lit]).sum()), name)
            kl = (plan * np.log(plan / np.outer(a[a > 0], b[b > 0]))).sum()
            near(rows.value_entropic, np.full(len(rows), (plan * cost[lit]).sum() + epsilon * kl), name)
            assert rows.n.eq((a > 0).sum()).all() and rows.m.eq((b > 0).sum()).all()
    loose = table[table.tolerance == 1e-3].reset_index()
    tight = entropic.reset_index()
    assert (loose.marginal_error <= 1e-3).all() and (tight.marginal_error <= 1e-10).all()
    assert (loose.iterations <= tight.iterations).all() and (loose.gap.to_numpy() > tight.gap.to_numpy() - 1e-12).all()
    assert (tight.gap.abs() < 1e-8).all() and (exact.gap.abs() < 1e-9).all()
    mean = table[table.tolerance == 1e-10].groupby(["solver", "start", "acceleration"], observed=True).iterations.mean()
    assert mean["sinkhorn", "zeros", "anderson"] < 0.6 * mean["sinkhorn", "zeros", "none"], mean
    assert mean["newton", "zeros", "none"] < 30, mean
    with h5py.File(path) as file:
        solves = read_elem(file["potentials/solves"])
        plans = read_elem(file["plans/solves"])
        assert len(solves) == len(plans) == 66 * 10
        f, g = file["potentials/f"][:], file["potentials/g"][:]
        f_offset, g_offset = file["potentials/f_offset"][:], file["potentials/g_offset"][:]
        offset, mass = file["plans/offset"][:], file["plans/mass"][:]
        source, target = file["plans/source"][:], file["plans/target"][:]
        convergence = read_elem(file["convergence"])
    for k, row in solves.iterrows():
        k = int(k)
        i, j = (int(name[1:]) for name in row.problem.split(" -> "))
        a, b = weights[i], weights[j]
        u, v = f[f_offset[k]:f_offset[k + 1]], g[g_offset[k]:g_offset[k + 1]]
        assert len(u) == len(v) == GRID**2 and abs(a @ u) < 1e-9
        part = slice(offset[k], offset[k + 1])
        plan = np.zeros_like(cost)
        plan[source[part], target[part]] = mass[part]
        if row.solver == "exact":
            assert (u[:, None] + v[None] - cost)[np.ix_(a > 0, b > 0)].max() < 1e-9
            near(a @ u + b @ v, exact.loc[row.problem].value.iloc[0], "dual")
            near(plan.sum(0), b, "plan")
            near(plan.sum(1), a, "plan")
            near((plan * cost).sum(), exact.loc[row.problem].value.iloc[0], "plan")
        else:
            whole = np.outer(a, b) * np.exp((u[:, None] + v[None] - cost) / epsilon)
            near(whole.sum(0), b, "columns")
            near(whole.sum(1), a, "rows")
            assert np.abs(plan - whole)[plan > 0].max() < 1e-12 and np.abs(plan - whole).max() <= 1e-6
            # Potentials of atoms without mass are those of their update.
            near(-epsilon * np.log(np.exp((v[None] - cost) / epsilon) @ b), u, "empty atoms", 1e-7)
    last = convergence.groupby(["problem", "solver", "start", "acceleration"], observed=True).iteration.max()
    assert len(last) == 66 * 8
    assert last["h0 -> h1", "sinkhorn", "zeros", "none"] == tight[(tight.problem == "h0 -> h1") & (tight.start == "zeros") & (
        tight.acceleration == "none") & (tight.solver == "sinkhorn")].iterations.iloc[0]


def lists(listed, two, rows, random, inputs, targets):
    """The problems of each way to list them."""
    weights, position, names = normalised(inputs)
    cost = ot.dist(position, position)
    table = read(listed)
    assert list(table.problem) == ["first", "second", "third"] and list(table.source) == ["h0", "h3", "h0"]
    assert list(table.target) == ["h5", "h1", "h0"]
    near(table.value, [ot.emd2(weights[i], weights[j], cost) for i, j in ((0, 5), (3, 1), (0, 0))], "list")
    other, other_position, _ = normalised(targets)
    table = read(two)
    assert len(table) == 12
    near(table.value, [ot.emd2(weights[i], other[i], ot.dist(position, other_position)) for i in range(12)], "two files")
    table = read(rows)
    assert list(table.problem) == ["h8 -> h9", "h9 -> h10", "h10 -> h11"]
    table = read(random)
    assert len(table) == 9 == table.problem.nunique() and (table.source.astype(str) != table.target.astype(str)).all()


def sphere(path, inputs):
    weights, position, names = normalised(inputs)
    position /= np.linalg.norm(position, axis=1, keepdims=True)
    cost = np.arccos(np.clip(position @ position.T, -1, 1))
    np.fill_diagonal(cost, 0)
    table = read(path)
    for _, row in table.iterrows():
        a, b = weights[names.index(row.source)], weights[names.index(row.target)]
        if row.solver == "exact":
            near(row.value, ot.emd2(a, b, cost), "sphere")
        else:
            plan = ot.sinkhorn(a, b, cost, 0.01, method="sinkhorn_log", stopThr=1e-12, numItermax=200000)
            near(row.value, (plan * cost).sum(), "sphere", 1e-8)


def shuffle(path, output):
    """Gives each problem the negative potentials of another one."""
    Path(output).write_bytes(Path(path).read_bytes())
    with h5py.File(output, "r+") as file:
        for name in ("f", "g"):
            file["potentials"][name][...] = -20 * file["potentials"][name][:][::-1]


def spoil(path, output):
    """Sets a potential of each problem to nan."""
    Path(output).write_bytes(Path(path).read_bytes())
    with h5py.File(output, "r+") as file:
        for name in ("f", "g"):
            file["potentials"][name][...] = np.nan


def failed(path, matrix):
    """Checks that the distance of a failed problem is no number, neither in the results nor in the matrix."""
    table = read(path)
    assert (table.status == "failed").sum() == 1 and table.value[table.status == "failed"].isna().all()
    distances = anndata.read_h5ad(matrix).obsp["distances"]
    assert np.isnan(distances).sum() == 2, distances


def fallback(checked, risky, raced):
    table = read(checked)
    fell = table[table.fallback]
    assert len(fell) > 50 and (fell.start == "shuffled.h5").all() and (fell.check_seconds > 0).all()
    zeros = table[table.start == "zeros"].set_index("problem").iterations
    assert (fell.set_index("problem").iterations == zeros[fell.problem]).all()
    other = read(risky)
    assert not other.fallback.any() and (other.check_seconds == 0).all()
    assert other[other.start != "zeros"].iterations.mean() > other[other.start == "zeros"].iterations.mean()
    race = read(raced)
    race = race[race.start != "zeros"].set_index("problem")
    own = other[other.start != "zeros"].set_index("problem").iterations[race.index]
    zeros = zeros[race.index]
    assert (race.iterations == np.minimum(own, zeros)).all() and (race.check_seconds > 0).all()
    assert (zeros < own).sum() > 20 and race.fallback[zeros < own].all() and not race.fallback[zeros > own].any()


def populations(path, matrix, inputs, prototypes):
    table = read(path)
    adata = anndata.read_h5ad(inputs)
    groups = {f"{p} / {t}": adata.X[(adata.obs.patient == p) & (adata.obs.treatment == t)].astype(float)
              for p in ("P1", "P2", "P3") for t in ("DMSO", "O")}
    result = anndata.read_h5ad(matrix)
    assert sorted(result.obs_names) == sorted(groups)
    assert list(result.obs.columns) == ["patient", "treatment", "n_cells"]
    near(result.obs.n_cells, [len(groups[name]) for name in result.obs_names], "cells")
    distances = result.obsp["distances"]
    near(distances, distances.T, "symmetric")
    assert (np.diag(distances) == 0).all()
    # The two smallest populations have at most 60 cells, so that all are used.
    small = [name for name in groups if len(groups[name]) <= 60]
    assert len(small) == 2
    x, y = groups[small[0]], groups[small[1]]
    near(result[small[0]].X[0], x.mean(0), "mean", 1e-6)
    a, b = np.full(len(x), 1 / len(x)), np.full(len(y), 1 / len(y))
    cost = ot.dist(x, y)
    i, j = list(result.obs_names).index(small[0]), list(result.obs_names).index(small[1])
    near(distances[i, j], np.sqrt(ot.emd2(a, b, cost)), "W2", 1e-6)
    rows = table[(table.source == small[0]) & (table.target == small[1])]
    entropic = rows[rows.solver == "sinkhorn"].iloc[0]
    near(entropic.epsilon, 0.05 * cost.mean(), "epsilon", 1e-6)
    plan = ot.sinkhorn(a, b, cost, entropic.epsilon, method="sinkhorn_log", stopThr=1e-12, numItermax=100000)
    near(entropic.value, (plan * cost).sum(), "entropic", 1e-6)
    assert table[table.solver == "exact"][["n", "m"]].max().max() == 60
    with h5py.File(path) as file:
        near(file["distances/values"][:], distances, "distances in the results", 0)
    # Prototypes: close to the distances of the cells, and exact between histograms.
    coarse = anndata.read_h5ad(prototypes).obsp["distances"]
    ratio = coarse[coarse > 0] / distances[coarse > 0]
    assert 0.8 < ratio.min() and ratio.max() < 1.25, ratio


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
