# SPDX-License-Identifier: MIT
"""Checks the contents of a result file and of its run folder with anndata.

Usage: read_results.py RESULTS.h5 RUN [--unseen TREATMENT]
The model was not trained on TREATMENT. Its pairs must fail for the predictors that need training on it, and for no others.
"""

import argparse
import pathlib

import h5py
import numpy as np
import pandas as pd
from anndata.experimental import read_elem

METRICS = ["w1", "w2", "mmd", "r2", "energy", "r2_means", "w1_markers", "mmd_scaled", "change_correlation", "recall_top"]
PREDICTORS = ["model", "identity", "mean_shift", "moment_map", "oracle_shift", "noise_floor", "noise_floor_matched"]
LABELS = ["pair", "part", "patient", "culture", "treatment", "concentration", "replicate", "plate", "predictor"]
PAIRS = {
    **dict.fromkeys(LABELS, "category"),
    **dict.fromkeys(METRICS, "float64"),
    **dict.fromkeys(["n_predicted", "n_target"], "int64"),
    "training_distance": "float64",
    "status": "category",
    "message": "object",
    "seconds": "float64",
    "rank": "int64",
}
SUMMARY = {
    **dict.fromkeys(["part", "predictor", "aggregation"], "object"),
    **dict.fromkeys(["n_pairs", "n_failed"], "int64"),
    **dict.fromkeys(METRICS, "float64"),
}
TRAINING = {"step": "int64", **dict.fromkeys(["epoch", "loss", "lr", "grad_norm", "seconds"], "float64")}
ATTRIBUTES = ["version", "commit", "config", "seed", "ranks", "threads", "precision", "data_fingerprint", "method"]


def check_columns(table, expected, name):
    assert isinstance(table, pd.DataFrame), name
    found = {column: str(dtype) for column, dtype in table.dtypes.items()}
    assert list(found.items()) == list(expected.items()), f"{name}: {found}"


def check_pairs(pairs, unseen):
    check_columns(pairs, PAIRS, "pairs")
    assert set(pairs["predictor"].cat.categories) == set(PREDICTORS)
    assert (pairs.groupby("pair")["predictor"].apply(list).map(lambda names: names == PREDICTORS)).all()
    assert set(pairs["part"].cat.categories) <= {"train", "validation", "test"}
    must_fail = (pairs["treatment"] == unseen) & pairs["predictor"].isin(["model", "mean_shift", "moment_map"])
    assert must_fail.any() == (unseen is not None)
    assert (pairs["status"] == np.where(must_fail, "failed", "ok")).all(), pairs[["pair", "predictor", "status"]]
    small = check_matched(pairs)
    assert (pairs.loc[~small, "message"] == np.where(must_fail, f"treatment '{unseen}' was not among those trained on", "")[~small]).all()
    assert pairs.loc[must_fail | small, METRICS].isna().all(axis=None)
    computed = pairs.loc[~(must_fail | small), ["w1", "w2", "mmd", "r2", "r2_means", "recall_top"]]
    identity = pairs.loc[~(must_fail | small), "predictor"] == "identity"
    assert (np.isfinite(computed).all(axis=1) | identity).all()
    assert computed.loc[identity, "recall_top"].isna().all() and np.isfinite(computed.drop(columns="recall_top")).all(axis=None)
    assert (pairs.loc[~(must_fail | small), ["n_predicted", "n_target"]] > 0).all(axis=None)


def check_matched(pairs):
    """Checks the rows of noise_floor_matched. Returns which of them have too few treated cells for scores."""
    matched = pairs["predictor"] == "noise_floor_matched"
    small = matched & (pairs["n_predicted"] == 0)
    assert (pairs.loc[small, "message"].str.fullmatch(r"samples of \d+ and \d+ cells need \d+ treated cells, but there are \d+")).all()
    # The samples have the sizes of the other rows. Where those are the sizes of the halves, they are the same cells.
    sizes = pairs.set_index(["pair", "predictor"])
    for pair in pairs.loc[matched & ~small, "pair"]:
        columns = ["n_predicted", "n_target"]
        own, half = sizes.loc[(pair, "noise_floor_matched")], sizes.loc[(pair, "noise_floor")]
        assert (own[columns] == sizes.loc[(pair, "identity"), columns]).all()
        if (own[columns] == half[columns]).all():
            assert (own[METRICS].astype(float) == half[METRICS].astype(float)).all()
    return small


