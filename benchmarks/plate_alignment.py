#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Aligns the controls of two plates by `meta-icnn`, for genes that it has not seen, and prints a Markdown table.

    plate_alignment.py POPFLOW EGF_timecourse.h5ad FOLDER [--genes AKT1,CRAF,GFP-FLAG,SRC] [--steps 600] [--seeds 1,2,3]

The model trains on pairs of wells of the same treatment, from both plates, of the other genes. Each problem maps the control of a gene
on one plate to its control on the other one. Baselines: mean shift, Gaussian map, quantile normalisation of each marker, identity.
W2 and energy distance of 1,000 cells a side, in units of the model. FOLDER keeps the runs.

Needs NumPy, anndata, h5py and POT.
"""
import argparse
import sys
from pathlib import Path

import anndata
import h5py
import numpy as np
import ot
import pandas as pd

from popflow_runs import Runs, with_error

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "apps"))
from check_generated import read_table  # noqa: E402

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("popflow")
parser.add_argument("data")
parser.add_argument("folder", type=Path)
parser.add_argument("--genes", default="AKT1,CRAF,GFP-FLAG,SRC")
parser.add_argument("--steps", default="600")
parser.add_argument("--seeds", default="1,2,3")
options = parser.parse_args()
runs = Runs(options.popflow, options.folder)
genes = options.genes.split(",")
CELLS = 1000

data = anndata.read_h5ad(options.data)
controls = data[(data.obs["treatment"] == "control").to_numpy()]
plates = sorted(controls.obs["plate"].astype(str).unique())
if len(plates) != 2:
    sys.exit(f"{options.data}: obs: found {len(plates)} plates with controls, but 2 are needed")


def well(gene, plate):
    """Returns the name of a control population, and its rows."""
    own = controls[(controls.obs["patient"] == gene).to_numpy() & (controls.obs["plate"].astype(str) == plate).to_numpy()]
    keys = [str(own.obs[column].iloc[0]) for column in ("patient", "culture", "plate", "replicate")]
    return " / ".join([*keys, "control", "control @ 0"]), np.asarray(own.X, float)


problems = [(gene, *pair) for gene in genes for pair in (plates, plates[::-1])]
options.folder.mkdir(parents=True, exist_ok=True)
listed = options.folder / "problems.csv"
pd.DataFrame([(f"{gene} {a} to {b}", well(gene, a)[0], well(gene, b)[0]) for gene, a, b in problems],
             columns=["problem", "source", "target"]).to_csv(listed, index=False)

tables = []
for seed in (int(s) for s in options.seeds.split(",")):
    run, _ = runs.train(f"plates_{seed}", "--method", "meta-icnn", "--data", options.data, "--exclude", "plate=20150406,well=F5", "--min-cells", 300,
                        "--population", "patient,plate,treatment", "--split", f"patient:{options.genes}", "--map-problems", "within",
                        "--rate", "5e-4", "--steps", options.steps, "--seed", seed)
    results = run / "plates.h5"
    if not results.exists():
        runs.popflow("evaluate", "--run", run, "--problems", listed, "--max-cells", CELLS, "--output", results)
    tables.append(pd.DataFrame(read_table(results, "problems")))
with h5py.File(run / "weights.h5") as file:
    mean, scale = file["normalisation_mean"][:], file.attrs["normalisation_scale"]


def distances(x, y):
    """Returns W2 and the energy distance of equally many cells."""
    weights = np.full(len(x), 1 / len(x))
    between = ot.dist(x, y, "sqeuclidean")
    energy = 2 * np.sqrt(between).mean() - np.sqrt(ot.dist(x, x, "sqeuclidean")).mean() - np.sqrt(ot.dist(y, y, "sqeuclidean")).mean()
    return np.sqrt(ot.emd2(weights, weights, between, numItermax=10**7)), energy


rng = np.random.default_rng(1)
quantiles = []
for gene, a, b in problems:
    x, y = ((np.arcsinh(well(gene, plate)[1] / 5) - mean) / scale for plate in (a, b))
    moved = np.column_stack([np.quantile(y[:, j], (x[:, j].argsort().argsort() + 0.5) / len(x)) for j in range(x.shape[1])])
    quantiles.append(distances(rng.permutation(moved)[:CELLS], rng.permutation(y)[:CELLS]))

print(f"Controls of {len(genes)} held-out genes, {len(problems)} problems between plates {plates[0]} and {plates[1]}:\n")
print("| map | W2 | energy distance |\n|---|---|---|")
for predictor in tables[0]["predictor"].drop_duplicates():
    rows = [t[t["predictor"] == predictor] for t in tables]
    print(f"| {predictor} | " + " | ".join(with_error([row[c].mean() for row in rows]) for c in ("w2", "energy")) + " |")
w2, energy = np.mean(quantiles, axis=0)
print(f"| quantile normalisation | {w2:.3f} | {energy:.4f} |")
