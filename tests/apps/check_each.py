# SPDX-License-Identifier: MIT
"""Checks the joined results of a leave-one-out.

Usage: check_each.py joined RESULTS RUN...      the pairs and training tables are those of separate runs, one for each fold
       check_each.py same RESULTS RESULTS...    files differ in nothing but seconds and ranks
       check_each.py report RESULTS REPORT.csv  means and intervals follow from the pairs, with the folds as clusters
"""
import sys

from anndata.experimental import read_elem
import h5py
import numpy as np
import pandas as pd

VARIABLE = ["seconds", "rank"]


def table(path, name):
    """Returns a table of a result file as pandas data frame with plain columns."""
    with h5py.File(path) as file:
        frame = read_elem(file[name])
    return frame.astype({c: str for c in frame.columns if isinstance(frame[c].dtype, pd.CategoricalDtype)}).reset_index(drop=True)


def values(frame):
    """Returns a table without the columns that differ between starts of the program."""
    return frame.drop(columns=[c for c in VARIABLE if c in frame.columns])


def check_joined(results, runs):
    pairs = table(results, "pairs")
    separate = []
    for run in runs:
        own = table(f"{run}/results.h5", "pairs")
        separate.append(own[own["part"] == "test"])
    expected = pd.concat(separate, ignore_index=True)
    pd.testing.assert_frame_equal(values(pairs).drop(columns="fold"), values(expected), check_exact=True)
    with h5py.File(results) as file:
        split = file.attrs["split"]
        assert split.startswith("each:"), split
        column = split.split(":")[1]
        assert f"split = {split}\n" in file.attrs["config"]
        embeddings, cells = file["embeddings/values"].shape, read_elem(file["cells/obs"])
    assert (pairs["fold"] == pairs[column]).all()
    assert embeddings[0] == 0 and set(cells["pair"]) <= set(pairs["pair"]) and len(cells) > 0
    assert not pairs.duplicated(["pair", "predictor"]).any()
    folds = table(results, "folds")
    scored = folds[folds["status"] == "scored"]
    assert list(scored["fold"]) == list(pairs["fold"].unique())
    assert list(scored["n_pairs"]) == [pairs[pairs["fold"] == f]["pair"].nunique() for f in scored["fold"]]
    training = table(results, "training")
    for fold, run in zip(scored["fold"], runs):
        own = training[training["fold"] == fold].reset_index(drop=True)
        pd.testing.assert_frame_equal(values(own).drop(columns="fold"), values(table(f"{run}/results.h5", "training")), check_exact=True)
    # The mean over cultures, computed another way.
    summary = table(results, "summary").set_index(["part", "predictor", "aggregation"])
    for predictor, rows in pairs[pairs["part"] == "test"].groupby("predictor"):
        for metric in ("w1", "w2", "energy"):
            mean = rows.groupby("culture")[metric].mean().mean()
            np.testing.assert_allclose(summary.loc[("test", predictor, "culture_mean"), metric], mean, rtol=1e-12)


def check_same(first, *others):
    for other in others:
        for name in ("pairs", "summary", "training", "folds"):
            pd.testing.assert_frame_equal(values(table(first, name)), values(table(other, name)), check_exact=True)
        with h5py.File(first) as a, h5py.File(other) as b:
            assert np.array_equal(a["cells/X"][()], b["cells/X"][()])
            for key in a.attrs:
                same = a.attrs[key] == b.attrs[key]
                assert same or key in ("ranks", "threads"), f"{key}: {a.attrs[key]} and {b.attrs[key]}"


def check_report(results, report):
    pairs, found = table(results, "pairs"), pd.read_csv(report)
    assert list(found["split"].unique()) == ["each:patient"]
    rows = found[(found["aggregation"] == "culture_mean") & (found["metric"] == "w2") & (found["part"] == "test")]
    for row in rows.itertuples():
        own = pairs[pairs["predictor"] == row.predictor]
        np.testing.assert_allclose(row.mean, own.groupby("culture")["w2"].mean().mean(), rtol=1e-12)
        assert row.n_clusters == pairs["fold"].nunique() and row.n_pairs == pairs["pair"].nunique()
        assert row.low < row.mean < row.high
    model = rows[rows["predictor"] == "model"].iloc[0]
    wide = pairs.pivot(index="pair", columns="predictor", values="w2")
    assert model["mean_shift_wins"] == (wide["model"] < wide["mean_shift"]).sum()
    # Sign flips of the sums over the folds, which all have the same culture.
    gain = (wide["mean_shift"] - wide["model"]).groupby(pairs.drop_duplicates("pair").set_index("pair")["fold"]).sum().to_numpy()
    flips = np.array(np.meshgrid(*[[-1, 1]] * len(gain))).reshape(len(gain), -1).T @ gain
    np.testing.assert_allclose(model["mean_shift_p"], np.mean(np.abs(flips) >= abs(gain.sum()) - 1e-9), rtol=1e-9)


{"joined": lambda results, *runs: check_joined(results, runs), "same": check_same, "report": check_report}[sys.argv[1]](*sys.argv[2:])
