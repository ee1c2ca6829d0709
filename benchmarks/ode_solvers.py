#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the ODE solvers of predictions: error and CPU time of predicted cells, and scores of held-out pairs.

    ode_solvers.py POPFLOW RUN CONTROLS.h5ad TREATMENT [--rounds 3] [--score-cells 300]

CONTROLS.h5ad has control cells, which each solver moves to the treatment at several tolerances. The error of a cell is the root mean
square over markers of its difference to a prediction with tolerance 1e-7, in normalised units. CPU s are those of `popflow predict`,
minus those with tolerance 1, which takes few steps. They are medians of the rounds. --score-cells N also scores the held-out pairs
of the run with at most N cells of each population. The last columns are then the changes of the model's mean energy distance and mean
W2 from those with tolerance 1e-7, in percent of their excess over the noise floor.
"""
import argparse
import statistics
import tempfile
from pathlib import Path

import h5py
import numpy as np

from programs import measured_run

CASES = [("dopri5", 1e-5), ("dopri5", 1e-4), ("dopri5", 1e-3), ("adams", 1e-5), ("adams", 1e-4), ("adams", 3e-4), ("adams", 1e-3),
         ("adams", 1e-2)]
REFERENCE = ("dopri5", 1e-7)
FEWEST = ("adams", 1.0)

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("popflow")
parser.add_argument("run")
parser.add_argument("controls")
parser.add_argument("treatment")
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--score-cells", type=int, default=0)
options = parser.parse_args()


def words(verb, case, *more):
    return [options.popflow, verb, "--run", options.run, "--ode-solver", case[0], "--tolerance", case[1], *more]


def predict(folder, case):
    """Returns CPU seconds and the predicted cells, shape [n, d]."""
    path = folder / "cells.h5ad"
    path.unlink(missing_ok=True)
    _, cpu, _ = measured_run(words("predict", case, "--data", options.controls, "--treatment", options.treatment, "--space",
                                   "normalised", "--output", path))
    with h5py.File(path) as file:
        return cpu, file["X"][:]


def score(folder, case):
    """Returns {metric: (mean of the model, mean noise floor)} over the held-out pairs."""
    path = folder / "scores.h5"
    path.unlink(missing_ok=True)
    measured_run(words("evaluate", case, "--max-cells", options.score_cells, "--metrics", "energy,w2", "--output", path))
    with h5py.File(path) as file:
        pairs = file["pairs"]
        predictor = pairs["predictor/categories"].asstr()[:][pairs["predictor/codes"][:]]
        mean = lambda metric, name: float(np.nanmean(pairs[metric][:][predictor == name]))
        return {metric: (mean(metric, "model"), mean(metric, "noise_floor_matched")) for metric in ("energy", "w2")}


with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    _, exact = predict(folder, REFERENCE)
    cpu = {case: [] for case in [FEWEST, *CASES]}
    cells = {}
    for _ in range(options.rounds):
        for case in cpu:
            seconds, cells[case] = predict(folder, case)
            cpu[case].append(seconds)
    seconds = {case: statistics.median(times) for case, times in cpu.items()}
    titles = ["solver", "tolerance", "CPU s", "mean error", "largest error"]
    if options.score_cells:
        reference = score(folder, REFERENCE)
        titles += [f"{metric}, change %" for metric in reference]
    print(f"{len(exact)} cells\n\n| " + " | ".join(titles) + " |\n" + "|---" * len(titles) + "|")
    for case in CASES:
        error = np.sqrt(np.mean((cells[case] - exact) ** 2, axis=1))
        row = [case[0], f"{case[1]:g}", f"{seconds[case] - seconds[FEWEST]:.2f}", f"{error.mean():.1e}", f"{error.max():.1e}"]
        if options.score_cells:
            scores = score(folder, case)
            row += [f"{100 * (scores[metric][0] - value) / (value - floor):+.3f}" for metric, (value, floor) in reference.items()]
        print("| " + " | ".join(row) + " |", flush=True)
