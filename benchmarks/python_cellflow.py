#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the work of a notebook user with popflow and with CellFlow on the same task.

    PYTHONPATH=BUILD/python python_cellflow.py FILE.h5ad FOLDER --cellflow PYTHON [--hold-out MAPK1,MAPK14,MAP2K7] [--threads 2]
        [--seeds 1,2,3]

Both programs train on the wells of all genes that are not held out, and predict the treated cells of each held-out well from the same
control cells. FILE is the screen of three tags (scripts/data_sets/egf.py). The functions with_popflow() and with_cellflow() are what a
user writes. Each runs in a process of its own, with the same number of threads. --cellflow is the Python of an environment with
cellflow-tools 0.0.9.

CellFlow has layers of 256 units, 4,000 batches of 256 cells, and Adam with rate 1e-3, a cosine schedule, clipped gradients and
accumulation over 4 batches, as in compare_cellflow.py. popflow has its defaults for a screen of this size. Each is scored by
popflow.metrics on at most 1,000 cells, after arcsinh(x / 5) and in the scale of the training controls.

Prints lines of code, CPU and elapsed seconds, peak memory, and mean scores over the held-out wells. Times and memory are medians
over the seeds. Scores are the mean and the standard deviation (n - 1) over the seeds. The scores of each seed go to standard
error. On a shared machine only the CPU seconds are comparable.
"""
import argparse
import inspect
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import anndata
import numpy as np

MAX_CELLS = 1000


def with_popflow(training, controls, seed, report):
    import popflow

    screen = popflow.Screen(training, min_cells=300, pair_by=["patient", "culture", "plate"], split="none")
    model = popflow.train(screen, method="mfm", seed=seed)
    report("train")
    return model.predict(controls, treatment="EGF_15min", min_cells=1)


def with_cellflow(training, controls, seed, report):
    import cellflow
    import optax
    import pandas as pd

    cells = anndata.read_h5ad(training)
    x = np.arcsinh(cells.X / 5)
    is_control = (cells.obs["treatment"] == "control").to_numpy()
    mean = x[is_control].mean(axis=0)
    scale = (x[is_control] - mean).std()
    cells.X = (x - mean) / scale
    controls = controls.copy()
    controls.X = (np.arcsinh(controls.X / 5) - mean) / scale
    for part in (cells, controls):
        part.obs["sample"] = part.obs[["patient", "culture", "plate"]].agg(" ".join, axis=1)
        part.obs["control"] = part.obs["treatment"] == "control"
    samples = sorted({*cells.obs["sample"], *controls.obs["sample"]})
    means = {}
    for part in (cells[is_control], controls):
        means |= {sample: part.X[part.obs["sample"] == sample].mean(axis=0) for sample in part.obs["sample"].unique()}
    for part in (cells, controls):
        part.obs["sample"] = pd.Categorical(part.obs["sample"], categories=samples)
        part.obs["treatment"] = pd.Categorical(part.obs["treatment"], categories=["control", "EGF_15min"])
        part.uns["treatments"] = {"control": np.zeros(1, np.float32), "EGF_15min": np.ones(1, np.float32)}
        part.uns["means"] = means
    model = cellflow.model.CellFlow(cells, solver="otfm")
    model.prepare_data(sample_rep="X", control_key="control", perturbation_covariates={"drug": ["treatment"]},
                       perturbation_covariate_reps={"drug": "treatments"}, split_covariates=["sample"],
                       sample_covariates=["sample"], sample_covariate_reps={"sample": "means"})
    rate = optax.cosine_decay_schedule(1e-3, 1000)
    optimiser = optax.MultiSteps(optax.chain(optax.clip_by_global_norm(1.0), optax.adam(rate)), 4)
    model.prepare_model(condition_embedding_dim=32, cond_output_dropout=0.0, time_freqs=128, time_encoder_dims=(256, 256),
                        hidden_dims=(256, 256), decoder_dims=(256, 256, 256), seed=seed, optimizer=optimiser)
    model.train(num_iterations=4000, batch_size=256, valid_freq=4001)
    report("train")
    predicted = []
    for sample in controls.obs["sample"].unique():
        own = controls[controls.obs["sample"] == sample].copy()
        wanted = own.obs.iloc[[0]].assign(treatment=pd.Categorical(["EGF_15min"], categories=["control", "EGF_15min"]))
        (found,) = model.predict(own, covariate_data=wanted, sample_rep="X").values()
        predicted.append(anndata.AnnData(5 * np.sinh(np.asarray(found) * scale + mean), obs=own.obs[["patient", "culture", "plate"]]))
    return anndata.concat(predicted)


SIDES = {"popflow": with_popflow, "CellFlow": with_cellflow}


def lines_of(function):
    """Returns the number of lines of code of a function, without its first line, the call of report and blank lines."""
    lines = inspect.getsource(function).splitlines()[1:]
    return sum(1 for line in lines if line.strip() and "report(" not in line)


def run_side(name, folder, seed):
    """Runs one side in this process, writes its predictions and prints the CPU and elapsed seconds of its parts."""
    began = [time.perf_counter(), time.process_time()]

    def report(part):
        now = [time.perf_counter(), time.process_time()]
        print("seconds", part, *(n - b for n, b in zip(now, began)), flush=True)
        began[:] = now

    controls = anndata.read_h5ad(folder / "controls.h5ad")
    predicted = SIDES[name](folder / "training.h5ad", controls, seed, report)
    report("predict")
    print("memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    anndata.AnnData(np.asarray(predicted.X, np.float32), obs=predicted.obs[["patient", "culture", "plate"]].astype(str)).write_h5ad(
        folder / f"{name}.h5ad")


def over_seeds(values):
    """Returns the mean of the scores of several seeds as text, with the standard deviation if there are two or more."""
    return f"{np.mean(values):.3f}" + (f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else "")


def well_of(obs):
    return obs[["patient", "culture", "plate"]].astype(str).agg(" ".join, axis=1).to_numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cellflow", metavar="PYTHON")
    parser.add_argument("--hold-out", default="MAPK1,MAPK14,MAP2K7")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--side", choices=[*SIDES], help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        run_side(options.side, options.folder, options.seed)
        return
    import popflow

    options.folder.mkdir(parents=True, exist_ok=True)
    data = anndata.read_h5ad(options.data)
    held_out = data.obs["patient"].isin(options.hold_out.split(",")).to_numpy()
    data[~held_out].write_h5ad(options.folder / "training.h5ad")
    wells, treated = well_of(data.obs), (data.obs["treatment"] != "control").to_numpy()
    draws = np.random.default_rng(0)
    rows = {(well, t): draws.permutation(np.flatnonzero((wells == well) & (treated == t) & held_out))[:MAX_CELLS]
            for well in np.unique(wells[held_out]) for t in (False, True)}
    test = sorted({well for well, _ in rows})
    data[np.concatenate([rows[well, False] for well in test])].write_h5ad(options.folder / "controls.h5ad")
    x = np.arcsinh(data.X / 5)
    mean = x[~held_out & ~treated].mean(axis=0)
    scale = (x[~held_out & ~treated] - mean).std()

    def scored(cells):
        """Returns the mean scores of predictions, given as arrays of arcsinh(x / 5) by well."""
        found = [popflow.metrics((cells[w] - mean) / scale, (x[rows[w, True]] - mean) / scale, ["energy", "w2"]) for w in test]
        return [np.mean([f[name] for f in found]) for name in ("energy", "w2")]

    shift = np.mean([x[treated & (wells == w)].mean(axis=0) - x[~treated & (wells == w)].mean(axis=0)
                     for w in np.unique(wells[~held_out])], axis=0)
    print(f"{len(np.unique(wells[~held_out]))} training pairs, {len(test)} held-out pairs, {x.shape[1]} markers, "
          f"{options.threads} threads, seeds {options.seeds}\n")
    print("| | lines | train, CPU s (elapsed) | predict, CPU s (elapsed) | process, CPU s (elapsed) | MB | energy | W2 |")
    print("|---|---|---|---|---|---|---|---|")
    for label, offset in (("identity", 0), ("mean shift", shift)):
        energy, w2 = scored({w: x[rows[w, False]] + offset for w in test})
        print(f"| {label} | | | | | | {energy:.3f} | {w2:.3f} |")
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads), "OPENBLAS_NUM_THREADS": str(options.threads),
                   "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen=true intra_op_parallelism_threads={options.threads}"}
    for name, python in (("popflow", sys.executable), ("CellFlow", options.cellflow)):
        if not python:
            continue
        seconds, scores, memory = [], [], []
        for seed in options.seeds.split(","):
            before = [time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)]
            cores = ["taskset", "-c", f"0-{options.threads - 1}"]
            done = subprocess.run([*cores, python, __file__, options.data, str(options.folder), "--side", name, "--seed", seed],
                                  capture_output=True, text=True, env=environment, check=False)
            if done.returncode:
                sys.exit(done.stderr)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used = sum(getattr(after, key) - getattr(before[1], key) for key in ("ru_utime", "ru_stime"))
            printed = [line.split() for line in done.stdout.splitlines()]
            parts = {words[1]: (float(words[3]), float(words[2])) for words in printed if words[:1] == ["seconds"]}
            memory += [float(words[1]) for words in printed if words[:1] == ["memory"]]
            seconds.append([parts["train"], parts["predict"], (used, time.perf_counter() - before[0])])
            predicted = anndata.read_h5ad(options.folder / f"{name}.h5ad")
            row_wells = well_of(predicted.obs)
            scores.append(scored({w: np.arcsinh(predicted.X[row_wells == w] / 5) for w in test}))
            print(f"{name}, seed {seed}: energy {scores[-1][0]:.4f}, W2 {scores[-1][1]:.4f}", file=sys.stderr, flush=True)
        parts = [f"{cpu:.0f} ({elapsed:.0f})" for cpu, elapsed in np.median(seconds, axis=0)]
        energy, w2 = map(over_seeds, np.transpose(scores))
        print(f"| {name} | {lines_of(SIDES[name])} | {' | '.join(parts)} | {np.median(memory):.0f} | {energy} | {w2} |", flush=True)


main()
