# SPDX-License-Identifier: MIT
"""Compares predictions of popflow with those of popflow.torch in FOLDER, from the same run folder.

Usage: check_torch.py PYTHON_FOLDER RUN PREDICTED.h5ad DATA.h5ad TOLERANCE [RAW.h5ad]
PREDICTED was written with --times 0,0.5 --space normalised --tolerance TOLERANCE, RAW with the same tolerance.
Prints the largest differences, each relative to the norm of the cells of a population. Fails above 1e-5, or above TOLERANCE
if that is larger: at a loose tolerance a rounding may decide whether the solver repeats a step.
"""
import json
import sys

import anndata
import numpy as np
import torch

sys.path.insert(0, sys.argv[1])
from popflow.torch import Run, export  # noqa: E402

torch.set_num_threads(1)
tolerance = float(sys.argv[5])
LIMIT = max(1e-5, tolerance)
run = Run(sys.argv[2])
predicted = anndata.read_h5ad(sys.argv[3])
data = anndata.read_h5ad(sys.argv[4])
raw_file = anndata.read_h5ad(sys.argv[6]) if len(sys.argv) > 6 else None
assert list(predicted.var_names) == run.markers
uns = predicted.uns["popflow"]
data = data[:, run.markers]
row_by_name = {name: i for i, name in enumerate(data.obs_names)}
largest = {"embedding": 0.0, "cells": 0.0, "intermediate cells": 0.0, "inverse": 0.0, "raw": 0.0}


def compare(kind, found, expected):
    """Records the relative difference of two arrays if it is the largest of its kind."""
    assert np.isfinite(found).all() and np.isfinite(expected).all()
    error = np.linalg.norm(np.asarray(found, float) - expected) / np.linalg.norm(expected)
    largest[kind] = max(largest[kind], error)


def in_model_space(x):
    """Returns normalised cells of a file in the space of the model. Cells that were mapped back lose nothing."""
    if run.latent is None:
        return np.asarray(x)
    components, mean, scale = run.latent
    return ((np.asarray(x, float) - mean) @ components.T / scale).astype(np.float32)


keys = ["predicted_population", "predicted_treatment", "predicted_concentration"]
groups = list(predicted.obs.assign(**{key: predicted.obs[key].astype(str) for key in keys}).groupby(keys))
assert len(groups) > 1
for (population, treatment, concentration), obs in groups:
    rows = predicted.obs_names.get_indexer(obs.index)
    at = [row_by_name[name] for name in obs["predicted_from"]]
    raw = np.asarray(data.X[at])
    types = data.obs["cell_type"].to_numpy()[at] if "cell_type" in data.obs else None
    x = run.normalise(raw)
    h = run.embed(x, types)
    if run.method != "icnn" and len(h):
        code = predicted.obs["predicted_population"].cat.categories.get_loc(population)
        compare("embedding", h.numpy(), uns["embeddings"][code])
    start = torch.from_numpy(in_model_space(predicted.layers["t=0"][rows]))
    if run.base == "source":
        compare("intermediate cells", x.numpy(), start.numpy())
    else:
        x = start
    dose = float(concentration) if run.doses == "all" else None
    end, intermediate = run.transport(x, treatment, dose, context=h, tolerance=tolerance, times=[0.5])
    compare("cells", end.numpy(), in_model_space(predicted.X[rows]))
    compare("intermediate cells", intermediate[0].numpy(), in_model_space(predicted.layers["t=0.5"][rows]))
    if raw_file is not None:
        as_raw = np.asarray(raw_file.X[rows])
        compare("inverse", run.invert(torch.from_numpy(in_model_space(predicted.X[rows]))), as_raw)
        compare("raw", run.predict(raw, treatment, dose, types, tolerance), as_raw)
for wrong in (dict(raw=raw[:, :1]), dict(raw=raw[0]), dict(types="PDO"), dict(types=["PDO"]), dict(tolerance=-1)):
    try:
        run.predict(**{**dict(raw=raw, treatment=treatment, concentration=dose, types=types), **wrong})
        raise AssertionError(f"accepted {wrong}")
    except ValueError as error:
        assert run.base == "gaussian" or next(iter(wrong)) in str(error), error
if run.method != "icnn":  # saves the networks as TorchScript and loads them again
    export(run, "model.pt")
    about = {"popflow.json": ""}
    scripted = torch.jit.load("model.pt", _extra_files=about)
    assert json.loads(about["popflow.json"])["markers"] == run.markers
    c = run.condition(treatment, dose)
    largest["scripted"] = 0.0
    numbers = run.type_numbers(types)
    if len(run.cell_types) > 1:
        assert run.type_numbers(["no such type", "", run.cell_types[1]]).tolist() == [-1, -1, 1]
    with torch.no_grad():
        if len(h):
            compare("scripted", scripted.context(run.normalise(raw), numbers).numpy(), h.numpy())
        for time in (0.0, 0.3, 1.0):
            t = torch.full((len(x),), time)
            compare("scripted", scripted(x, t, h, c).numpy(), run.model(x, t, h, c).numpy())
else:
    try:
        export(run, "model.pt")
        raise AssertionError("potentials were exported as a velocity")
    except ValueError as error:
        assert "method icnn" in str(error)
print(f"{sys.argv[2]}: {run.method}, base {run.base}, tolerance {tolerance}, {len(groups)} populations x treatments, " +
      ", ".join(f"{kind} {error:.1e}" for kind, error in largest.items()))
# The inverse transform is exponential, which amplifies differences of raw values.
assert all(error <= (3 if kind == "raw" else 1) * LIMIT for kind, error in largest.items()), largest
