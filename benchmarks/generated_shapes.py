#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures what `bwfm` learns of families of populations with a known law, and prints Markdown tables.

    generated_shapes.py POPFLOW FOLDER [--families spiral,rings,mixtures,unpaired] [--seeds 1,2,3]
    generated_shapes.py POPFLOW FOLDER --time-course egf_timecourse.h5ad

* spiral: 128 training populations, 256 generated ones against 256 fresh draws. Exact 1-NNA by the Bures distance of the moments. The
  row `wrong sign` subtracts the velocity of the covariance, as a program of the authors of the method does. NumPy computes it.
* rings: radius, flattening and centre are read back from the generated moments. Kolmogorov-Smirnov tests against the true parameters
  of fresh draws.
* mixtures: the weights of the states are read back from the generated means by least squares. Their mean and covariance are compared
  with those of the Dirichlet distribution of each treatment, in standard errors.
* unpaired: pairs are hidden. Share of the treated populations that the outer coupling gives their own control, and the energy distance
  on held-out pairs with and without pairs.
* time course: the pairs of a real screen are hidden. Share of the treated populations that get their own control, by time point. The
  file needs the columns patient (the gene), plate, treatment (the time) and culture, as scripts/data_sets/egf.py writes them.

FOLDER keeps the data and the runs. What is there is not computed again.
"""
import argparse
import csv
import sys
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import scipy.stats

from popflow_runs import Runs, with_error

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "apps"))
from check_generated import read_table, wrong_sign_scores  # noqa: E402

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("popflow")
parser.add_argument("folder", type=Path)
parser.add_argument("--families", default="spiral,rings,mixtures,unpaired")
parser.add_argument("--seeds", default="1,2,3")
parser.add_argument("--time-course")
options = parser.parse_args()
RUNS = Runs(options.popflow, options.folder)
popflow = RUNS.popflow
SEEDS = [int(seed) for seed in options.seeds.split(",")]
READ = ["--population", "population", "--split", "column:split", "--min-cells", "10", "--transform", "none"]


def simulate(family, seed, *more):
    path = options.folder / f"{family}_{seed}.h5ad"
    if not path.exists():
        popflow("simulate", "shapes", family, "--output", path, "--seed", seed, *more)
    return path


def train(name, data, seed, *more):
    return RUNS.train(name, "--method", "bwfm", "--data", data, "--seed", seed, *more)


def generate(run, number, cells=2):
    """Returns the treatments, the means and the covariances of generated populations, in the units of the data."""
    path = Path(f"{run}_generated.h5ad")
    if not path.exists():
        popflow("predict", "--run", run, "--output", path, "--number", number, "--cells", cells)
    uns = anndata.read_h5ad(path).uns["popflow"]
    return uns["populations"]["treatment"].to_numpy(), uns["means"], uns["covariances"]


def parameters(data, split):
    table = anndata.read_h5ad(data, backed="r").uns["simulation"]["parameters"]
    return table[table["split"] == split]


def spiral():
    rows = {}
    seconds = []
    for seed in SEEDS:
        data = simulate("spiral", seed, "--populations", 128, "--test-populations", 256)
        run, cpu = train(f"spiral_run_{seed}", data, seed, *READ)
        seconds.append(cpu)
        results = run / "results.h5"
        if not results.exists():
            popflow("evaluate", "--run", run, "--output", results, "--distance", "bures")
        sets = pd.DataFrame(read_table(results, "sets"))
        for _, row in sets.iterrows():
            rows.setdefault(row["predictor"], []).append([100 * row["nna"], row["nnd"], 100 * row["coverage"], 100 * row["memorised"]])
        rows.setdefault("wrong sign", []).append(wrong_sign(run, data))
    print(f"\nSpiral, {len(SEEDS)} seeds, mean ± standard error, training {np.mean(seconds):.0f} CPU s:\n")
    print("| populations | 1-NNA % | 1-NN-D | coverage % | memorised % |\n|---|---|---|---|---|")
    for name, values in rows.items():
        print(f"| {name} | " + " | ".join(with_error(column) for column in np.array(values).T) + " |")


def wrong_sign(run, data):
    """Returns the scores of populations whose covariance moves against the predicted velocity, in 100 steps of Euler's method."""
    path = Path(f"{run}_noise.h5ad")
    if not path.exists():
        popflow("predict", "--run", run, "--output", path, "--number", 256, "--cells", 2, "--times", 0)
    nna, halves, coverage = wrong_sign_scores(run / "weights.h5", path, data)
    return [100 * nna, (abs(halves[0] - 0.5) + abs(halves[1] - 0.5)) / 2, 100 * coverage, np.nan]


def rings():
    print("\nRings, p-values of Kolmogorov-Smirnov tests of generated against fresh parameters:\n")
    print("| seed | radius | flattening | direction | centre x | centre y | CPU s |\n|---|---|---|---|---|---|---|")
    for seed in SEEDS:
        data = simulate("rings", seed, "--populations", 1000, "--test-populations", 300)
        run, cpu = train(f"rings_run_{seed}", data, seed, *READ)
        _, means, covariances = generate(run, 300)
        values, vectors = np.linalg.eigh(covariances)
        axes = np.sqrt(2 * np.maximum(values[:, ::-1] - 0.05 ** 2, 1e-12))
        direction = np.arctan2(vectors[:, 1, 1], vectors[:, 0, 1]) % np.pi
        fresh = parameters(data, "test")
        columns = {"radius": axes[:, 0], "flattening": 1 - axes[:, 1] / axes[:, 0], "direction": direction,
                   "centre_x": means[:, 0], "centre_y": means[:, 1]}
        p = [scipy.stats.ks_2samp(found, fresh[name]).pvalue for name, found in columns.items()]
        print(f"| {seed} | " + " | ".join(f"{value:.2g}" for value in p) + f" | {cpu:.0f} |")


