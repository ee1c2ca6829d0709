# SPDX-License-Identifier: MIT
"""Checks the result files of letters.sh. Usage: read_letters_results.py FOLDER"""

import pathlib
import sys

import anndata
import h5py
import numpy as np
from anndata.experimental import read_elem

folder = pathlib.Path(sys.argv[1])


def tables(path, *names):
    with h5py.File(folder / path) as file:
        return [read_elem(file[name]) for name in names]


letters = anndata.read_h5ad(folder / "letters.h5ad")
for run in ("fm", "cgfm", "mfm", "symmetric"):
    pairs, summary = tables(f"{run}/results.h5", "pairs", "summary")
    assert (pairs["status"] == "ok").all()
    model = pairs[pairs["predictor"] == "model"]
    train, test = model[model["part"] == "train"], model[model["part"] == "test"]
    assert sorted(train["patient"]) == ["I", "L", "T", "V"]
    assert sorted(test["patient"]) == ["X"] * 3 + ["Y"] * 3

    # The summary has separate rows for train, X and Y.
    rows = summary[summary["predictor"] == "model"].set_index(["part", "aggregation"])
    for letter in "XY":
        expected = test.loc[test["patient"] == letter, ["w1", "w2", "mmd"]].mean()
        np.testing.assert_allclose(rows.loc[("test", f"culture:{letter}"), expected.index].astype(float), expected)
    assert ("train", "pair_mean") in rows.index and not any("culture:" in a for p, a in rows.index if p == "train")

    # All points are scored. Scores are in the units of the file.
    sizes = letters.obs.groupby(["patient", "replicate"], observed=True).size() // 2
    for _, row in test.iterrows():
        assert row["n_predicted"] == row["n_target"] == sizes[row["patient"], row["replicate"]]
    identity = pairs[(pairs["predictor"] == "identity") & (pairs["part"] == "test")].iloc[0]
    population = (letters.obs["patient"] == identity["patient"]) & (letters.obs["replicate"] == identity["replicate"])
    control = (letters.obs["treatment"] == "control").to_numpy()
    marker_w1 = [
        np.abs(np.sort(letters.X[population & control, j]) - np.sort(letters.X[population & ~control, j])).mean()
        for j in range(2)
    ]
    np.testing.assert_allclose(identity["w1_markers"], np.mean(marker_w1), rtol=1e-5)

# CGFM has a one-hot context for a training pair, and the mean of all one-hot vectors for another pair.
(embeddings,) = tables("cgfm/results.h5", "embeddings")
own = {"I": range(0, 3), "L": range(3, 6), "T": range(6, 9), "V": range(9, 12)}
for name, h in zip(embeddings["pair"], embeddings["values"]):
    if name[0] in own:
        assert sorted(h) == [0] * 11 + [1] and h.argmax() in own[name[0]], (name, h)
    else:
        np.testing.assert_allclose(h, 1 / 12, rtol=1e-6)

(pairs,) = tables("all.h5", "pairs")
assert len(pairs[pairs["predictor"] == "model"]) == 12

# At the first step the velocity is about 0, so the loss is the mean squared distance between partners. That is 2 x 0.5^2 if
# rows correspond, and about the squared size of a letter if partners are random.
losses = {coupling: tables(f"{coupling}/training.h5", "training")[0]["loss"] for coupling in ("rows", "random")}
assert losses["rows"].iloc[0] < 0.8 < 3 < losses["random"].iloc[0], losses
