# SPDX-License-Identifier: MIT
"""Writes the inputs of predictions.sh and checks the files of predicted cells.

Usage: check_predictions.py make SAMPLE FOLDER
   or  check_predictions.py CHECKS     (CHECKS: file with the name of a check below and its arguments on each line)
"""

import pathlib
import sys
import warnings

import anndata
import h5py
import numpy as np
import pandas as pd
import scipy.sparse
from anndata.experimental import read_elem
from scipy.stats import wasserstein_distance

warnings.simplefilter("error")  # includes anndata's warning about names that are not unique
warnings.filterwarnings("ignore", category=FutureWarning)
warnings.filterwarnings("ignore", category=DeprecationWarning)
CELLS = 200  # number of cells of a population
CONDITION = ["predicted_treatment", "predicted_concentration"]
read = anndata.read_h5ad


def make(sample, folder):
    """Writes three files.

    screen.h5ad: 4 genes of the sample.
    unseen.h5ad: the same, but only the held-out gene has EGF_60min.
    controls.h5ad: the controls in another encoding: interleaved populations, reversed markers and one more, CSR, obs columns of
        many types.
    """
    folder = pathlib.Path(folder)
    screen = read(sample)
    keep = screen.obs["patient"].isin(["MAPK1", "SRC", "KRAS", "GFP-FLAG", "MAPK14", "MAP2K7"])
    keep &= screen.obs["plate"] == screen.obs["plate"].iloc[0]
    screen = screen[keep & screen.obs["treatment"].isin(["control", "EGF_5min", "EGF_15min", "EGF_60min"])].copy()
    screen = screen[np.arange(screen.n_obs) % 1000 < CELLS].copy()
    screen.write_h5ad(folder / "screen.h5ad")

    unseen = screen.copy()
    unseen.obs["part"] = np.where(unseen.obs["patient"] == "MAPK1", "test", "train")
    unseen[(unseen.obs["treatment"] != "EGF_60min") | (unseen.obs["part"] == "test")].copy().write_h5ad(
        folder / "unseen.h5ad"
    )

    controls = screen[screen.obs["treatment"] == "control"]
    # Interleaves the populations. The cells of each keep their order.
    order = np.arange(controls.n_obs).reshape(-1, CELLS).T.ravel()
    controls = controls[order, ::-1].copy()
    n = controls.n_obs
    extra = anndata.AnnData(
        np.ones((n, 1), dtype=np.float32), obs=controls.obs, var=pd.DataFrame(index=["another"]), dtype=np.float32
    )
    data = anndata.concat([extra, controls], axis=1)
    data.obs = controls.obs.copy()
    data.var["channel"] = [f"channel {i}" for i in range(data.n_vars)]
    data.X = scipy.sparse.csr_matrix(data.X)
    data.obs["label"] = [f"text {i % 7} é" for i in range(n)]
    data.obs["count8"] = (np.arange(n) % 100).astype(np.int8)
    data.obs["count64"] = np.arange(n, dtype=np.uint64) + 2**63
    data.obs["score"] = np.where(np.arange(n) % 5, np.arange(n) / 3, np.nan)
    data.obs["score32"] = (np.arange(n) / 3).astype(np.float32)
    data.obs["flag"] = np.arange(n) % 3 == 0
    stage = pd.Categorical.from_codes(np.arange(n) % 4 - 1, ["late", "unused", "early"], ordered=True)
    data.obs["stage"] = stage
    data.obs["level"] = pd.Categorical(np.arange(n) % 3 + 10)
    data.obs["maybe"] = pd.arrays.IntegerArray(np.arange(n), np.arange(n) % 4 == 0)
    data.obs["perhaps"] = pd.arrays.BooleanArray(np.arange(n) % 2 == 0, np.arange(n) % 4 == 1)
    data.write_h5ad(folder / "controls.h5ad")


def normalisation(checkpoint):
    with h5py.File(checkpoint) as file:
        return file["normalisation_mean"][:], file.attrs["normalisation_scale"]


def normalised(x, checkpoint):
    mean, scale = normalisation(checkpoint)
    return (np.arcsinh(x / 5) - mean) / scale


