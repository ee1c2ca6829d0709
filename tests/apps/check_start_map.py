#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks predictions that start at a map. NumPy computes what is expected.

    check_start_map.py is_baseline PREDICTOR RESULTS.h5...           the model has the scores of a baseline
    check_start_map.py blend START FULL PART SHRINKAGE DISTANCE POWER   PART = START + factor (FULL - START)
    check_start_map.py distance SCREEN.h5ad RESULTS.h5 PREDICTIONS.h5ad HELD_OUT
    check_start_map.py path SCREEN.h5ad WEIGHTS.h5 EVALUATED.h5ad PREDICTED.h5ad
    check_start_map.py far SCREEN.h5ad OUTPUT.h5ad PATIENT           moves the control and treated cells of a patient away
"""
import sys

import anndata
import h5py
import numpy as np
import pandas as pd
from anndata.experimental import read_elem

KEYS = ["patient", "plate"]


def is_baseline(predictor, *results):
    for path in results:
        with h5py.File(path) as file:
            pairs = read_elem(file["pairs"])
        model, baseline = (pairs[pairs["predictor"] == name].set_index("pair") for name in ("model", predictor))
        assert len(model) > 2
        for metric in ("w2", "energy", "r2_means"):
            np.testing.assert_allclose(model[metric], baseline[metric], rtol=1e-5, atol=1e-6, err_msg=path)


def distances_of(predictions):
    uns = predictions.uns["popflow"]
    by_name = dict(zip(uns["predicted_pair"], uns["training_distance"]))
    return predictions.obs["predicted_pair"].astype(str).map(by_name).to_numpy(float)


def blend(start, full, part, shrinkage, distance, power):
    start, full, part = (anndata.read_h5ad(path) for path in (start, full, part))
    r = distances_of(part)
    assert (r > float(distance)).any()
    factor = float(shrinkage) * np.minimum(1, (float(distance) / r) ** float(power))
    assert len(set(np.round(factor, 9))) > 1
    np.testing.assert_allclose(part.X, start.X + factor[:, None] * (full.X - start.X), rtol=1e-4, atol=1e-5)


def distance(screen, results, predictions, held_out):
    """Distances to the nearest training control, relative to the median distance between controls of different patients."""
    screen = anndata.read_h5ad(screen)
    obs = screen.obs.astype(str).reset_index(drop=True)
    x = pd.DataFrame(np.asarray(screen.X, float))
    means = x[obs["treatment"] == "control"].groupby([obs["patient"], obs["plate"]]).mean()
    training = means[means.index.get_level_values(0) != held_out]
    # Each control counts once for each of its pairs.
    pairs = obs[obs["treatment"] != "control"].drop_duplicates([*KEYS, "treatment"])
    weights = pairs.groupby(KEYS).size()
    between = np.linalg.norm(training.values[:, None] - training.values[None], axis=2)
    patients = training.index.get_level_values(0)
    between[patients.values[:, None] == patients.values[None]] = np.inf
    typical = np.median(np.repeat(between.min(1), [weights[key] for key in training.index]))
    with h5py.File(results) as file:
        scores = read_elem(file["pairs"])
    assert len(scores) > 4
    for _, row in scores.iterrows():
        own = means.loc[(row["patient"], row["plate"])].values
        expected = np.linalg.norm(training.values - own, axis=1).min() / typical
        np.testing.assert_allclose(row["training_distance"], expected, rtol=1e-4)
    predictions = anndata.read_h5ad(predictions)
    expected = scores.drop_duplicates("pair").set_index("pair")["training_distance"]
    found = dict(zip(predictions.uns["popflow"]["predicted_pair"], predictions.uns["popflow"]["training_distance"]))
    for pair, value in expected.items():
        np.testing.assert_allclose(found[pair], value, rtol=1e-12)


def path(screen, weights, evaluated, predicted):
    """The prediction of weights.h5 has the evaluated cells. Its layers lead from the control cells to X."""
    screen, evaluated, predicted = (anndata.read_h5ad(name) for name in (screen, evaluated, predicted))
    with h5py.File(weights) as file:
        mean, scale = file["normalisation_mean"][()], file.attrs["normalisation_scale"]
    control = (screen[predicted.obs["predicted_from"].astype(str)].X - mean) / scale
    np.testing.assert_allclose(predicted.layers["t=0"], control, rtol=1e-4, atol=1e-4)
    assert np.abs(predicted.layers["t=0.5"] - (control + predicted.X) / 2).max() < 2
    assert np.abs(predicted.layers["t=0.5"] - predicted.X).max() > 0.01
    def rows(data):
        treatment = data.obs["predicted_treatment"].astype(str)
        return pd.DataFrame(np.asarray(data.X), index=data.obs["predicted_from"].astype(str) + " " + treatment)
    expected, found = rows(evaluated), rows(predicted)
    np.testing.assert_allclose(found.loc[expected.index], expected, rtol=1e-5, atol=1e-6)


def far(screen, output, patient):
    screen = anndata.read_h5ad(screen)
    screen.X[(screen.obs["patient"].astype(str) == patient).to_numpy()] += 100
    screen.write_h5ad(output)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
