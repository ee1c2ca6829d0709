#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures predicted and fine-tuned maps between the colours of images, and prints tables.

    colour_transfer.py BUILD/popflow IMAGES.h5ad FOLDER [--seeds 1,2,3] [--part test] [--problems 60] [--threads 2] [--torch PYTHON]

IMAGES.h5ad has a pixel per row and three columns (red, green, blue). obs has the columns `image` and `split` (train,
validation, test). For each seed, `meta-icnn` is trained on the training images, in FOLDER/seed_N. A training that FOLDER holds
is not repeated. The problems are random ordered pairs of images of --part, the same for all seeds.

* Quality: the dual value of the potentials on 1,024 pixels of both images, 0 for the identity and 1 for exact transport
  between the same pixels, with a certified conjugate. Mean and standard deviation over problems, and the range of the means over
  seeds. Also W2 between the mapped and the target pixels.
* Time: a prediction with moments and coordinates, and 1,000 steps of W2GN with 1,024 pixels of both sides, with --threads.
* --torch PYTHON: the same steps in PyTorch (w2gn_torch.py) with this Python.
"""
import argparse
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

STEPS = (1000, 2000)

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("popflow")
parser.add_argument("images")
parser.add_argument("folder")
parser.add_argument("--seeds", default="1,2,3")
parser.add_argument("--part", default="test")
parser.add_argument("--problems", type=int, default=60)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--torch", metavar="PYTHON")


def run(options, *words):
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads), "OMP_WAIT_POLICY": "passive"}
    done = subprocess.run([options.popflow, *map(str, words)], capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        sys.exit(done.stderr)


def column(group, name):
    item = group[name]
    if isinstance(item, h5py.Group):
        return item["categories"][:].astype(str)[item["codes"][:]]
    values = item[:]
    return values.astype(str) if values.dtype.kind == "O" else values


def evaluate(options, name, seed, *words):
    """Returns the table of problems of a run, which is computed once."""
    result = Path(options.folder) / f"{name}.h5"
    if not result.exists():
        run(options, "evaluate", "--run", Path(options.folder) / f"seed_{seed}", "--output", result, "--parts", options.part,
            "--max-cells", 1024, *words)
    with h5py.File(result) as file:
        group = file["problems"]
        return pd.DataFrame({key: column(group, key) for key in group if key != "_index"})


def spread(values):
    return f"{values.mean():.3f} ({values.std(ddof=1):.3f})"


def quality(options, seeds):
    tables = []
    for seed in seeds:
        folder = Path(options.folder) / f"seed_{seed}"
        if not (folder / "weights.h5").exists():
            run(options, "train", "--method", "meta-icnn", "--data", options.images, "--population", "image", "--split", "column:split",
                "--transform", "none", "--seed", seed, "--output", folder, "--resume")
        table = evaluate(options, f"{options.part}_{seed}", seed, "--problems", f"random:{options.problems}", "--fine-tune",
                         ",".join(map(str, STEPS)), "--fine-tune-from", "predicted,identity")
        tables.append(table.assign(seed=seed))
    table = pd.concat(tables)
    print(f"{options.part}: {options.problems} ordered pairs of images, seeds {','.join(seeds)}\n")
    print("| map | steps | normalised | range over seeds | W2 | certified |\n|---|---|---|---|---|---|")
    names = {"mean_shift": "mean shift", "gaussian": "Gaussian map", "model": "meta-icnn", "identity_start": "W2GN from the identity"}
    for predictor, title in names.items():
        for steps in (0, *STEPS):
            rows = table[(table["predictor"] == predictor) & (table["steps"] == steps)]
            if rows.empty:
                continue
            means = rows.groupby("seed")["normalised"].mean()
            print(f"| {title} | {steps} | {spread(rows['normalised'])} | {means.min():.3f} to {means.max():.3f} | {spread(rows['w2'])} "
                  f"| {int(rows['certified'].sum())} of {len(rows)} |")


def times(options, seed):
    # A single problem uses all threads. Its first prediction also loads the program.
    result = Path(options.folder) / "time.h5"
    result.unlink(missing_ok=True)
    table = evaluate(options, "time", seed, "--problems", "random:1", "--fine-tune", ",".join(map(str, STEPS)))
    seconds = table[table["predictor"] == "model"].set_index("steps")["seconds"]
    thousand = (seconds[STEPS[1]] - seconds[STEPS[0]]) * 1000 / (STEPS[1] - STEPS[0])
    print(f"\n| with {options.threads} threads | time |\n|---|---|")
    print(f"| prediction | {1000 * seconds[0]:.2f} ms |\n| 1,000 steps | {thousand:.2f} s |")
    if options.torch:
        script = Path(__file__).with_name("w2gn_torch.py")
        found = subprocess.run([options.torch, script, str(options.threads)], capture_output=True, text=True, check=True).stdout
        version, step = found.split()[0], float(found.split()[1])
        print(f"| 1,000 steps, PyTorch {version} | {1000 * step:.2f} s, {1000 * step / thousand:.1f} times as long |")


def main():
    options = parser.parse_args()
    Path(options.folder).mkdir(parents=True, exist_ok=True)
    seeds = options.seeds.split(",")
    quality(options, seeds)
    times(options, seeds[0])


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main()