def scores(pairs, results, checkpoint, screen):
    """Checks that w1_markers of the result file is that of the written cells. They are complete populations here."""
    predicted, truth = read(pairs), read(screen)
    with h5py.File(results) as file:
        table = read_elem(file["pairs"])
        embeddings = read_elem(file["embeddings"])
    table = table[(table["predictor"] == "model")].set_index("pair")
    assert list(predicted.obs["predicted_pair"].cat.categories) == list(table.index)
    uns = predicted.uns["popflow"]
    assert list(uns["predicted_pair"]) == list(embeddings["pair"])
    np.testing.assert_array_equal(uns["embeddings"], embeddings["values"])
    assert set(predicted.obs["predicted_part"]) == {"test"}
    for pair, cells in predicted.obs.groupby("predicted_pair"):
        row = table.loc[pair]
        assert len(cells) == row["n_predicted"] == CELLS
        assert set(cells["patient"]) == {row["patient"]} and set(cells["treatment"]) == {"control"}
        assert set(cells["predicted_treatment"]) == {row["treatment"]}
        assert set(cells["predicted_concentration"]) == {row["concentration"]}
        is_target = (truth.obs["patient"] == row["patient"]) & (truth.obs["treatment"] == row["treatment"])
        target = normalised(truth[is_target].X, checkpoint)
        x = predicted[cells.index].X
        expected = np.mean([wasserstein_distance(a, b) for a, b in zip(x.T, target.T)])
        np.testing.assert_allclose(row["w1_markers"], expected, rtol=1e-5)


