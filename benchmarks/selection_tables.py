#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints what --method auto finds on several screens: energy distances of its candidates on held-out units.

    selection_tables.py BUILD/popflow FOLDER [--screen NAME=FILE.h5ad[:OPTIONS] ...] [--simulated PATIENTS,...] [--seeds 1,2,3]
    selection_tables.py BUILD/popflow FOLDER --screen ... --encoders learned,moments,kernel-pca,none [--leave-out COLUMN] [--folds VALUE,...]

Each screen is trained with `--method auto --split none`, so that the cross-validation covers all of its units. A screen that FOLDER
holds is not trained again. `--simulated 4,10,40` makes screens with these numbers of patients and both responses of `simulate screen`.
Options of a screen are separated by blanks, for example `EGF=EGF.h5ad:--pair-by patient,culture,plate`.

A row is one candidate: the mean over the units, its standard error, in brackets the mean difference from the moment map with its
standard error, and in how many units it is better than the moment map. With several seeds the energies of a unit are averaged first. The
energies of one shrinkage are unbiased: no fold has seen its units. Those of the best of several shrinkages are not, since the same
scores choose it. CPU seconds are those of the whole command, which also trains the chosen method. Uses the Python packages of popflow's tests.

With `--encoders` the rows are mfm with each encoder, or fm (none), trained with `--split each:COLUMN` (patient if omitted) and the network,
steps and coupling of the flow of auto. With `--folds` only these values of the column are left out. A row has the mean over the units, its standard error, the unit with the largest energy, and the CPU
seconds of all folds with their scores.
"""
import argparse
import resource
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from anndata.experimental import read_elem

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("popflow")
parser.add_argument("folder")
parser.add_argument("--screen", action="append", default=[])
parser.add_argument("--simulated", default="")
parser.add_argument("--seeds", default="1")
parser.add_argument("--encoders", default="")
parser.add_argument("--leave-out", default="patient")
parser.add_argument("--folds", default="")
options = parser.parse_args()
folder = Path(options.folder)
folder.mkdir(parents=True, exist_ok=True)


def popflow(*words):
    """Runs popflow and returns its CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([options.popflow, *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def simulated(patients, response):
    """Makes a screen of one culture and four treatments."""
    path = folder / f"{response}_{patients}.h5ad"
    if not path.exists():
        popflow("simulate", "screen", "--output", path, "--patients", patients, "--cultures", "PDO", "--treatments", "O,S,C,F",
                "--replicates", 1, "--dose-levels", 1, "--cells", "600:1200", "--response", response, "--seed", 1)
    return path


def energies_of(name, data, words, seed):
    """Returns candidates, energies [units, candidates], number of pairs, and CPU seconds or nan."""
    run = folder / f"{name}_seed{seed}"
    seconds = float("nan")
    if not (run / "weights.h5").exists():
        seconds = popflow("train", "--method", "auto", "--data", data, "--split", "none", "--output", run, "--seed", seed, "--resume", *words)
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


FLOW = ["--hidden", 128, "--layers", 5, "--steps", 600, "--batch-pairs", 4, "--cells", 256, "--coupling", "ot", "--metrics", "energy",
        "--max-cells", 2000]


def left_out(name, data, words, encoder, seed):
    """Returns the energies of the model and the baselines, a frame with one row per unit, and CPU seconds or nan."""
    run = folder / f"{name}_{encoder.replace(':', '-')}_seed{seed}"
    folds = options.folds.split(",") if options.folds else [None]
    own = {"none": ["--method", "fm"], "learned": ["--method", "mfm", "--embedding", 32, "--knn", 20]}
    seconds = 0
    for fold in folds:
        if not (run / (fold or "") / "results.h5").exists():
            seconds += popflow("run", "--data", data, "--split", "each:" + options.leave_out, "--output", run, "--seed", seed, "--resume", *words,
                               *FLOW, *own.get(encoder, ["--method", "mfm", "--encoder", encoder]), *(["--fold", fold] if fold else []))
    frames = []
    for fold in folds:
        with h5py.File(run / (fold or "") / "results.h5") as file:
            pairs = read_elem(file["pairs"])
        frames.append(pairs if fold is None else pairs[pairs["part"] == "test"].assign(fold=fold))
    pairs = pd.concat(frames).astype({"fold": str, "predictor": str})
    return pairs.pivot_table(index="fold", columns="predictor", values="energy", aggfunc="mean"), seconds or float("nan")


def encoder_table(name, data, words):
    print(f"\n{name}, --split each:{options.leave_out}, folds {options.folds or 'all'}, seeds {options.seeds}")

    def row(label, energies, seconds):
        error = energies.std(ddof=1) / np.sqrt(len(energies))
        print(f"  {label:<14} {energies.mean():8.3f} ± {error:.3f}  largest {energies.max():.3f} ({energies.idxmax()})  CPU s {seconds:.0f}", flush=True)

    for encoder in options.encoders.split(","):
        found = [left_out(name, data, words, encoder, seed) for seed in options.seeds.split(",")]
        energies = sum(one for one, _ in found) / len(found)
        row(encoder, energies["model"], sum(seconds for _, seconds in found))
    for baseline in ("moment_map", "mean_shift"):
        row(baseline, energies[baseline], 0)


for screen in options.screen:
    label, rest = screen.split("=", 1)
    path, _, extra = rest.partition(":")
    (encoder_table if options.encoders else table)(label, path, extra.split())
for count in filter(None, options.simulated.split(",")):
    for kind in ("composition", "correlation"):
        table(f"{kind}_{count}", simulated(count, kind), ["--min-cells", 300])
