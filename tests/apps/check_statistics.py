# SPDX-License-Identifier: MIT
"""Checks intervals, tests and words of a report against NumPy, pandas and SciPy. Writes changed result files.

Usage: check_statistics.py RESULTS.h5 REPORT.txt REPORT.csv [--by COLUMN]
       check_statistics.py RESULTS.h5 --scale FACTOR OUTPUT.h5   (the model has FACTOR times the distances of the mean shift,
                                                                  and the identity 1.4 times)
       check_statistics.py RESULTS.h5 --old OUTPUT.h5            (without the metrics and the predictor of later versions)
"""
import argparse
import itertools
import shutil

import h5py
import numpy as np
import pandas as pd
from anndata.experimental import read_elem, write_elem
from scipy import stats

LOWER = ["w1", "w2", "mmd", "energy", "w1_markers", "mmd_scaled"]
HIGHER = ["r2", "r2_means", "change_correlation", "recall_top"]
NEW = ["change_correlation", "recall_top"]
RESAMPLES = 20000


def read_pairs(path):
    with h5py.File(path) as file:
        return read_elem(file["pairs"])


def write_changed(path, output, change):
    shutil.copy(path, output)
    with h5py.File(output, "r+") as file:
        for name in ("pairs", "summary"):
            table = change(name, read_elem(file[name]))
            del file[name]
            write_elem(file, name, table)


def scaled(factor):
    def change(name, table):
        if name == "summary":
            return table
        for metric in LOWER + HIGHER:
            base = table.loc[table["predictor"] == "mean_shift", metric].to_numpy()
            for predictor, f in (("model", factor), ("identity", 1.4)):
                table.loc[table["predictor"] == predictor, metric] = base * f if metric in LOWER else base - 0.1 * (f - 1)
        return table
    return change


def without_additions(name, table):
    table = table[table["predictor"] != "noise_floor_matched"].drop(columns=NEW).reset_index(drop=True)
    table.index = table.index.astype(str)
    for column in table.select_dtypes("category"):
        table[column] = table[column].cat.remove_unused_categories()
    return table


def mean(rows, metric, aggregation):
    """Returns the mean over pairs, or the mean over cultures of the means over pairs."""
    if aggregation == "culture_mean":
        return rows.groupby("culture", observed=True)[metric].mean().mean()
    return rows[metric].mean()


def by_cluster(rows, metric, aggregation):
    """Returns sums and counts of a metric, with a row for each stratum and a column for each patient."""
    rows = rows.assign(stratum=rows["culture"].astype(str) if aggregation == "culture_mean" else "")
    tables = rows.pivot_table(index="stratum", columns="patient", values=metric, aggfunc=["sum", "count"], fill_value=0)
    return tables["sum"].to_numpy(float), tables["count"].to_numpy(float)


def interval(rows, metric, aggregation, random):
    """Returns the expanded percentile interval of a bootstrap over patients, and its resampled standard deviation."""
    sums, counts = by_cluster(rows, metric, aggregation)
    n = rows["patient"].nunique()
    drawn = random.multinomial(n, [1 / n] * n, RESAMPLES)[:, : sums.shape[1]]
    with np.errstate(invalid="ignore"):
        means = np.nanmean((drawn @ sums.T) / (drawn @ counts.T), axis=1)
    means = means[np.isfinite(means)]
    tail = stats.norm.cdf(-np.sqrt(n / (n - 1)) * stats.t.ppf(0.975, n - 1))
    return *np.quantile(means, [tail, 1 - tail]), means.std()


def sign_flips(pairs, baseline, metric):
    """Returns wins, losses and pairs of the model, and the p-value of all sign flips of the patients."""
    sign = 1 if metric in HIGHER else -1
    wide = pairs[pairs["predictor"].isin(["model", baseline])].pivot_table(
        index=["pair", "patient", "culture"], columns="predictor", values=metric, observed=True).reset_index()
    wide["gain"] = sign * (wide["model"] - wide[baseline])
    wide = wide.dropna(subset=["gain"])
    sums, counts = by_cluster(wide, "gain", "culture_mean")
    signs = np.array(list(itertools.product([1, -1], repeat=sums.shape[1])))
    flipped = ((signs @ sums.T) / counts.sum(axis=1)).mean(axis=1)
    np.testing.assert_allclose(flipped[0], mean(wide, "gain", "culture_mean"), atol=1e-12)
    p = np.mean(np.abs(flipped) >= abs(flipped[0]) * (1 - 1e-10))
    return (wide["gain"] > 0).sum(), (wide["gain"] < 0).sum(), len(wide), p, flipped[0]


def words(pairs, metric):
    wins, losses, n, p, gain = sign_flips(pairs, "mean_shift", metric)
    text = "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
    if p >= 0.05:
        return f"shows no difference from mean_shift: better in {wins} of {n} pairs ({text})"
    return f"beats mean_shift in {wins} of {n} pairs ({text})" if gain > 0 else f"loses to mean_shift in {losses} of {n} pairs ({text})"


def check(path, text, table, by):
    pairs = read_pairs(path)
    pairs["patient"] = pairs["patient"].astype(str)
    found = pd.read_csv(table)
    random = np.random.default_rng(0)
    checked = 0
    for _, row in found.iterrows():
        part = pairs[(pairs["part"] == row["part"]) & (pairs["predictor"] == row["predictor"])]
        if ":" in row["aggregation"]:
            column, value = row["aggregation"].split(":", 1)
            assert column == by, row["aggregation"]
            part = part[part[column].astype(str) == value]
        assert part["patient"].nunique() == row["n_clusters"], row
        np.testing.assert_allclose(row["mean"], mean(part, row["metric"], row["aggregation"]), rtol=1e-12)
        if row["metric"] in ("w2", "r2", "change_correlation"):
            low, high, spread = interval(part, row["metric"], row["aggregation"], random)
            tolerance = 0.35 * spread + 1e-12
            assert abs(row["low"] - low) < tolerance and abs(row["high"] - high) < tolerance, (row, low, high)
            checked += 1
        assert row["low"] <= row["mean"] + 1e-12 and row["mean"] <= row["high"] + 1e-12, row
    assert checked > 10
    for _, row in found[(found["predictor"] == "model") & (found["aggregation"] == "culture_mean")].iterrows():
        wins, losses, n, p, _ = sign_flips(pairs, "mean_shift", row["metric"])
        assert [row["mean_shift_wins"], row["mean_shift_losses"], row["mean_shift_pairs"]] == [wins, losses, n], row
        np.testing.assert_allclose(row["mean_shift_p"], p, rtol=1e-9)
        assert np.isnan(row["moment_map_p"]) or "moment_map" in set(pairs["predictor"])
    with open(text) as file:
        assert f"MFM k=3 {words(pairs, 'w2')}" in file.read(), words(pairs, "w2")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("results")
    parser.add_argument("reports", nargs="*")
    parser.add_argument("--by", default="culture")
    parser.add_argument("--scale", nargs=2)
    parser.add_argument("--old")
    arguments = parser.parse_args()
    if arguments.scale:
        write_changed(arguments.results, arguments.scale[1], scaled(float(arguments.scale[0])))
    elif arguments.old:
        write_changed(arguments.results, arguments.old, without_additions)
    else:
        check(arguments.results, *arguments.reports, arguments.by)


main()
