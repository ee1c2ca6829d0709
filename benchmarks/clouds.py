#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures what `wfm` learns of point clouds and of real screens, and prints Markdown tables.

    clouds.py POPFLOW FOLDER --letters font_letters.h5ad [--steps 20000] [--all-letters-steps 40000] [--seeds 1,2,3]
    clouds.py POPFLOW FOLDER --shapes airplanes.h5ad,furniture.h5ad --digits digit_clouds.h5ad
    clouds.py POPFLOW FOLDER --time-course EGF.h5ad

* letters: all held-out faces of A, B and S against as many generated ones, by exact W1 (EMD) and by Chamfer distance, with the adaptive
  solver and with one midpoint step, with exact and with random inner coupling. Then 78 held-out letters of all 26 classes.
* shapes, digits: the same scores with memorisation. Digits differ in size.
* time course: pairs are hidden. Share of the treated populations that get their own control, and energy distance and W2 of held-out
  genes with and without pairs. Completion of 50 measured cells.

The scripts of scripts/data_sets/ write the data files. FOLDER keeps the runs. What is there is not computed again. A training is stopped
and resumed, so that the script can be stopped at any time.
"""
import argparse
import csv
import sys
from pathlib import Path

import anndata
import numpy as np
import pandas as pd

from popflow_runs import Runs, with_error

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "apps"))
from check_generated import read_table  # noqa: E402

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("popflow")
parser.add_argument("folder", type=Path)
parser.add_argument("--letters")
parser.add_argument("--shapes", default="")
parser.add_argument("--digits")
parser.add_argument("--time-course")
parser.add_argument("--seeds", default="1,2,3")
parser.add_argument("--steps", default="20000")
parser.add_argument("--all-letters-steps", default="40000")
parser.add_argument("--cells", default="512", help="points of a cloud of --shapes, in training and in the scores")
parser.add_argument("--train", default="", help="more options of the trainings of letters, shapes and digits, as one text")
options = parser.parse_args()
RUNS = Runs(options.popflow, options.folder)
train, popflow = RUNS.train, RUNS.popflow
SEEDS = [int(seed) for seed in options.seeds.split(",")]
CONFIG = Path(__file__).resolve().parent.parent / "configs" / "clouds.cfg"


def train_clouds(name, data, seed, *arguments):
    """Trains a run on point clouds. Returns its folder and the CPU seconds of the training."""
    return train(name, "--config", CONFIG, "--data", data, "--seed", seed, *arguments, *options.train.split())


def evaluate(run, name, table, *arguments):
    """Returns a table of an evaluation of a run."""
    results = run / f"{name}.h5"
    if not results.exists():
        popflow("evaluate", "--run", run, "--output", results, *arguments)
    return pd.DataFrame(read_table(results, table))


def subset(path, name, treatments):
    """Writes the populations of some treatments to a file of their own."""
    target = options.folder / name
    if not target.exists():
        data = anndata.read_h5ad(path)
        data[data.obs["treatment"].isin(treatments)].copy().write_h5ad(target)
    return target


def print_sets(title, tables):
    """Prints the scores of the tables of some seeds. `distance` is the matching of EMD, on a scale where training clouds have 0 and noise 1."""
    print(f"\n{title}\n\n| label | populations | 1-NNA EMD | 1-NN-D EMD | 1-NNA Chamfer | 1-NN-D Chamfer | memorised % EMD | distance |")
    print("|---|---|---|---|---|---|---|---|")
    first = tables[0]
    for (label, predictor), _ in first.groupby(["label", "predictor"], sort=False, observed=True):
        cells = []
        for distance, column, factor in (("w1", "nna", 100), ("w1", "nnd", 1), ("chamfer", "nna", 100), ("chamfer", "nnd", 1),
                                         ("w1", "memorised", 100)):
            values = []
            for table in tables:
                row = table[(table["label"] == label) & (table["predictor"] == predictor) & (table["distance"] == distance)]
                values.append(factor * row[column].iloc[0] if len(row) else np.nan)
            cells.append(with_error(values))
        ratios = []
        for table in tables:
            matching = table[(table["label"] == label) & (table["distance"] == "w1")].set_index("predictor")["matching"]
            ratios.append((matching[predictor] - matching["resample"]) / (matching["noise"] - matching["resample"]))
        cells.append(with_error(ratios))
        print(f"| {label} | {predictor} | " + " | ".join(cells) + " |")


def letters():
    three = subset(options.letters, "letters_abs.h5ad", ["A", "B", "S"])
    for inner in ("ot", "random"):
        runs = [train_clouds(f"abs_{inner}_{seed}", three, seed, "--steps", options.steps, "--coupling", inner) for seed in SEEDS]
        seconds = np.mean([cpu for _, cpu in runs])
        for steps, more in (("adaptive solver", []), ("one midpoint step", ["--flow-steps", 1, "--flow-method", "midpoint"])):
            tables = [evaluate(run, steps.split()[0], "sets", *more) for run, _ in runs]
            print_sets(f"Letters A, B, S, inner coupling {inner}, {steps}, training {seconds:.0f} CPU s:", tables)
    runs = [train_clouds(f"letters_{seed}", options.letters, seed, "--steps", options.all_letters_steps) for seed in SEEDS]
    tables = [evaluate(run, "all", "sets", "--max-populations", 78) for run, _ in runs]
    print_sets(f"Letters, 26 classes, training {np.mean([cpu for _, cpu in runs]):.0f} CPU s:", [t[t["label"] == "all"] for t in tables])


def shapes(path):
    name = Path(path).stem
    runs = [train_clouds(f"{name}_{seed}", path, seed, "--steps", options.steps, "--cells", options.cells) for seed in SEEDS]
    tables = [evaluate(run, "results", "sets", "--max-cells", options.cells, "--distance", "w1,chamfer") for run, _ in runs]
    print_sets(f"{name}, training {np.mean([cpu for _, cpu in runs]):.0f} CPU s:", tables)


def digits():
    runs = [train_clouds(f"digits_{seed}", options.digits, seed, "--steps", options.steps) for seed in SEEDS]
    tables = [evaluate(run, "results", "sets", "--max-populations", 100, "--set-cells", "own", "--distance", "w1,chamfer") for run, _ in runs]
    print_sets(f"Digits, training {np.mean([cpu for _, cpu in runs]):.0f} CPU s:", [t[t["label"] == "all"] for t in tables])


def restored(coupling):
    """Returns the mass that populations take from the control of the same gene, by treatment."""
    mass = {}
    with open(coupling, newline="") as file:
        for row in csv.DictReader(file):
            key = (row["population"], row["treatment"])
            is_own = row["population"].split(" / ")[-1] == row["control"].split(" / ")[-1]
            mass[key] = mass.get(key, 0) + (float(row["share"]) if is_own else 0)
    return {time: np.mean([m for key, m in mass.items() if key[1] == time]) for time in sorted({key[1] for key in mass})}


def time_course():
    read = ["--data", options.time_course, "--min-cells", 300]
    run, _ = train("coupling", "--method", "wfm", *read, "--source", "control", "--population", "patient", "--pair-by", "plate", "--split", "none",
                   "--steps", 1)
    print("\nEGF time course, controls restored within a plate by --outer all (Chamfer distance of 1000 cells):\n")
    print("| time | own control % |\n|---|---|")
    for time, share in restored(run / "coupling.csv").items():
        print(f"| {time} | {100 * share:.0f} |")

    # The flow starts at the mean shift. --shrinkage is the best of 0.25, 0.5, 0.75 and 1 by the energy distance on the last genes.
    groups = ("AKT1,CRAF,GFP-FLAG", "GSK3B,MAP2K6,MAP2K7", "MAP2K1,MAPK1,PDPK1")
    print("\nEGF time course, genes that are held out:\n\n| genes | predictor | energy | W2 |\n|---|---|---|---|")
    for group, genes in enumerate(groups):
        rows = {}
        for seed in SEEDS:
            common = ["--method", "wfm", *read, "--source", "control", "--split", f"patient:{genes}", "--seed", seed, "--steps", 200, "--rate",
                      "3e-4", "--start-map", "mean-shift", "--shrinkage", 0.75]
            lost, _ = train(f"lost_{group}_{seed}", *common, "--population", "patient", "--pair-by", "plate", "--populations-per-slot", 4)
            known, _ = train(f"known_{group}_{seed}", *common, "--pair-by", "patient,plate", "--pairing", "known", "--batch-pairs", 8,
                             "--validation", "none")
            for name, folder in (("without pairs", lost), ("with pairs", known)):
                table = evaluate(folder, "pairs", "pairs", "--data", options.time_course, "--pair-by", "patient,plate", "--metrics", "energy,w2",
                                 "--max-cells", 500)
                means = table.groupby("predictor", observed=True)[["energy", "w2"]].mean()
                rows.setdefault(f"wfm {name}", []).append(means.loc["model"])
                for baseline in ("mean_shift", "moment_map", "noise_floor", "identity"):
                    if baseline in means.index:
                        rows.setdefault(f"{baseline} {name}", []).append(means.loc[baseline])
        for name, values in rows.items():
            print(f"| {genes} | {name} | " + " | ".join(with_error([v[c] for v in values]) for c in ("energy", "w2")) + " |")

    genes = f"patient:{groups[0]}"
    tables = []
    for seed in SEEDS:
        run, _ = train(f"completion_{seed}", "--method", "wfm", *read, "--source", "subset:50", "--population", "patient,plate,treatment",
                       "--split", genes, "--seed", seed, "--steps", 3000)
        tables.append(evaluate(run, "sets", "sets", "--distance", "energy,w2", "--max-cells", 1000))
    print("\nEGF time course, completion of 50 measured cells to 1000, distance to the other cells of the same population:\n")
    print("| predictor | energy | W2 |\n|---|---|---|")
    own = [t[t["label"] == "all"] for t in tables]
    for predictor in own[0]["predictor"].drop_duplicates():
        cells = [with_error([t[(t["predictor"] == predictor) & (t["distance"] == d)]["paired"].mean() for t in own]) for d in ("energy", "w2")]
        print(f"| {predictor} | " + " | ".join(cells) + " |")


if options.letters:
    letters()
for shape in filter(None, options.shapes.split(",")):
    shapes(shape)
if options.digits:
    digits()
if options.time_course:
    time_course()
