#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures learned and other starts of Sinkhorn's iteration on digits, and prints tables.

    learned_starts.py BUILD/popflow DIGITS.h5ad FOLDER [--seeds 1,2,3] [--problems 1000] [--steps 4000] [--clothes IMAGES.gz]

DIGITS.h5ad is made by scripts/data_sets/digits.py. For each seed, `meta-ot` is trained on the training images, in FOLDER/seed_N. A
training that FOLDER holds is not repeated. The problems are random pairs of test images, and the tables hold means over problems:

* grid and line: the number of iterations until the 1-norm error of the marginals is at most the tolerance. On the line, the
  pixels are numbers in [0, 1], where the figures published for Meta OT place them. Figures of `meta-ot` are means over the seeds,
  with their range in brackets.
* other images: the same starts on histograms that the training has not seen, images of clothes (Fashion-MNIST of the Debian package
  dataset-fashion-mnist, 1,000 test images) and uniform weights on 20 to 200 random pixels. `later` is the share of
  the problems in which the start needs more than one iteration more than zeros at any tolerance, and the largest such number. The
  check of `--fallback yes` compares errors after one iteration, which does not show how fast they fall afterwards. `--fallback race`
  iterates from both starts. `ms` is the mean elapsed time to the last tolerance, with start and check, one solve at a time.

