#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints what --method auto finds on several screens: energy distances of its candidates on held-out units.

    selection_tables.py BUILD/popflow FOLDER [--screen NAME=FILE.h5ad[:OPTIONS] ...] [--simulated PATIENTS,...] [--seeds 1,2,3]

Each screen is trained with `--method auto --split none`, so that the cross-validation covers all of its units. A screen that FOLDER
holds is not trained again. `--simulated 4,10,40` makes screens with these numbers of patients and both responses of `simulate screen`.
Options of a screen are separated by blanks, for example `EGF=EGF.h5ad:--pair-by patient,culture,plate`.

A row is one candidate: the mean over the units, its standard error, in brackets the mean difference from the moment map with its
standard error, and in how many units it is better than the moment map. With several seeds the energies of a unit are averaged first. The
energies of one shrinkage are unbiased: no fold has seen its units. Those of the best of several shrinkages are not, since the same
scores choose it. CPU seconds are those of the whole command, which also trains the chosen method. Uses the Python packages of popflow's tests.
"""
import argparse
from pathlib import Path

import h5py
import numpy as np
from anndata.experimental import read_elem

from popflow_runs import Runs

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("popflow")
parser.add_argument("folder", type=Path)
parser.add_argument("--screen", action="append", default=[])
parser.add_argument("--simulated", default="")
parser.add_argument("--seeds", default="1")
options = parser.parse_args()
RUNS = Runs(options.popflow, options.folder)


def energies_of(name, data, words, seed):
    """Returns candidates, energies [units, candidates], number of pairs, and CPU seconds or nan."""
    run = options.folder / f"{name}_seed{seed}"
    seconds = float("nan")
    if not (run / "weights.h5").exists():
        _, seconds = RUNS.popflow("train", "--method", "auto", "--data", data, "--split", "none", "--output", run, "--seed", seed, "--resume", *words)
    with h5py.File(run / "selection.h5") as file:
        candidates, scores = read_elem(file["candidates"]), read_elem(file["scores"])
        words = file.attrs["choice"]
    columns = [f"energy_{c}" for c in range(len(candidates))]
    return candidates, scores.groupby("unit")[columns].mean().to_numpy(), len(scores), seconds, words


def table(name, data, words):
    found = [energies_of(name, data, words, seed) for seed in options.seeds.split(",")]
    candidates = found[0][0]
    energies = np.mean([energies for _, energies, _, _, _ in found], axis=0)
    units = len(energies)
    reference = list(candidates["method"]).index("moment-map")
    print(f"\n{name}: {found[0][2]} pairs, {units} units, seeds {options.seeds}, CPU s {', '.join(f'{one[3]:.0f}' for one in found)}")
    for c, (method, shrinkage) in enumerate(zip(candidates["method"], candidates["shrinkage"])):
        own, gain = energies[:, c], energies[:, c] - energies[:, reference]
        error = own.std(ddof=1) / np.sqrt(units)
        label = method if candidates["is_simple"][c] else f"{method} x {shrinkage:g}"
        print(f"  {label:<12} {own.mean():8.3f} ± {error:.3f}  ({gain.mean():+.3f} ± {gain.std(ddof=1) / np.sqrt(units):.3f})"
              f"  better in {int((gain < 0).sum())} of {units}")
    for one in found:
        print("  " + one[4])


for found in RUNS.screens(options.screen, options.simulated):
    table(*found)