def mixtures():
    print("\nMixtures, weights of the states read back from 500 generated means of each treatment. Largest difference from the law:\n")
    print("| seed | treatment | mean of the weights | covariance of the weights | largest variance of the law | CPU s |\n|---|---|---|---|---|---|")
    for seed in SEEDS:
        data = simulate("mixtures", seed, "--populations", 500, "--test-populations", 100)
        run, cpu = train(f"mixtures_run_{seed}", data, seed, *READ)
        treatment, means, _ = generate(run, 500)
        truth = anndata.read_h5ad(data, backed="r").uns["simulation"]
        centres = np.asarray(truth["state_mean"])
        for k, name in enumerate(sorted(set(treatment))):
            own = means[treatment == name]
            equations = np.vstack([centres.T, 1e3 * np.ones(len(centres))])  # the weights sum to 1
            weights = np.linalg.lstsq(equations, np.vstack([own.T, 1e3 * np.ones(len(own))]), rcond=None)[0].T
            a = np.asarray(truth["dirichlet"])[k]
            law = a / a.sum()
            covariance = (np.diag(law) - np.outer(law, law)) / (a.sum() + 1)
            print(f"| {seed} | {name} | {np.abs(weights.mean(0) - law).max():.3f} | {np.abs(np.cov(weights.T) - covariance).max():.4f} | "
                  f"{covariance.max():.4f} | {cpu:.0f} |")


def restored(coupling, own_control):
    """Returns the mass that populations take from their own control, and the share whose largest part comes from it."""
    mass, best = {}, {}
    with open(coupling, newline="") as file:
        for row in csv.DictReader(file):
            key, share = (row["population"], row["treatment"]), float(row["share"])
            is_own = own_control(row)
            mass[key] = mass.get(key, 0) + (share if is_own else 0)
            if share > best.get(key, (0, False))[0]:
                best[key] = (share, is_own)
    return mass, {key: is_own for key, (_, is_own) in best.items()}


def unpaired():
    print("\nUnpaired: controls restored by the outer coupling, and energy distance of 100 held-out pairs:\n")
    print("| seed | restored % | chance % | without pairs | with pairs | mean shift | identity |\n|---|---|---|---|---|---|---|")
    for seed in SEEDS:
        data = simulate("unpaired", seed)
        pairs = anndata.read_h5ad(data, backed="r").obs.groupby("population", observed=True)["true_pair"].first()
        read = ["--split", "column:split", "--min-cells", 10, "--transform", "none", "--source", "control"]
        run, _ = train(f"unpaired_run_{seed}", data, seed, *read, "--population", "population")
        known, _ = train(f"paired_run_{seed}", data, seed, *read, "--pair-by", "true_pair", "--pairing", "known")
        strip = lambda name: name.split(" / ")[-1]  # noqa: E731
        mass, _ = restored(run / "coupling.csv", lambda row: pairs[strip(row["population"])] == pairs[strip(row["control"])])
        scores = {}
        for name, folder in (("unpaired", run), ("paired", known)):
            results = folder / "results.h5"
            if not results.exists():
                popflow("evaluate", "--run", folder, "--data", data, "--pair-by", "true_pair", "--output", results, "--metrics", "energy")
            table = pd.DataFrame(read_table(results, "pairs"))
            scores[name] = table.groupby("predictor")["energy"].mean()
        first = scores["unpaired"]
        print(f"| {seed} | {100 * np.mean(list(mass.values())):.0f} | {100 / len(mass):.1f} | {first['model']:.4f} | "
              f"{scores['paired']['model']:.4f} | {first['mean_shift']:.4f} | {first['identity']:.4f} |")


def time_course():
    run, cpu = train("time_course_run", options.time_course, 1, "--source", "control", "--population", "patient", "--pair-by",
                     "plate", "--min-cells", 300, "--split", "none", "--steps", 10)
    own = lambda row: row["population"].split(" / ")[-1] == row["control"].split(" / ")[-1]  # noqa: E731
    mass, best = restored(run / "coupling.csv", own)
    print("\nEGF time course, controls restored within a plate by exact coupling of all populations, moments of all cells:\n")
    print("| time | treated populations | own control % (mass) | own control % (largest share) |\n|---|---|---|---|")
    for time in sorted({key[1] for key in mass}):
        keys = [key for key in mass if key[1] == time]
        print(f"| {time} | {len(keys)} | {100 * np.mean([mass[k] for k in keys]):.0f} | {100 * np.mean([best[k] for k in keys]):.0f} |")


if options.time_course:
    time_course()
else:
    for family in options.families.split(","):
        {"spiral": spiral, "rings": rings, "mixtures": mixtures, "unpaired": unpaired}[family]()
