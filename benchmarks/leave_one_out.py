#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
r"""Compares the methods with the simple models on screens, leaving out one patient (or gene) at a time, and prints Markdown tables.

    leave_one_out.py POPFLOW FOLDER --screen "NAME=FILE.h5ad[:OPTIONS]" ... [--simulated 4,10,40] [--seeds 1,2,3] \
        [--methods fm,mfm] [--row "NAME=OPTIONS"] [--leave-out patient]

Each row is a method, trained with `--split each:COLUMN` and its defaults on the other patients, and scored on the one that was left
out. Rows: identity, mean shift, moment map with RBF and linear kernel, and the METHODS below. `--row` adds one. `mfm, moment map`
starts from the moment map. `auto` cross-validates again within each training part, so it costs as many trainings as there are pairs
of patients.

Columns: energy distance and W2 of at most 600 cells, mean over patients ± standard error over patients. The scores of a patient are
first averaged over its pairs and over the seeds. Then the paired difference in energy from the RBF moment map ± its standard error,
the number of patients on which the method has the smaller energy, and CPU seconds of one seed, with the scores. The noise floor is the
distance between two halves of a treated population.

`--simulated` makes screens with these numbers of patients, four treatments and both responses of `simulate screen`. What FOLDER holds
is not computed again, and a run that was stopped is resumed. Its CPU seconds are then those of the last part. Uses the Python packages
of popflow's tests.
"""
import argparse
import json
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from anndata.experimental import read_elem

from popflow_runs import Runs

METHODS = {
    "moment map, linear": ["--method", "moment-map", "--moment-kernel", "linear"],
    "fm": ["--method", "fm"],
    "cgfm": ["--method", "cgfm"],
    "mfm": ["--method", "mfm"],
    "mfm, moment map": ["--method", "mfm", "--start-map", "moment-map"],
    "icnn": ["--method", "icnn"],
    "wfm, known pairs": ["--method", "wfm", "--source", "control", "--pairing", "known"],
    "auto": ["--method", "auto"],
}
SIMPLE = {"identity": "identity", "mean shift": "mean_shift", "moment map, RBF": "moment_map", "noise floor": "noise_floor"}

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("popflow")
parser.add_argument("folder", type=Path)
parser.add_argument("--screen", action="append", default=[])
parser.add_argument("--simulated", default="")
parser.add_argument("--seeds", default="1,2,3")
parser.add_argument("--methods", default=",".join(m.replace(", ", "+") for m in METHODS), help="names of rows, with + for a comma and blank")
parser.add_argument("--row", action="append", default=[], help="another row: its name and the options of popflow run")
parser.add_argument("--leave-out", default="patient")
options = parser.parse_args()
RUNS = Runs(options.popflow, options.folder)
ROWS = {name: METHODS[name] for name in filter(None, (key.replace("+", ", ") for key in options.methods.split(",")))}
ROWS |= {name: words.split() for name, _, words in (row.partition("=") for row in options.row)}


def scores_of(screen, method, seed, data, words):
    """Returns energy and w2 of each patient and predictor, and CPU seconds."""
    run = options.folder / f"{screen}_{method.replace(', ', '_').replace(' ', '_')}_{seed}"
    times = run.with_suffix(".json")
    if not times.exists():
        _, seconds = RUNS.popflow("run", "--data", data, *words, "--split", "each:" + options.leave_out, "--output", run, "--seed", seed, "--resume",
                                  "--metrics", "energy,w2", "--max-cells", 600, *ROWS[method])
        times.write_text(json.dumps(seconds))
    with h5py.File(run / "results.h5") as file:
        pairs = read_elem(file["pairs"]).astype({"fold": str, "predictor": str})
    return pairs.groupby(["predictor", "fold"])[["energy", "w2"]].mean(), json.loads(times.read_text())


def table(screen, data, words):
    seeds = options.seeds.split(",")
    simple, rows = [], {}
    for method in ROWS:
        found = [scores_of(screen, method, seed, data, words) for seed in seeds]
        rows[method] = sum(scores.loc["model"] for scores, _ in found) / len(found), np.mean([seconds for _, seconds in found])
        simple += [scores for scores, _ in found]
    # The same predictors of all runs: they differ only by the cells that are drawn.
    means = {label: (sum(scores.loc[key] for scores in simple) / len(simple), None) for label, key in SIMPLE.items()}
    reference = means["moment map, RBF"][0]["energy"]
    print(f"\n{screen}, {len(reference)} x {options.leave_out} left out, seeds {options.seeds}\n\n| method | energy | W2 | energy - moment map | better in | CPU s |")
    print("|---|---|---|---|---|---|")
    for label, (scores, seconds) in (means | rows).items():
        count = len(scores)
        cells = [f"{scores[key].mean():.3f} ± {scores[key].std(ddof=1) / np.sqrt(count):.3f}" for key in ("energy", "w2")]
        gain = (scores["energy"] - reference).to_numpy()
        compared = f"{gain.mean():+.3f} ± {gain.std(ddof=1) / np.sqrt(count):.3f}" if scores["energy"] is not reference else ""
        wins = f"{(gain < 0).sum()} of {count}" if compared else ""
        print(f"| {label} | {cells[0]} | {cells[1]} | {compared} | {wins} | {'' if seconds is None else f'{seconds:.0f}'} |", flush=True)


for found in RUNS.screens(options.screen, options.simulated):
    table(*found)
