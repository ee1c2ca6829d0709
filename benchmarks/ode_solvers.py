#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the ODE solvers of predictions: error, CPU time and scores at several tolerances.

    ode_solvers.py POPFLOW RUN [--pairs N] [--cells 1000] [--rounds 3] [EVALUATE OPTION...]

Scores the held-out pairs of a run with each solver and tolerance. The error of a cell is the root mean square over markers of its
difference to a prediction with tolerance 1e-8, in normalised units. CPU s are those of predicting: the time of a whole
`popflow evaluate`, minus that of one with tolerance 1, which takes few steps. Each time is the median of the rounds. The last
columns are the mean energy distance and the mean W2 of the model, and their change in percent of the excess over the noise floor.
"""
import argparse
import statistics
import tempfile
from pathlib import Path

import h5py
import numpy as np

from programs import measured_run

CASES = [("dopri5", 1e-5), ("dopri5", 1e-4), ("dopri5", 1e-3), ("adams", 1e-5), ("adams", 1e-4), ("adams", 3e-4), ("adams", 5e-4), ("adams", 1e-3),
         ("adams", 1e-2)]
REFERENCE = ("dopri5", 1e-8)
FEWEST = ("adams", 1.0)

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("popflow")
parser.add_argument("run")
parser.add_argument("--cells", type=int, default=1000, help="maximum number of cells of a population")
parser.add_argument("--rounds", type=int, default=3)
options, more = parser.parse_known_args()


def evaluate(folder, case, metrics):
    """Scores the pairs. Returns CPU seconds, predicted cells and the scores by predictor."""
    solver, tolerance = case
    scores, cells = folder / "scores.h5", folder / "cells.h5ad"
    for path in (scores, cells):
        path.unlink(missing_ok=True)
    _, cpu, _ = measured_run([options.popflow, "evaluate", "--run", options.run, "--max-cells", options.cells, "--ode-solver", solver,
                              "--tolerance", tolerance, "--metrics", metrics, "--space", "normalised", "--predictions", cells,
                              "--output", scores, *more])
    with h5py.File(cells) as file:
        x = file["X"][:]
    with h5py.File(scores) as file:
        pairs = file["pairs"]
        names = pairs["predictor"]
        if isinstance(names, h5py.Group):
            categories = names["categories"].asstr()[:]
            names = categories[names["codes"][:]]
        else:
            names = names.asstr()[:]
        values = {metric: {name: float(np.nanmean(pairs[metric][:][names == name])) for name in set(names)} for metric in metrics.split(",")}
    return cpu, x, values


with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    _, exact, reference = evaluate(folder, REFERENCE, "energy,w2")
    model = "model"
    floor = "noise_floor_matched" if "noise_floor_matched" in reference["w2"] else "noise_floor"
    cpu = {case: [] for case in [FEWEST, *CASES]}
    for _ in range(options.rounds):
        for case in cpu:
            cpu[case].append(evaluate(folder, case, "energy")[0])
    seconds = {case: statistics.median(times) for case, times in cpu.items()}
    print("| solver | tolerance | CPU s | error, mean | largest | energy | change % | W2 | change % |\n|---|---|---|---|---|---|---|---|---|")
    for case in CASES:
        _, x, values = evaluate(folder, case, "energy,w2")
        error = np.sqrt(np.mean((x - exact) ** 2, axis=1))
        row = [case[0], f"{case[1]:g}", f"{seconds[case] - seconds[FEWEST]:.1f}", f"{error.mean():.1e}", f"{error.max():.1e}"]
        for metric in ("energy", "w2"):
            excess = reference[metric][model] - reference[metric][floor]
            row += [f"{values[metric][model]:.4f}", f"{100 * (values[metric][model] - reference[metric][model]) / excess:+.3f}"]
        print("| " + " | ".join(row) + " |", flush=True)
