# SPDX-License-Identifier: MIT
"""Inputs and checks of counts.sh. Usage: check_counts.py CHECK FILE..."""

import sys
import warnings

import anndata
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

warnings.simplefilter("ignore")
GENES = 120


def normalised(counts, target=1e4):
    """Returns log(1 + counts of a cell / their total * target), as scanpy's normalize_total and log1p."""
    total = counts.sum(axis=1, keepdims=True)
    return np.log1p(counts / np.where(total > 0, total, 1) * target)


def counts_of(path):
    return np.asarray(anndata.read_h5ad(path).layers["counts"].todense(), dtype=np.float64)


def make(folder):
    """Three patients with a control and a treated population. Treated cells of P2 are four times as deep."""
    random = np.random.default_rng(1)
    obs = pd.DataFrame({"patient": np.repeat(["P1", "P2", "P3"], 80), "treatment": np.tile(np.repeat(["DMSO", "S"], 40), 3)})
    obs.index = [f"c{i}" for i in range(len(obs))]
    means = random.gamma(0.5, 2, GENES)
    depth = np.where((obs.patient == "P2") & (obs.treatment == "S"), 4, 1)
    counts = random.poisson(np.outer(depth, means)).astype("f4")
    counts[5] = 0
    full = anndata.AnnData(normalised(counts.astype(np.float64)).astype("f4"), obs=obs, dtype="f4")
    full.var_names = [f"g{j}" for j in range(GENES)]
    full.raw = anndata.AnnData(sp.csr_matrix(counts), obs=obs, var=full.var, dtype="f4")
    full.layers["counts"] = sp.csr_matrix(counts)
    full.layers["counts_csc"] = sp.csc_matrix(counts)
    full.layers["counts_dense"] = counts.astype("i4")
    full.obsm["counts"] = counts
    full.obsm["X_pca"] = random.normal(size=(len(obs), 3)).astype("f4")
    full.obsm["table"] = pd.DataFrame(random.normal(size=(len(obs), 2)), index=obs.index, columns=["CD3", "CD8"])
    full.uns["log1p"] = {"base": None}
    full.write_h5ad("full.h5ad")
    plain = anndata.AnnData(sp.csr_matrix(counts), obs=obs, var=full.var, dtype="f4")
    plain.write_h5ad("counts.h5ad")
    plain[:, 60:].copy().write_h5ad("some.h5ad")
    plain.layers["counts"] = plain.X
    for name in ("no_x", "null_x"):
        plain.write_h5ad(f"{name}.h5ad")
        with h5py.File(f"{name}.h5ad", "r+") as file:
            del file["X"]
            if name == "null_x":
                file.create_dataset("X", data=h5py.Empty("f4")).attrs["encoding-type"] = "null"
    with h5py.File("m.h5mu", "w") as file:
        for name in ("obs", "var", "mod/rna", "mod/prot"):
            file.create_group(name)
    with h5py.File("l.loom", "w") as file:
        file["matrix"] = counts.T
        for name in ("row_attrs", "col_attrs", "layers"):
            file.create_group(name)
    with h5py.File("ten3.h5", "w") as file:
        file["matrix/barcodes"] = [b"A", b"B"]
        file["matrix/features/id"] = [b"g"]
    with h5py.File("ten2.h5", "w") as file:
        for genome in ("hg19", "mm10"):
            for name in ("barcodes", "data", "genes", "indices", "indptr"):
                file[f"{genome}/{name}"] = [1, 2]


def same(expected, found, data, what):
    """Checks that two files of predictions have equal cells, and that these are the controls plus the mean shift."""
    a, b = anndata.read_h5ad(expected), anndata.read_h5ad(found)
    assert list(a.obs_names) == list(b.obs_names), what
    np.testing.assert_allclose(b.X, a.X, rtol=2e-5, atol=2e-5, err_msg=what)
    source = anndata.read_h5ad(data)
    x = normalised(counts_of(data))
    train = source.obs.patient != "P3"
    shift = np.mean([x[(source.obs.patient == p) & (source.obs.treatment == "S")].mean(axis=0) -
                     x[(source.obs.patient == p) & (source.obs.treatment == "DMSO")].mean(axis=0)
                     for p in source.obs.patient[train].unique()], axis=0)
    rows = source.obs_names.get_indexer(b.obs["predicted_from"])
    np.testing.assert_allclose(b.X, x[rows] + shift, rtol=1e-4, atol=1e-4, err_msg=what)
    if "--obsm" not in what:
        assert list(b.var_names) == list(source.var_names)


def stored_median(config):
    return float(next(line for line in open(config) if line.startswith("size-factor")).split(":")[1])


def median(data, config):
    """Checks the stored median: that of the totals above zero of the cells of P1 and P2."""
    total = counts_of(data)[(anndata.read_h5ad(data).obs.patient != "P3").to_numpy()].sum(axis=1)
    assert stored_median(config) == np.median(total[total > 0]), stored_median(config)


def raw_median(predicted, data, config):
    """Checks raw predictions: size factors are not undone, and uns names them."""
    p, source = anndata.read_h5ad(predicted), anndata.read_h5ad(data)
    target = stored_median(config)
    assert float(p.uns["popflow"]["size_factor"].removeprefix("median:")) == target, p.uns["popflow"]["size_factor"]
    x = normalised(counts_of(data), target)
    is_s = source.obs.treatment == "S"
    shift = np.mean([x[(source.obs.patient == n) & is_s].mean(axis=0) - x[(source.obs.patient == n) & ~is_s].mean(axis=0)
                     for n in ("P1", "P2")], axis=0)
    rows = source.obs_names.get_indexer(p.obs["predicted_from"])
    np.testing.assert_allclose(p.X, np.expm1(x[rows] + shift), rtol=1e-3, atol=1e-4)


def obsm(predicted):
    found = anndata.read_h5ad(predicted)
    assert list(found.var_names) == ["X_pca_1", "X_pca_2", "X_pca_3"] and found.var.shape[1] == 0


def scores(found, expected, predicted, data, config):
    """Checks that raw and transformed predictions have equal scores, and W2 with POT."""
    import ot
    from scipy.spatial.distance import cdist

    a, b = ({line.split()[0]: float(line.split()[1]) for line in open(path)} for path in (found, expected))
    for name in a:
        assert abs(a[name] - b[name]) < 1e-4 * abs(b[name]), (name, a[name], b[name])
    x, y = anndata.read_h5ad(predicted).X, normalised(counts_of(data), stored_median(config))
    cost = cdist(x, y, "sqeuclidean")
    w2 = np.sqrt(ot.emd2(np.full(len(x), 1 / len(x)), np.full(len(y), 1 / len(y)), cost))
    assert abs(b["w2"] - w2) < 1e-4 * w2, (b["w2"], w2)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