Prints a line with the word `worse` if Anderson acceleration from zeros needs more iterations than none in any problem. Uses the
Python packages of popflow's tests.
"""
import argparse
import gzip
import subprocess
import sys
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd

TOLERANCES = (1e-2, 1e-3, 1e-4, 1e-5)
SIDE = 28

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("popflow")
parser.add_argument("digits")
parser.add_argument("folder")
parser.add_argument("--seeds", default="1,2,3")
parser.add_argument("--problems", type=int, default=1000)
parser.add_argument("--steps", type=int, default=4000)
parser.add_argument("--clothes", default="/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz")
options = parser.parse_args()
folder = Path(options.folder)
seeds = options.seeds.split(",")


def popflow(verb, *words):
    done = subprocess.run([options.popflow, verb, *map(str, words), "--ot-epsilon", "0.01"], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)


def solve(name, data, *words, starts=("zeros",)):
    """Returns the table of problems, with columns start, acceleration, tolerance, problem, iterations, fallback."""
    result = folder / f"{name}.h5"
    popflow("ot", "--data", data, "--problems", f"random:{options.problems}", "--acceleration", "none,anderson", "--start", ",".join(starts),
            "--ot-tolerance", ",".join(map(str, TOLERANCES)), "--convergence", "yes", "--output", result, *words)
    with h5py.File(result) as file:
        columns = {}
        for key in ("problem", "start", "acceleration", "tolerance", "iterations", "fallback", "converged", "seconds"):
            group = file["problems"][key]
            columns[key] = group["categories"].asstr()[:][group["codes"][:]] if isinstance(group, h5py.Group) else \
                group.asstr()[:] if h5py.check_string_dtype(group.dtype) else group[:]
        table = pd.DataFrame(columns)
        group = file["convergence"]
        read = lambda key: group[key]["categories"].asstr()[:][group[key]["codes"][:]] if isinstance(group[key], h5py.Group) else group[key][:]
        errors = pd.DataFrame({key: read(key) for key in ("start", "acceleration", "iteration", "marginal_error")})
    if not table.converged.all():
        sys.exit(f"{result}: not all problems converged")
    table["start"] = [Path(s).name for s in table.start]
    errors["start"] = [Path(s).name for s in errors.start]
    return table, errors


def row(label, acceleration, tables):
    """Prints the mean numbers of iterations of some runs of one start."""
    means = np.array([[t[t.tolerance == tolerance].iterations.mean() for tolerance in TOLERANCES] for t in tables])
    cells = [f"{m.mean():.1f}" + (f" ({m.min():.1f} to {m.max():.1f})" if len(tables) > 1 else "") for m in means.T]
    print(f"| {label} | {acceleration} | {' | '.join(cells)} |")


def starts_table(title, table, errors):
    print(f"\n{title}\n\n| start | acceleration | {' | '.join(f'{t:.0e}'.replace('e-0', 'e-') for t in TOLERANCES)} |\n|---|---|---|---|---|---|")
    learned = [name for name in table.start.unique() if name.startswith("seed_")]
    for acceleration in ("none", "anderson"):
        part = table[table.acceleration == acceleration]
        for start in ("zeros", "gaussian"):
            row(start, acceleration, [part[part.start == start]])
        if learned:
            row("`meta-ot`", acceleration, [part[part.start == name] for name in learned])
    first = errors[(errors.acceleration == "none") & (errors.iteration == errors.iteration.min())].groupby("start").marginal_error.mean()
    print("\nError of the first iteration: " + ", ".join(f"{name} {value:.3f}" for name, value in first.items()) + ".")
    zeros = table[table.start == "zeros"].pivot(index=["problem", "tolerance"], columns="acceleration", values="iterations")
    worse = int((zeros.anderson > zeros.none).groupby("problem").any().sum())
    print(f"Problems in which Anderson needs more iterations than none from zeros: {worse} of {table.problem.nunique()}."
          + (" It is worse." if worse else ""))


def write_histograms(path, weights):
    column, line = np.tile(np.arange(SIDE), SIDE), np.repeat(np.arange(SIDE), SIDE)
    data = anndata.AnnData(weights.astype(np.float32), obs=pd.DataFrame(index=[f"h{k}" for k in range(len(weights))]),
                           var=pd.DataFrame(index=[f"p{k:03}" for k in range(SIDE**2)]))
    data.varm["position"] = np.stack([column / (SIDE - 1), 1 - line / (SIDE - 1)], 1)
    data.write_h5ad(path)


def unseen():
    """Yields names and files of histograms that differ from digits."""
    with gzip.open(options.clothes) as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, SIDE**2)[:1000]
    write_histograms(folder / "clothes.h5ad", images)
    yield "clothes", folder / "clothes.h5ad"
    random = np.random.default_rng(0)
    weights = np.zeros((1000, SIDE**2))
    for histogram in weights:
        histogram[random.choice(SIDE**2, random.integers(20, 201), replace=False)] = 1
    write_histograms(folder / "random_pixels.h5ad", weights)
    yield "random pixels", folder / "random_pixels.h5ad"


def unseen_table():
    learned = folder / f"seed_{seeds[0]}"
    print(f"\nOther images, `meta-ot` of seed {seeds[0]}\n\n| images | acceleration | start | " +
          " | ".join(f"{t:.0e}".replace("e-0", "e-") for t in TOLERANCES) + " | fallbacks | later | ms |\n|---|---|---|---|---|---|---|---|---|---|")
    for name, path in unseen():
        tables = {fallback: solve(f"{path.stem}_{fallback}", path, "--fallback", fallback, starts=("zeros", "gaussian", str(learned)))[0]
                  for fallback in ("yes", "no", "race")}
        for acceleration in ("none", "anderson"):
            part = {key: t[t.acceleration == acceleration] for key, t in tables.items()}
            zeros = part["yes"][part["yes"].start == "zeros"].set_index(["problem", "tolerance"]).iterations
            for label, fallback, start in (("zeros", "yes", "zeros"), ("Gaussian", "yes", "gaussian"), ("`meta-ot`", "yes", learned.name),
                                           ("`meta-ot`, no fallback", "no", learned.name), ("`meta-ot`, race", "race", learned.name)):
                t = part[fallback][part[fallback].start == start]
                later = (t.set_index(["problem", "tolerance"]).iterations - zeros).groupby("problem").max()
                late = f"{(later > 1).mean():.1%}, {max(later.max(), 0)}" if start != "zeros" else ""
                means = [f"{t[t.tolerance == tolerance].iterations.mean():.1f}" for tolerance in TOLERANCES]
                share = "" if fallback == "no" or start == "zeros" else f"{t.groupby('problem').fallback.any().mean():.0%}"
                seconds = t[t.tolerance == min(TOLERANCES)].seconds.mean()
                print(f"| {name} | {acceleration} | {label} | {' | '.join(means)} | {share} | {late} | {1e3 * seconds:.2f} |")


def main():
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        if not (folder / f"seed_{seed}" / "weights.h5").exists():
            popflow("train", "--method", "meta-ot", "--data", options.digits, "--split", "column:split", "--seed", seed, "--steps", options.steps,
                    "--output", folder / f"seed_{seed}")
    runs = [str(folder / f"seed_{seed}") for seed in seeds]
    starts_table(f"Grid, {options.problems} problems, {len(seeds)} trainings",
                 *solve("grid", options.digits, "--rows", "split=test", starts=("zeros", "gaussian", *runs)))
    starts_table(f"Line, {options.problems} problems",
                 *solve("line", options.digits, "--rows", "split=test", "--position", "position_1d", starts=("zeros", "gaussian")))
    unseen_table()


if __name__ == "__main__":
    main()
