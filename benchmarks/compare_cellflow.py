#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares `--method auto` with CellFlow on the same held-out populations.

    compare_cellflow.py BUILD/popflow FOLDER NAME=FILE.h5ad SPLIT [--pair-by COLUMNS] [--exclude C=V,...] [--min-cells N] [--iterations 4000]

Trains `popflow run --method auto` with this split, then CellFlow on the same training cells in popflow's normalised space. The markers of
FILE are transformed by arcsinh(x / 5). CellFlow is trained twice:

  (i)   the mean of the control population is a sample covariate, as in its tutorial on donors
  (ii)  the treatment is the only covariate

Its network has layers of 256 units, Adam with rate 1e-3 that falls to 0 by a cosine, gradients clipped to 1 and accumulated over 4
batches of 256 cells, and the matching of its default. Every row is scored on the same control and treated cells, at most --max-cells of
each, by `popflow metrics`. Prints means over pairs, in brackets the mean difference from `auto` with its standard error over units,
and CPU seconds. Needs an environment with cellflow-tools 0.0.9.
"""
import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("popflow")
parser.add_argument("folder", type=Path)
parser.add_argument("screen")
parser.add_argument("split")
parser.add_argument("--pair-by", default="patient,culture,plate")
parser.add_argument("--exclude", default="")
parser.add_argument("--min-cells", type=int, default=300)
parser.add_argument("--max-cells", type=int, default=1000)
parser.add_argument("--iterations", type=int, default=4000)
parser.add_argument("--seed", type=int, default=1)
options = parser.parse_args()
name, path = options.screen.split("=", 1)
folder = options.folder / name
folder.mkdir(parents=True, exist_ok=True)
keys = options.pair_by.split(",")


def cpu_seconds(who):
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def popflow(*words):
    done = subprocess.run([options.popflow, *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def train_auto():
    """Returns the run folder of auto, and its CPU seconds or nan if it was trained before."""
    run = folder / "auto"
    seconds = float("nan")
    if not (run / "results.h5").exists():
        before = cpu_seconds(resource.RUSAGE_CHILDREN)
        exclude = ["--exclude", options.exclude] if options.exclude else []
        popflow("run", "--method", "auto", "--data", path, "--split", options.split, "--pair-by", options.pair_by, *exclude,
                "--min-cells", options.min_cells, "--max-cells", options.max_cells, "--parts", "test", "--metrics", "energy",
                "--seed", options.seed, "--output", run, "--predictions", run / "predicted.h5ad", "--space", "normalised")
        seconds = cpu_seconds(resource.RUSAGE_CHILDREN) - before
    return run, seconds


class Screen:
    """The cells of the screen in the normalised space of a run, and its pairs."""

    def __init__(self, run):
        with h5py.File(run / "weights.h5") as weights:
            markers = [m.decode() if isinstance(m, bytes) else m for m in weights["markers"][:]]
            mean, scale = weights["normalisation_mean"][:], weights.attrs["normalisation_scale"]
        data = anndata.read_h5ad(path)
        self.obs = data.obs.astype({key: str for key in [*keys, "treatment"]})
        self.x = ((np.arcsinh(np.asarray(data[:, markers].X, dtype=np.float64) / 5) - mean) / scale).astype(np.float32)
        kept = np.ones(len(self.obs), bool)
        if options.exclude:
            kept = ~np.logical_and.reduce([self.obs[column].astype(str) == value for column, value in
                                           (term.split("=", 1) for term in options.exclude.split(","))])
        self.sample = self.obs[keys].agg(" / ".join, axis=1).to_numpy()
        self.treatment = self.obs["treatment"].to_numpy()
        rows = pd.Series(np.flatnonzero(kept)).groupby([self.sample[kept], self.treatment[kept]]).apply(np.asarray)
        rows = {key: own for key, own in rows.items() if len(own) >= options.min_cells}
        self.rows = rows
        self.pairs = [(s, t) for s, t in rows if t != "control" and (s, "control") in rows]


def train_cellflow(screen, training, donor):
    """Returns a CellFlow model, its CPU seconds and its number of parameters."""
    import cellflow
    import jax
    import optax
    before = cpu_seconds(resource.RUSAGE_SELF)
    samples = sorted({s for s, _ in training})
    used = np.concatenate([screen.rows[s, "control"] for s in samples] + [screen.rows[pair] for pair in training])
    adata = to_anndata(screen, used, {s: screen.x[screen.rows[s, "control"]].mean(axis=0) for s, _ in screen.pairs})
    model = cellflow.model.CellFlow(adata, solver="otfm")
    covariates = {"sample_covariates": ["sample"], "sample_covariate_reps": {"sample": "sample_means"}} if donor else {}
    model.prepare_data(sample_rep="X", control_key="control", perturbation_covariates={"drug": ["treatment"]},
                       perturbation_covariate_reps={"drug": "treatments"}, split_covariates=["sample"], **covariates)
    schedule = optax.cosine_decay_schedule(1e-3, options.iterations // 4)
    model.prepare_model(condition_embedding_dim=32, cond_output_dropout=0.0, time_freqs=128, time_encoder_dims=(256, 256),
                        hidden_dims=(256, 256), decoder_dims=(256, 256, 256), seed=options.seed,
                        optimizer=optax.MultiSteps(optax.chain(optax.clip_by_global_norm(1.0), optax.adam(schedule)), 4))
    model.train(num_iterations=options.iterations, batch_size=256, valid_freq=options.iterations + 1)
    parameters = sum(leaf.size for leaf in jax.tree_util.tree_leaves(model.solver.vf_state.params))
    return model, cpu_seconds(resource.RUSAGE_SELF) - before, parameters


def to_anndata(screen, rows, sample_means):
    obs = pd.DataFrame({"sample": pd.Categorical(screen.sample[rows], categories=sorted(sample_means)),
                        "treatment": pd.Categorical(screen.treatment[rows], categories=treatments),
                        "control": screen.treatment[rows] == "control"}, index=rows.astype(str))
    adata = anndata.AnnData(screen.x[rows], obs=obs)
    drugs = [t for t in treatments if t != "control"]
    adata.uns["treatments"] = {t: np.eye(len(drugs), dtype=np.float32)[i] for i, t in enumerate(drugs)}
    adata.uns["treatments"]["control"] = np.zeros(len(drugs), dtype=np.float32)
    adata.uns["sample_means"] = sample_means
    return adata


def score(predicted, target):
    """Returns W2 and energy distance."""
    files = [folder / "a.h5ad", folder / "b.h5ad"]
    for file, cells in zip(files, (predicted, target)):
        anndata.AnnData(np.asarray(cells, np.float32)).write_h5ad(file)
    found = json.loads(popflow("metrics", *files, "--metrics", "w2,energy", "--json"))
    return found["w2"], found["energy"]


run, auto_seconds = train_auto()
screen = Screen(run)
treatments = ["control", *sorted({t for _, t in screen.pairs})]
predicted = anndata.read_h5ad(run / "predicted.h5ad")
predicted_sample = predicted.obs[keys].astype(str).agg(" / ".join, axis=1).to_numpy()
predicted_treatment = predicted.obs["predicted_treatment"].astype(str).to_numpy()
row_of = {cell: i for i, cell in enumerate(screen.obs.index)}
test = sorted(set(zip(predicted_sample, predicted_treatment)))
held_out = {s for s, _ in test}
training = [pair for pair in screen.pairs if pair[0] not in held_out]
print(f"{name}: {len(training)} training pairs, {len(test)} test pairs, {screen.x.shape[1]} markers", flush=True)

# The same cells for every row.
draws = np.random.default_rng(0)
targets = {pair: screen.x[draws.permutation(screen.rows[pair])[:options.max_cells]] for pair in test}
own = {pair: (predicted_sample == pair[0]) & (predicted_treatment == pair[1]) for pair in test}
controls = {pair: np.array([row_of[c] for c in predicted.obs["predicted_from"][own[pair]].astype(str)]) for pair in test}
shift = {t: np.mean([screen.x[screen.rows[p]].mean(axis=0) - screen.x[screen.rows[p[0], "control"]].mean(axis=0)
                     for p in training if p[1] == t], axis=0) for t in treatments[1:]}
rows = {"auto": ({pair: score(predicted.X[own[pair]], targets[pair]) for pair in test}, auto_seconds)}
rows["mean shift"] = ({pair: score(screen.x[controls[pair]] + shift[pair[1]], targets[pair]) for pair in test}, float("nan"))
for label, donor in (("CellFlow (i)", True), ("CellFlow (ii)", False)):
    model, seconds, parameters = train_cellflow(screen, training, donor)
    print(f"{label}: {parameters} parameters", flush=True)
    before = cpu_seconds(resource.RUSAGE_SELF)
    scores = {}
    for pair in test:
        adata = to_anndata(screen, controls[pair], {s: screen.x[screen.rows[s, "control"]].mean(axis=0) for s, _ in screen.pairs})
        wanted = adata.obs.iloc[[0]].assign(treatment=pd.Categorical([pair[1]], categories=treatments))
        (cells,) = model.predict(adata, covariate_data=wanted, sample_rep="X").values()
        scores[pair] = score(cells, targets[pair])
    rows[label] = (scores, seconds + cpu_seconds(resource.RUSAGE_SELF) - before)

units = sorted({pair[0].split(" / ")[0] for pair in test})
print(f"{'':<14} {'W2':>8} {'energy':>8}   energy minus auto, {len(units)} units   CPU s")
for label, (scores, seconds) in rows.items():
    w2, energy = np.mean(list(scores.values()), axis=0)
    gains = np.array([np.mean([scores[p][1] - rows["auto"][0][p][1] for p in test if p[0].split(" / ")[0] == u]) for u in units])
    error = gains.std(ddof=1) / np.sqrt(len(units)) if len(units) > 1 else float("nan")
    print(f"{label:<14} {w2:8.3f} {energy:8.3f}   ({gains.mean():+.3f} ± {error:.3f})   {seconds:.0f}")
with h5py.File(run / "results.h5") as file:
    print(file.attrs.get("selection", ""))
