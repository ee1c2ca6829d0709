#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures seconds, CPU seconds and peak memory of each verb on a sparse screen with many genes.

    wide_screen.py POPFLOW FOLDER [--cells 100000] [--genes 2000] [--max-cells 1000] [--steps 100]

Writes FOLDER/wide_CELLS_GENES.h5ad with h5py if it does not exist: counts in X, CSR with gzip, 10 patients with one
control and one treated population each, 10 % of the entries above zero. Memory is the largest resident set of the process,
including pages of memory-mapped files.
"""
import argparse
import shutil
from pathlib import Path

import h5py
import numpy as np

from programs import measured_run

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("popflow")
parser.add_argument("folder", type=Path)
parser.add_argument("--cells", type=int, default=100_000)
parser.add_argument("--genes", type=int, default=2000)
parser.add_argument("--max-cells", type=int, default=1000, help="cells of a population that are scored")
parser.add_argument("--steps", type=int, default=100)
options = parser.parse_args()
data = options.folder / f"wide_{options.cells}_{options.genes}.h5ad"
PATIENTS = 10


def write_strings(group, name, values, **attributes):
    group.create_dataset(name, data=np.asarray(values, dtype=object), dtype=h5py.string_dtype())
    group[name].attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0", **attributes})


def write_table(file, name, names, columns):
    group = file.create_group(name)
    group.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0", "_index": "_index"})
    group.attrs["column-order"] = np.asarray(list(columns), dtype=object) if columns else np.empty(0, "S1")
    write_strings(group, "_index", names)
    for column, (codes, categories) in columns.items():
        part = group.create_group(column)
        part.attrs.update({"encoding-type": "categorical", "encoding-version": "0.2.0", "ordered": False})
        part["codes"] = codes.astype("i1")
        write_strings(part, "categories", categories)


def write_screen():
    """Writes the file block by block. Treated cells have twice the counts of every tenth gene."""
    random = np.random.default_rng(0)
    patient = np.arange(options.cells) % PATIENTS
    treated = np.arange(options.cells) // PATIENTS % 2
    rates = random.gamma(0.3, 0.5, options.genes)
    effect = np.where(np.arange(options.genes) % 10 == 0, 2, 1)
    with h5py.File(data, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        write_table(file, "obs", [f"c{i}" for i in range(options.cells)], {
            "patient": (patient, [f"P{k}" for k in range(PATIENTS)]), "treatment": (treated, ["DMSO", "S"])})
        write_table(file, "var", [f"g{j}" for j in range(options.genes)], {})
        x = file.create_group("X")
        x.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0"})
        x.attrs["shape"] = (options.cells, options.genes)
        stored = {"chunks": (1 << 18,), "maxshape": (None,), "compression": "gzip", "compression_opts": 1, "shuffle": True}
        values = x.create_dataset("data", (0,), "f4", **stored)
        indices = x.create_dataset("indices", (0,), "i4", **stored)
        indptr = [0]
        for first in range(0, options.cells, 1000):
            rows = slice(first, min(first + 1000, options.cells))
            depth = random.lognormal(0, 0.4, rows.stop - rows.start)
            block = random.poisson(depth[:, None] * rates * np.where(treated[rows, None], effect, 1))
            row, column = np.nonzero(block)
            for dataset, new in ((values, block[row, column]), (indices, column)):
                dataset.resize(len(dataset) + len(new), axis=0)
                dataset[len(dataset) - len(new):] = new
            indptr.extend(indptr[-1] + np.searchsorted(row, np.arange(1, rows.stop - rows.start + 1)))
        x["indptr"] = np.asarray(indptr, dtype="i8")


options.folder.mkdir(parents=True, exist_ok=True)
if not data.exists():
    write_screen()
with h5py.File(data) as file:
    entries = len(file["X/data"])
print(f"{options.cells} cells x {options.genes} genes, {entries} entries above zero, {data.stat().st_size / 1e6:.0f} MB\n")
print("| what | s | CPU s | peak MiB |\n|---|---|---|---|")
counts = ("--min-cells", 100, "--pair-by", "patient", "--transform", "log1p", "--size-factor", "total")
train = ("train", "--data", data, *counts, "--split", "patient:P9", "--steps", options.steps, "--cells", 256, "--knn", 20,
         "--hidden", 512, "--layers", 7, "--embedding", 128, "--coupling", "random")
score = ("--parts", "test", "--max-cells", options.max_cells, "--sample-pairs", 0)
folders = {name: options.folder / name for name in ("memory", "file", "mean_shift")}
for folder in folders.values():
    shutil.rmtree(folder, ignore_errors=True)
jobs = {
    "inspect": ("inspect", data, *counts),
    "train mfm, cells in memory": (*train, "--cache", "memory", "--output", folders["memory"]),
    "train mfm, cells in a file": (*train, "--cache", options.folder, "--output", folders["file"]),
    "train mean-shift": (*train, "--method", "mean-shift", "--cache", options.folder, "--output", folders["mean_shift"]),
    "evaluate, one pair": ("evaluate", "--run", folders["file"], *score, "--output", options.folder / "all.h5"),
    "predict": ("predict", "--run", folders["mean_shift"], "--data", data, "--output", options.folder / "p.h5ad")}
for metric in ("w1,w2", "mmd,energy,mmd_scaled", "r2", "r2_means,w1_markers"):
    jobs[f"evaluate mean-shift, {metric}"] = (
        "evaluate", "--run", folders["mean_shift"], *score, "--metrics", metric, "--output", options.folder / "one.h5")
for name, words in jobs.items():
    print("| {} | {:.1f} | {:.1f} | {:.0f} |".format(name, *measured_run([options.popflow, *words])), flush=True)
