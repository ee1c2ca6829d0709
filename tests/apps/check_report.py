# SPDX-License-Identifier: MIT
"""Checks the CSV of a report against means and standard deviations that pandas computes from the result files.

Usage: check_report.py TABLE.csv RESULTS.h5 ...
"""

import sys

import h5py
import numpy as np
import pandas as pd
from anndata.experimental import read_elem

METRICS = ["w1", "w2", "mmd", "r2", "energy", "r2_means", "w1_markers", "mmd_scaled", "change_correlation", "recall_top"]
ROW = ["predictor", "method", "base", "knn", "differs", "part", "aggregation", "metric"]
PUBLISHED_FM_NOISE = {"w1": (7.114, 0.100), "w2": (7.404, 0.086), "mmd": (0.06497, 0.00379), "r2": (0.613, 0.008)}


def long_table(path):
    """Returns every score of a file, with the key columns of its row in the report."""
    with h5py.File(path) as file:
        summary = read_elem(file["summary"])
        attributes = dict(file.attrs)
    table = summary.melt(["part", "predictor", "aggregation"], METRICS, "metric", "value")
    model = table["predictor"] == "model"
    mfm = attributes["method"] == "mfm"
    table["method"] = np.where(model, attributes["method"], "")
    table["base"] = np.where(model, attributes["base"], "")
    table["knn"] = np.where(model & mfm, str(attributes["knn"]), "")
    table["differs"] = np.where(model & mfm, f"steps={attributes['steps']}", "")
    table["seed"] = attributes["seed"]
    # The seed of the training does not change a baseline, so that it counts once.
    table.loc[~model, "seed"] = 0
    return table


def main():
    path, *files = sys.argv[1:]
    found = pd.read_csv(path, keep_default_na=False, dtype=str)
    scores = pd.concat([long_table(file) for file in files]).drop_duplicates([*ROW, "seed"])
    scores = scores.dropna(subset=["value"])
    expected = scores.groupby(ROW)["value"].agg(["mean", "std", "count"])
    found = found.set_index(ROW)
    assert not found.index.duplicated().any()
    assert set(found.index) == set(expected.index), set(found.index) ^ set(expected.index)
    assert set(found["split"]) == {"patient:21"}
    for key, row in found.iterrows():
        want = expected.loc[key]
        np.testing.assert_allclose(float(row["mean"]), want["mean"], rtol=1e-12, err_msg=str(key))
        assert int(row["n_seeds"]) == want["count"], key
        assert (row["std"] == "") == np.isnan(want["std"]), key
        if row["std"]:
            np.testing.assert_allclose(float(row["std"]), want["std"], rtol=1e-9, atol=1e-12, err_msg=str(key))
    noise = found.xs(("model", "fm", "gaussian", "", "", "test", "culture_mean"))
    for metric, (mean, std) in PUBLISHED_FM_NOISE.items():
        row = noise.loc[metric]
        np.testing.assert_allclose([float(row["published"]), float(row["published_std"])], [mean, std], rtol=1e-12)
    assert (found["published"] != "").sum() == 2 * len(PUBLISHED_FM_NOISE)  # train and test


main()
