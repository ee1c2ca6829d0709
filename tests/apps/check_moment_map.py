#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a screen for the moment map, and compares the results with NumPy.

    check_moment_map.py make SCREEN.h5ad
    check_moment_map.py check SCREEN.h5ad            the runs rbf and linear in this folder
    check_moment_map.py baseline MAP.h5 OTHER.h5     the model of MAP.h5 has the scores of moment_map in both files
    check_moment_map.py same WITHOUT.h5 WITH.h5      all rows of WITHOUT.h5 are in WITH.h5, which has only moment_map in addition
    check_moment_map.py remove RUN                   removes the moment map from the checkpoint of a run
"""
import sys
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden/moments"))
import generate  # noqa: E402

MARKERS = 4


def make(path):
    """Writes 8 patients with 1 or 2 plates. A moves and scales, B moves, C has pairs of two patients only."""
    rng = np.random.default_rng(7)
    rows, cells = [], []
    for patient in range(8):
        centre, share = 1.5 * rng.normal(size=MARKERS), rng.uniform(0.2, 0.8)
        for plate in range(1 + patient % 2):
            start = centre + 0.1 * rng.normal(size=MARKERS)
            for treatment in ("control", "A", "B", "C"):
                if treatment == "C" and patient not in (0, 1, 7):
                    continue
                n = int(rng.integers(40, 70))
                types = rng.random(n) < share
                shift = {"control": 0, "A": np.sin(start) + 2 * share, "B": np.cos(start), "C": 0.5}[treatment]
                spread = np.exp(0.5 * np.tanh(start)) if treatment == "A" else 1
                cells.append(3 * (start + shift + spread * rng.normal(size=(n, MARKERS))) + 2)
                rows += [(f"P{patient}", str(plate), treatment, "t1" if t else "t2") for t in types]
    obs = pd.DataFrame(rows, columns=["patient", "plate", "treatment", "cell_type"], index=[str(i) for i in range(len(rows))])
    order = rng.permutation(len(rows))
    anndata.AnnData(np.vstack(cells).astype(np.float32)[order], obs.iloc[order], pd.DataFrame(index=list("abcd"))).write_h5ad(path)


def check(path):
    """Compares the predicted cells of the held-out patient with those of NumPy."""
    screen = anndata.read_h5ad(path)
    obs, x = screen.obs.astype(str).reset_index(drop=True), np.asarray(screen.X, float)
    with h5py.File("rbf/checkpoint.h5") as file:
        mean, scale = file["normalisation_mean"][()].astype(float), file.attrs["normalisation_scale"]
    x = (x - mean) / scale

    def rows_of(patient, plate, treatment):
        return np.flatnonzero((obs["patient"] == patient) & (obs["plate"] == plate) & (obs["treatment"] == treatment))

    def features(rows):
        shares = [np.mean(obs["cell_type"][rows] == t) for t in ("t1", "t2")]
        return np.concatenate([x[rows].mean(0), shares])

    experiments = sorted(set(zip(obs["patient"], obs["plate"])))
    pairs = [(p, rows_of(p, plate, "control"), treatment, rows_of(p, plate, treatment))
             for p, plate in experiments for treatment in "ABC" if len(rows_of(p, plate, treatment))]
    training = [pair for pair in pairs if pair[0] != "P7"]
    offset = 0.05 * np.mean([x[control].std(0).mean() for _, control, _, _ in training])
    chosen = set()
    for name, kernel in (("rbf", 1), ("linear", 0)):
        written = anndata.read_h5ad(f"{name}.h5ad")
        found = (np.asarray(written.X, float) - mean) / scale
        for patient, control, treatment, _ in (pair for pair in pairs if pair[0] == "P7"):
            own = [pair for pair in training if pair[2] == treatment]
            units = np.array([pair[0] for pair in own])
            inputs = np.array([features(pair[1]) for pair in own])
            shifts = np.array([x[pair[3]].mean(0) - x[pair[1]].mean(0) for pair in own])
            ratios = np.array([np.log((x[pair[3]].std(0) + offset) / (x[pair[1]].std(0) + offset)) for pair in own])
            query = features(control)[None]
            _, width, penalty, _ = generate.choose(kernel, inputs, shifts, units)
            shift = generate.predict(kernel, inputs, shifts, query, width, penalty)[0]
            error, ratio_width, ratio_penalty, _ = generate.choose(kernel, inputs, ratios, units)
            ratio = np.zeros(MARKERS)
            if error < (ratios ** 2).sum():
                ratio = generate.predict(kernel, inputs, ratios, query, ratio_width, ratio_penalty)[0]
            chosen.add((treatment, np.isfinite(penalty), ratio.any()))
            centre = x[control].mean(0)
            expected = (x[control] - centre) * np.exp(ratio) + centre + shift
            plate = obs["plate"][control[0]]
            rows = (written.obs["predicted_treatment"].astype(str) == treatment) & (written.obs["plate"].astype(str) == plate)
            cells = found[rows.to_numpy()]
            assert len(cells) == len(expected), (name, treatment, len(cells), len(expected))
            error = np.abs(np.sort(cells, 0) - np.sort(expected, 0)).max()
            assert error < 2e-4, (name, treatment, plate, error)
    assert ("A", True, True) in chosen and ("C", False, False) in chosen, chosen


def scores(path):
    """Returns {(pair, predictor): scores} of a result file."""
    with h5py.File(path) as file:
        pairs = file["pairs"]
        text = [pairs[c]["categories"].asstr()[()][pairs[c]["codes"][()]] for c in ("pair", "predictor")]
        values = np.array([pairs[m][()] for m in ("w1", "w2", "energy", "mmd", "r2", "w1_markers")]).T
    return {key: row for key, row in zip(zip(*text), values)}


def baseline(model, other):
    with_model, with_other = scores(model), scores(other)
    names = {pair for pair, _ in with_model}
    for pair in names:
        np.testing.assert_array_equal(with_model[pair, "moment_map"], with_other[pair, "moment_map"])
        np.testing.assert_allclose(with_model[pair, "model"], with_model[pair, "moment_map"], rtol=1e-4, atol=1e-6)
    better = np.mean([with_model[pair, "moment_map"][2] < with_model[pair, "mean_shift"][2] for pair in names])
    assert better > 0.5, better


def same(without, with_map):
    before, after = scores(without), scores(with_map)
    assert {key for key in after if key[1] != "moment_map"} == set(before)
    for key, row in before.items():
        np.testing.assert_array_equal(row, after[key])


def remove(run):
    """Removes the group from the HDF5 content. A file without checksum is one that another program has rewritten."""
    for name in ("checkpoint.h5", "weights.h5"):
        path = Path(run) / name
        with h5py.File(path, "r+") as file:
            del file["moment_map"]
            del file.attrs["checksum"]
        content = path.read_bytes()
        end = content.rfind(b"popflow checksum xxh3")
        if end > 0:
            path.write_bytes(content[:end])


if __name__ == "__main__":
    {"make": make, "check": check, "baseline": baseline, "same": same, "remove": remove}[sys.argv[1]](*sys.argv[2:])
