#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the contexts of fixed encoders with NumPy and scikit-learn.

    check_encoder.py make SCREEN.h5ad                      patients P0 to P7 with 1 or 2 plates, two cell types
    check_encoder.py contexts SCREEN.h5ad ENCODER RUN PREDICTED.h5ad
                                                           results.h5 of a run with --split patient:P7, and predictions of all controls
    check_encoder.py far SCREEN.h5ad OUTPUT.h5ad           control cells at 50 and at -1000 times their distance from the origin
    check_encoder.py bounded RUN PREDICTED.h5ad            the contexts of these are equal and finite
    check_encoder.py damage RUN KIND                       one value of model/encoder of checkpoint.h5
    check_encoder.py single SCREEN.h5ad OUTPUT.h5ad        patients P0 and P7 with one plate
    check_encoder.py twice SCREEN.h5ad OUTPUT.h5ad         P0, P7 and copies of P0 under other names

ENCODER is moments or kernel-pca:N.
"""
import sys
from pathlib import Path

import h5py
import numpy as np

KEYS = ["patient", "plate"]
if sys.argv[1] != "damage":  # takes a second to import
    import anndata
    from anndata.experimental import read_elem

    from check_moment_map import make  # noqa: F401


class Controls:
    """Statistics of the control populations of a screen, normalised as in a run, and the contexts of an encoder."""

    def __init__(self, path, run, encoder):
        screen = anndata.read_h5ad(path)
        with h5py.File(Path(run) / "checkpoint.h5") as file:
            mean, scale = file["normalisation_mean"][()].astype(float), file.attrs["normalisation_scale"]
            types = file["cell_types"].asstr()[()]
        obs = screen.obs.astype(str).reset_index(drop=True)
        x = (np.asarray(screen.X, float) - mean) / scale
        self.keys, means, deviations, shares = [], [], [], []
        for key, rows in obs[obs["treatment"] == "control"].groupby(KEYS).indices.items():
            rows = np.flatnonzero(obs["treatment"] == "control")[rows]
            self.keys.append(key)
            means.append(x[rows].mean(0))
            deviations.append(x[rows].std(0))
            shares.append([np.mean(obs["cell_type"][rows] == t) for t in types])
        means, deviations, shares = map(np.array, (means, deviations, shares))
        train = np.array([patient != "P7" for patient, _ in self.keys])
        if encoder == "moments":
            offset = 0.05 * deviations[train].mean()
            features = np.hstack([means, np.log(deviations + offset), shares])
        else:
            features = np.hstack([means, shares])
        features = (features - features[train].mean(0)) / features[train].std(0)
        if encoder != "moments":
            features = self.components(features, train, int(encoder.split(":")[1]))
        self.contexts = dict(zip(self.keys, features))
        self.train = train

    @staticmethod
    def components(features, train, count):
        from sklearn.decomposition import KernelPCA
        fitted = features[train]
        squared = ((fitted[:, None] - fitted[None]) ** 2).sum(2)
        width = np.median(squared[np.triu_indices(len(fitted), 1)])
        model = KernelPCA(n_components=count, kernel="rbf", gamma=1 / width, eigen_solver="dense").fit(fitted)
        return model.transform(features) / model.transform(fitted).std(0)


def close(found, expected, what):
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4, err_msg=str(what))


def contexts(path, encoder, run, file):
    controls = Controls(path, run, encoder)
    evaluated(controls, run)
    predicted(controls, file)
    same(run, file)


def evaluated(controls, run):
    """Checks the embeddings of the training populations and of the scored ones."""
    with h5py.File(Path(run) / "results.h5") as file:
        trained, scored = read_elem(file["training_embeddings"]), read_elem(file["embeddings"])
        pairs = read_elem(file["pairs"]).drop_duplicates("pair").set_index("pair")
    table, values = trained["populations"], trained["values"]
    assert len(table) == controls.train.sum(), len(table)
    for key, value in zip(zip(table["patient"], table["pair"]), values):
        plate = str(pairs["plate"].get(key[1], "")) or None
        own = [k for k in controls.keys if k[0] == key[0] and (plate is None or k[1] == plate)]
        errors = [np.abs(value - controls.contexts[k]).max() for k in own]
        assert min(errors) < 1e-4, (key, errors)
    for pair, value in zip(scored["pair"], scored["values"]):
        key = (str(pairs["patient"][pair]), str(pairs["plate"][pair]))
        assert key[0] == "P7"
        close(value, controls.contexts[key], key)
    assert scored["values"].shape[1] == len(next(iter(controls.contexts.values())))


def predicted(controls, file):
    """Checks the embeddings of predictions of all controls."""
    cells = anndata.read_h5ad(file)
    values = cells.uns["popflow"]["embeddings"]
    codes = cells.obs["predicted_population"].cat.codes.to_numpy()
    seen = set()
    for code, patient, plate in zip(codes, cells.obs["patient"].astype(str), cells.obs["plate"].astype(str)):
        if code not in seen:
            close(values[code], controls.contexts[patient, plate], (patient, plate))
        seen.add(code)
    assert len(seen) == len(controls.keys), (len(seen), len(controls.keys))


def same(run, file):
    """Checks that predict and evaluate have the same embeddings of a population."""
    with h5py.File(Path(run) / "results.h5") as results:
        scored = read_elem(results["embeddings"])
    values = anndata.read_h5ad(file).uns["popflow"]["embeddings"]
    for value in scored["values"]:
        assert (values == value).all(1).any()


def far(path, output):
    screen = anndata.read_h5ad(path)
    screen = screen[(screen.obs["treatment"] == "control") & screen.obs["patient"].isin(["P0", "P2"])].copy()
    factor = np.where(screen.obs["patient"] == "P0", 50, -1000)
    screen.X = (np.asarray(screen.X) * factor[:, None]).astype(np.float32)
    screen.write_h5ad(output)


def bounded(run, file):
    values = anndata.read_h5ad(file).uns["popflow"]["embeddings"]
    assert len(values) == 2 and np.isfinite(values).all()
    with h5py.File(Path(run) / "checkpoint.h5") as checkpoint:
        offset = checkpoint["model/encoder/offset"][0].astype(np.float32)
    np.testing.assert_array_equal(values, np.array([-offset, -offset]))
    with h5py.File(Path(run) / "results.h5") as results:
        largest = np.abs(read_elem(results["training_embeddings"])["values"]).max()
    assert np.abs(values).max() < largest


def damage(run, kind):
    """Changes the HDF5 content. A file without checksum is one that another program has rewritten."""
    path = Path(run) / "checkpoint.h5"
    with h5py.File(path, "r+") as file:
        del file.attrs["checksum"]
        group = file["model/encoder"]
        if kind == "group":
            del file["model/encoder"]
        elif kind == "version":
            group.attrs["version"] = 2
        elif kind == "name":
            file["model/settings"].attrs["encoder"] = "nosuch"
        elif kind == "missing":
            del group["centre"]
        elif kind == "shape":
            values = group["scale"][()][:, :-1]
            del group["scale"]
            group["scale"] = values
        elif kind == "nan":
            group["offset"][0, 0] = np.nan
    content = path.read_bytes()
    end = content.rfind(b"popflow checksum xxh3")
    if end > 0:
        path.write_bytes(content[:end])


def single(path, output):
    screen = anndata.read_h5ad(path)
    screen[screen.obs["patient"].isin(["P0", "P7"]) & (screen.obs["plate"] == "0")].copy().write_h5ad(output)


def twice(path, output):
    screen = anndata.read_h5ad(path)
    first = screen[screen.obs["patient"] == "P0"]
    parts = [screen[screen.obs["patient"].isin(["P0", "P2", "P7"])]]
    for name in ("P8", "P9"):
        part = first.copy()
        part.obs["patient"] = name
        parts.append(part)
    screen = anndata.concat(parts, index_unique="-")
    screen.obs_names = [str(i) for i in range(screen.n_obs)]
    screen.write_h5ad(output)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