def spaces(raw, arcsinh, transformed, norm, checkpoint):
    """Checks that the files have the same cells in different spaces."""
    raw, arcsinh, transformed, norm = (read(path) for path in (raw, arcsinh, transformed, norm))
    mean, scale = normalisation(checkpoint)
    np.testing.assert_allclose(arcsinh.X, norm.X * scale + mean, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(raw.X, 5 * np.sinh(arcsinh.X.astype(float)), rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(arcsinh.X, transformed.X)
    assert raw.X.min() < 0, "the inverse transform clips values below zero"
    found = [data.uns["popflow"]["space"] for data in (raw, arcsinh, transformed, norm)]
    assert found == ["raw", "arcsinh", "arcsinh", "normalised"], found


def keyed(data):
    """Returns the cells with the index (control cell, treatment, concentration)."""
    names = zip(data.obs["predicted_from"], data.obs["predicted_treatment"], data.obs["predicted_concentration"])
    return pd.DataFrame(data.X, index=pd.MultiIndex.from_tuples([tuple(map(str, name)) for name in names]))


def same_cells(pairs, everything):
    """Checks that the cells of `pairs` are also in `everything`, and the embeddings of both."""
    pairs, everything = read(pairs), read(everything)
    if everything.obs["predicted_concentration"].isna().all():  # trained without doses
        pairs.obs["predicted_concentration"] = np.nan
    a, b = keyed(pairs), keyed(everything)
    assert len(a) > 0 and len(b) > len(a) and a.index.is_unique and b.index.is_unique
    np.testing.assert_array_equal(a.to_numpy(), b.loc[a.index].to_numpy())
    # Each population has one embedding. The codes of the column are its row numbers.
    uns = everything.uns["popflow"]
    codes = everything.obs["predicted_population"].cat.codes
    assert codes.min() == 0 and codes.max() + 1 == len(uns["embeddings"]) == len(uns["predicted_population"])
    assert list(everything.obs["predicted_population"].cat.categories) == list(uns["predicted_population"])
    for patient, cells in pairs.obs.groupby("patient", observed=True):
        pair_embedding = pairs.uns["popflow"]["embeddings"][cells["predicted_pair"].cat.codes[0]]
        population = everything.obs.loc[everything.obs["predicted_from"].isin(cells["predicted_from"])]
        embeddings = uns["embeddings"][population["predicted_population"].cat.codes]
        assert (embeddings == pair_embedding).all() or pairs.obs["plate"].nunique() > 1


def obs_kept(controls, predicted, names_kept=""):
    """Checks that the predicted cells have the obs columns and the var columns of their control cells."""
    source, predicted = read(controls), read(predicted)
    columns = [name for name in predicted.obs.columns if not name.startswith("predicted_")]
    assert columns == list(source.obs.columns), columns
    rows = source.obs.loc[predicted.obs["predicted_from"]]
    pd.testing.assert_frame_equal(
        predicted.obs[columns].reset_index(drop=True), rows.reset_index(drop=True), check_names=False
    )
    assert predicted.obs["stage"].cat.ordered and list(predicted.obs["stage"].cat.categories)[1] == "unused"
    assert str(predicted.obs["maybe"].dtype) == "Int64" and str(predicted.obs["perhaps"].dtype) == "boolean"
    assert predicted.obs["count8"].dtype == np.int8 and predicted.obs["flag"].dtype == bool
    assert predicted.obs_names.is_unique
    assert (predicted.obs_names == predicted.obs["predicted_from"]).all() == bool(names_kept)
    assert "another" not in predicted.var_names and set(predicted.var_names) < set(source.var_names)
    assert (predicted.var["channel"] == source.var["channel"].loc[predicted.var_names]).all()
    assert predicted.X.dtype == np.float32
    assert all(str(predicted.obs[name].dtype) == "category" for name in CONDITION)
    config = predicted.uns["popflow"]["config"]
    assert "knn = 5\n" in config and predicted.uns["popflow"]["version"]


def intermediate(path, everything, controls, checkpoint):
    """Checks the layers with the cells at t = 0, 0.25 and 0.5."""
    path, everything, controls = read(path), read(everything), read(controls)
    assert list(path.layers) == ["t=0", "t=0.25", "t=0.5"] and list(path.uns["popflow"]["times"]) == [0, 0.25, 0.5]
    a, b = keyed(path), keyed(everything)
    np.testing.assert_array_equal(a.to_numpy(), b.loc[a.index].to_numpy())
    start = controls[path.obs["predicted_from"], path.var_names].X.toarray()
    np.testing.assert_allclose(path.layers["t=0"], normalised(start, checkpoint), rtol=1e-4, atol=1e-5)
    whole = path.X - path.layers["t=0"]
    half = path.layers["t=0.5"] - path.layers["t=0"]
    quarter = path.layers["t=0.25"] - path.layers["t=0"]
    distance = [np.linalg.norm(step, axis=1).mean() for step in (quarter, half, whole)]
    assert 0 < distance[0] < distance[1] < distance[2], distance


def sizes(path, n):
    """Checks that each predicted population has n cells."""
    data = read(path)
    by = [name for name in data.obs if name in ("predicted_pair", "predicted_population")]
    assert (data.obs.groupby([*by, "predicted_treatment"], observed=True).size() == int(n)).all()


def same_files(one, other):
    """Checks that two files have the same datasets and attributes."""
    contents = []
    for path in (one, other):
        with h5py.File(path) as file:
            found = {}
            file.visititems(lambda name, x: found.update({name: x[()]}) if isinstance(x, h5py.Dataset) else None)
            file.visititems(lambda name, x: found.update({f"{name}/{key}": x.attrs[key] for key in x.attrs}))
            contents.append(found)
    assert list(contents[0]) == list(contents[1])
    for name, value in contents[0].items():
        np.testing.assert_array_equal(value, contents[1][name], err_msg=f"{one} and {other}: {name}")


def failed(path, results):
    """Checks that the pair that failed in the result file has no cells."""
    data = read(path)
    with h5py.File(results) as file:
        table = read_elem(file["pairs"])
    table = table[table["predictor"] == "model"]
    assert (table["status"] == "failed").sum() == 1
    assert set(data.obs["predicted_pair"]) == set(table.loc[table["status"] == "ok", "pair"])
    assert set(data.obs["predicted_treatment"].cat.categories) == {"EGF_5min", "EGF_15min"}
    assert len(data.uns["popflow"]["embeddings"]) == 2


def conditions(path, *expected):
    """Checks that the file has exactly these conditions, each TREATMENT@CONCENTRATION."""
    data = read(path)
    found = set(zip(data.obs["predicted_treatment"], data.obs["predicted_concentration"]))
    assert found == {tuple(text.split("@")) for text in expected}, found
    by_condition = [cells.X for _, cells in ((k, data[v]) for k, v in data.obs.groupby(CONDITION, observed=True).groups.items())]
    assert len(by_condition) == len(expected) and not np.array_equal(by_condition[0], by_condition[1])


CHECKS = (scores, spaces, same_cells, obs_kept, intermediate, sizes, same_files, failed, conditions)
checks = {check.__name__: check for check in CHECKS}
if sys.argv[1] == "make":
    make(*sys.argv[2:])
else:
    for line in pathlib.Path(sys.argv[1]).read_text().splitlines():
        try:
            checks[line.split()[0]](*line.split()[1:])
        except Exception as problem:
            raise SystemExit(f"{line}: {type(problem).__name__}: {problem}") from problem
