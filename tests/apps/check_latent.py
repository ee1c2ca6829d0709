#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes screens for --latent and compares the results with scikit-learn, POT and NumPy.

    check_latent.py make SCREEN.h5ad MARKERS
    check_latent.py components SCREEN.h5ad RUN         components, mean and shares of variance
    check_latent.py cells SCREEN.h5ad P.h5ad ...       X = mean + X_latent V', and the coordinates of the run `identity`
    check_latent.py scores SCREEN.h5ad RUN P.h5ad REF  scores of each space; REF is a run without a latent space
    check_latent.py controls SCREEN.h5ad OUT.h5ad      control cells of P5 with the markers in reverse order
    check_latent.py same P.h5ad ONE.h5ad               the cells of treatment A of both files
    check_latent.py raw NORMALISED.h5ad RAW.h5ad
    check_latent.py same_scores A.h5 B.h5
    check_latent.py constant SCREEN.h5ad OUT.h5ad      with two markers that do not vary
    check_latent.py damage CHECKPOINT.h5 KIND
"""
import sys
from pathlib import Path

import anndata
import h5py
import numpy as np
import ot
import pandas as pd
from sklearn.decomposition import PCA

LATENT = ["w1", "w2", "mmd", "w1_markers", "sinkhorn", "mmd_scaled"]
MARKERS = ["r2", "energy", "r2_means", "change_correlation", "recall_top"]


def make(path, markers):
    """Writes 6 patients with control, A and B. The markers follow 12 factors of different variance, plus noise."""
    rng = np.random.default_rng(11)
    markers = int(markers)
    loading = rng.normal(size=(12, markers)) * 0.8 ** np.arange(12)[:, None] * (0.6 if markers < 100 else 0.3)
    rows, cells = [], []
    for patient in range(6):
        centre = 0.5 * rng.normal(size=12)
        for treatment in ("control", "A", "B"):
            n = int(rng.integers(40, 60))
            shift = {"control": 0, "A": np.sin(centre) + 0.4, "B": np.cos(centre)}[treatment]
            factors = centre + shift + rng.normal(size=(n, 12))
            cells.append(np.exp(np.clip(1 + factors @ loading + 0.3 * rng.normal(size=(n, markers)), -4, 6)))
            rows += [(f"P{patient}", treatment)] * n
    obs = pd.DataFrame(rows, columns=["patient", "treatment"], index=[f"c{i}" for i in range(len(rows))])
    order = rng.permutation(len(rows))
    var = pd.DataFrame(index=[f"g{j}" for j in range(markers)])
    anndata.AnnData(np.vstack(cells).astype(np.float32)[order], obs.iloc[order], var).write_h5ad(path)


def normalised(path, run):
    """Returns labels and normalised cells of all rows."""
    screen = anndata.read_h5ad(path)
    with h5py.File(Path(run) / "checkpoint.h5") as file:
        mean, scale = file["normalisation_mean"][()].astype(float), file.attrs["normalisation_scale"]
    return screen.obs.astype(str), (np.log1p(np.asarray(screen.X, float)) - mean) / scale


def components(path, run):
    obs, x = normalised(path, run)
    with h5py.File(Path(run) / "checkpoint.h5") as file:
        latent = file["latent"]
        found, mean, share = (latent[n][()] for n in ("components", "mean", "variance_share"))
        scale = latent.attrs["scale"]
        shifts = latent["marker_shifts"][()]
        latent_shifts = file["mean_shifts"][()]
    train = (obs["patient"] != "P5").to_numpy()
    pca = PCA(len(found), svd_solver="full").fit(x[train])
    expected = pca.components_ * np.sign(pca.components_[np.arange(len(found)), np.abs(pca.components_).argmax(1)])[:, None]
    np.testing.assert_allclose(found, expected, atol=2e-4)
    np.testing.assert_allclose(found @ found.T, np.eye(len(found)), atol=1e-5)
    np.testing.assert_allclose(share, pca.explained_variance_ratio_, rtol=1e-5)
    np.testing.assert_allclose(mean, pca.mean_, atol=1e-5)
    np.testing.assert_allclose(scale, pca.transform(x[train]).std(0).mean(), rtol=1e-5)
    for row, treatment in enumerate("AB"):
        each = [x[((obs["patient"] == p) & (obs["treatment"] == treatment)).to_numpy()].mean(0)
                - x[((obs["patient"] == p) & (obs["treatment"] == "control")).to_numpy()].mean(0)
                for p in sorted(set(obs["patient"])) if p != "P5"]
        np.testing.assert_allclose(shifts[row], np.mean(each, 0), atol=1e-5)
        np.testing.assert_allclose(latent_shifts[row], found @ np.mean(each, 0) / scale, atol=1e-4)


def predicted(path):
    """Returns obs, X, coordinates and the map back of a prediction file."""
    file = anndata.read_h5ad(path)
    return file.obs.astype(str), file.X, file.obsm["X_latent"], file.varm["latent_components"], file.uns["popflow"]["latent_mean"]


def cells(path, *files):
    obs, x = normalised(path, "fm")
    for name in files:
        own, values, z, v, mean = predicted(name)
        np.testing.assert_allclose(values, mean + z @ v.T, atol=2e-5)
        if name != "identity.h5ad":
            continue
        control = pd.Series(range(len(obs)), index=obs.index)[own["predicted_from"]].to_numpy()
        np.testing.assert_allclose(z, (x[control] - mean) @ v, atol=2e-5)


def energy(x, y):
    distance = lambda a, b: np.sqrt(np.maximum((a ** 2).sum(1)[:, None] + (b ** 2).sum(1) - 2 * a @ b.T, 0)).mean()
    return 2 * distance(x, y) - distance(x, x) - distance(y, y)


def table(path):
    with h5py.File(path) as file:
        pairs = file["pairs"]
        text = [pairs[c]["categories"].asstr()[()][pairs[c]["codes"][()]] for c in ("pair", "predictor")]
        return {key: {m: pairs[m][row] for m in LATENT + MARKERS if m in pairs} for row, key in enumerate(zip(*text))}


def scores(path, run, file, reference):
    obs, x = normalised(path, run)
    own, values, z, v, mean = predicted(file)
    with h5py.File(Path(run) / "results.h5") as results:
        assert list(results.attrs["latent_metrics"]) == LATENT, results.attrs["latent_metrics"]
        assert list(results.attrs["marker_metrics"]) == MARKERS, results.attrs["marker_metrics"]
        assert results.attrs["latent_components"] == 5 and 0.5 < results.attrs["latent_variance_share"] < 1
        assert list(results["cells/var/_index"].asstr()[()]) == [f"component {k}" for k in range(1, 6)]
    with h5py.File(Path(run) / "checkpoint.h5") as checkpoint:
        scale, shifts = checkpoint["latent"].attrs["scale"], checkpoint["latent/marker_shifts"][()]
    found, without = table(Path(run) / "results.h5"), table(Path(reference) / "results.h5")
    pairs = sorted({pair for pair, _ in found})
    assert len(pairs) == 2, pairs
    for pair in pairs:
        treatment = pair.split(" / ")[-1]
        rows = (own["predicted_treatment"] == treatment).to_numpy()
        of = lambda label: x[((obs["patient"] == "P5") & (obs["treatment"] == label)).to_numpy()]
        target, control = of(treatment), of("control")
        encode = lambda cells: (cells - mean) @ v / scale
        distance2 = lambda a, b: np.sqrt(ot.emd2([], [], ot.dist(a, b)))
        model = found[pair, "model"]
        close = lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-3, atol=1e-4)
        close(model["w2"], distance2(z[rows] / scale, encode(target)))
        close(model["energy"], energy(values[rows].astype(float), target))
        t, p, c = target.mean(0), values[rows].mean(0), control.mean(0)
        close(model["r2_means"], 1 - ((t - p) ** 2).sum() / ((t - t.mean()) ** 2).sum())
        close(model["change_correlation"], np.corrcoef(t - c, p - c)[0, 1])
        upper = np.triu_indices(x.shape[1], 1)
        close(model["r2"], np.corrcoef(np.corrcoef(values[rows].T)[upper], np.corrcoef(target.T)[upper])[0, 1])
        move = shifts["AB".index(treatment)]
        close(found[pair, "mean_shift"]["energy"], energy(control + move, target))
        close(found[pair, "mean_shift"]["w2"], distance2(encode(control + move), encode(target)))
        close(found[pair, "oracle_shift"]["energy"], energy(control + t - c, target))
        close(found[pair, "identity"]["w2"], distance2(encode(control), encode(target)))
        # The metrics of the markers of unchanged and shifted cells do not depend on the latent space.
        for predictor in ("identity", "mean_shift", "oracle_shift", "noise_floor"):
            for metric in MARKERS:
                np.testing.assert_allclose(found[pair, predictor][metric], without[pair, predictor][metric], rtol=1e-5, atol=1e-6)


def controls(path, out):
    screen = anndata.read_h5ad(path)
    rows = ((screen.obs["patient"] == "P5") & (screen.obs["treatment"] == "control")).to_numpy()
    screen[rows, ::-1].copy().write_h5ad(out)


def same(pairs, one):
    obs, x, z, _, _ = predicted(pairs)
    rows = (obs["predicted_treatment"] == "A").to_numpy()
    other, y, w, _, _ = predicted(one)
    np.testing.assert_array_equal(obs["predicted_from"][rows].to_numpy(), other["predicted_from"].to_numpy())
    names = [list(anndata.read_h5ad(f).var_names) for f in (pairs, one)]
    assert names[0] == names[1]
    np.testing.assert_array_equal(x[rows], y)
    np.testing.assert_array_equal(z[rows], w)


def raw(normal, path):
    with h5py.File("fm/checkpoint.h5") as file:
        mean, scale = file["normalisation_mean"][()].astype(float), file.attrs["normalisation_scale"]
    a, b = anndata.read_h5ad(normal), anndata.read_h5ad(path)
    np.testing.assert_allclose(np.expm1(a.X.astype(float) * scale + mean), b.X, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(a.obsm["X_latent"], b.obsm["X_latent"])


def same_scores(a, b):
    first, second = table(a), table(b)
    assert list(first) == list(second)
    for key, row in first.items():
        assert all(np.array_equal(v, second[key][m], equal_nan=True) for m, v in row.items()), key


def constant(path, out):
    screen = anndata.read_h5ad(path)
    screen.X[:, [3, 7]] = 2
    screen.write_h5ad(out)


def damage(path, kind):
    with h5py.File(path, "r+") as file:
        latent = file["latent"]
        if kind == "shape":
            values = latent["components"][()]
            del latent["components"]
            latent["components"] = values[:, :-1]
        elif kind == "version":
            latent.attrs["format"] = np.int64(9)
        elif kind == "kind":
            latent.attrs["kind"] = "umap"
        else:
            latent["components"][0, 0] += 1
    content = Path(path).read_bytes()
    end = content.rfind(b"popflow checksum xxh3")
    if end > 0:
        Path(path).write_bytes(content[:end])


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