def recomputed(pairs):
    """Computes the rows of the summary from the pairs. Returns them by (part, predictor, aggregation)."""
    rows = {}
    for (part, predictor), group in pairs.groupby(["part", "predictor"], observed=True):
        failed = pairs.loc[pairs["status"] != "ok", "pair"]
        ok = group[~group["pair"].isin(failed)]
        cultures = ok.groupby("culture", observed=True)[METRICS].mean()
        counts = [len(ok), (group["status"] != "ok").sum()]
        rows[part, predictor, "culture_mean"] = counts + list(cultures.mean())
        rows[part, predictor, "pair_mean"] = counts + list(ok[METRICS].mean())
        if len(cultures) < 2:
            continue
        for culture, means in cultures.iterrows():
            rows[part, predictor, f"culture:{culture}"] = [(ok["culture"] == culture).sum(), 0, *means]
    return rows


def check_summary(summary, pairs):
    check_columns(summary, SUMMARY, "summary")
    expected = recomputed(pairs)
    found = summary.set_index(["part", "predictor", "aggregation"])
    assert not found.index.duplicated().any()
    assert set(found.index) == set(expected), set(found.index) ^ set(expected)
    for key, row in found.iterrows():
        np.testing.assert_allclose(row.to_numpy(dtype=float), expected[key], rtol=1e-12, err_msg=str(key))


def check_training(training, steps):
    check_columns(training, TRAINING, "training")
    assert training["step"].is_monotonic_increasing and training["step"].iloc[-1] == steps
    assert training["seconds"].is_monotonic_increasing
    assert np.isfinite(training.to_numpy()).all()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("results")
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--unseen")
    parser.add_argument("--cells", default="80", help="--max-cells of the evaluation")
    arguments = parser.parse_args()
    with h5py.File(arguments.results) as file:
        pairs, summary, training = (read_elem(file[name]) for name in ("pairs", "summary", "training"))
        embeddings, cells = read_elem(file["embeddings"]), read_elem(file["cells"])
        trained = read_elem(file["training_embeddings"])
        attributes = dict(file.attrs)
    with h5py.File(arguments.run / "training.h5") as file:
        training_of_run = read_elem(file["training"])

    missing = [name for name in ATTRIBUTES if name not in attributes]
    assert not missing, missing
    assert f"max-cells = {arguments.cells}\n" in attributes["config"]
    check_pairs(pairs, arguments.unseen)
    check_summary(summary, pairs)
    check_training(training, attributes["steps"])
    pd.testing.assert_frame_equal(training, training_of_run)

    test = pairs.loc[pairs["predictor"] == "model"]
    assert set(cells.obs["pair"]) <= set(test["pair"]) and cells.n_obs > 0
    assert set(cells.obs["state"]) == {"control", "predicted", "mean_shift", "treated"}
    assert np.isfinite(cells.X).all() and list(cells.obs["state"].cat.categories) == sorted(set(cells.obs["state"]))
    sizes = cells.obs.groupby(["pair", "state"], observed=True).size().unstack()
    assert (sizes["control"] == sizes["predicted"]).all() and (sizes["control"] == sizes["mean_shift"]).all() and sizes.to_numpy().max() <= 80

    assert list(embeddings["pair"]) == list(pairs.loc[pairs["predictor"] == "model", "pair"])
    norms = np.linalg.norm(embeddings["values"].astype(float), axis=1)
    assert embeddings["values"].dtype == np.float32 and len(norms) == len(embeddings["pair"])
    np.testing.assert_allclose(norms, 1, rtol=1e-6)
    # A control cell and its shifted state differ by the same vector in all cells of a pair.
    for _, pair in cells.obs.groupby("pair", observed=True):
        rows = {state: cells[own.index].X for state, own in pair.groupby("state", observed=True)}
        shift = rows["mean_shift"] - rows["control"]
        np.testing.assert_allclose(shift, np.broadcast_to(shift[:1], shift.shape), atol=1e-3)
    # The training populations are embedded once each, from the same cells as the scored training pairs.
    populations = trained["populations"]
    assert trained["values"].shape == (len(populations), embeddings["values"].shape[1]) and len(populations) > 0
    assert not populations.drop(columns="pair").duplicated().any()
    by_pair = dict(zip(embeddings["pair"], embeddings["values"]))
    parts = pairs.drop_duplicates("pair").set_index("pair")["part"]
    scored = [name for name in populations["pair"] if name in by_pair]
    assert all(parts[name] == "train" for name in scored) and (not (parts == "train").any() or scored)
    for name, value in zip(populations["pair"], trained["values"]):
        if name in by_pair:
            np.testing.assert_array_equal(value, by_pair[name])


main()
