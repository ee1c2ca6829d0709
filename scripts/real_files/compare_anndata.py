#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares what popflow reads from public files with anndata. Needs anndata and h5py.

    compare_anndata.py POPFLOW FOLDER [LIST.csv]

FOLDER/OWNER/NAME is a checkout of each repository of the list. Every matrix of an .h5ad file (X, layers, raw, obsm) is
written again by anndata, dense and in double precision. `popflow metrics` then compares both files: the energy distance and
the distances of all markers must be zero. popflow must refuse every other file with a line that says how to convert it.
Writes the list with the results to standard output, and exits with 1 if a value is wrong.
"""
import csv
import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import anndata
import numpy as np
import pandas as pd

warnings.simplefilter("ignore")
popflow, folder = sys.argv[1], Path(sys.argv[2])
table = Path(sys.argv[3]) if len(sys.argv) > 3 else Path(__file__).with_name("anndata.csv")


def dense(matrix):
    values = matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix)
    return values.astype(np.float32).astype(np.float64)


def matrices(data):
    """Yields the options, the values and the names of the columns of every matrix."""
    if data.X is not None:
        yield [], dense(data.X), data.var_names
    for name in data.layers:
        yield ["--layer", name], dense(data.layers[name]), data.var_names
    if data.raw is not None:
        yield ["--use-raw"], dense(data.raw.X), data.raw.var_names
    for key, member in data.obsm.items():
        if isinstance(member, pd.DataFrame):
            numbers = member.select_dtypes(["number", "bool"])
            if len(numbers.columns) == len(member.columns):
                yield ["--obsm", key], dense(numbers), member.columns
        elif np.ndim(member) == 2:
            yield ["--obsm", key], dense(member), [f"{key}_{j + 1}" for j in range(member.shape[1])]


def compare(path, options, values, names, scratch):
    """Returns `equal`, `differs` or popflow's message."""
    oracle = anndata.AnnData(values, obs=pd.DataFrame(index=[str(i) for i in range(len(values))]))
    oracle.var_names = list(map(str, names))
    if options[:1] == ["--layer"]:
        oracle.layers[options[1]] = oracle.X
    elif options[:1] == ["--obsm"]:
        oracle.obsm[options[1]] = pd.DataFrame(values, index=oracle.obs_names, columns=oracle.var_names)
    elif options:
        oracle.raw = oracle
    oracle.write_h5ad(scratch / "oracle.h5ad")
    found = subprocess.run([popflow, "metrics", str(path), str(scratch / "oracle.h5ad"), "--json", "--metrics",
                            "energy,w1_markers", *options], capture_output=True, text=True)
    if found.returncode != 0:
        return found.stderr.strip().removeprefix(f"popflow: {path}: ")
    scores = json.loads(found.stdout)
    scale = max(1, float(np.abs(values).max()))
    return "equal" if all(abs(score) <= 1e-6 * scale for score in scores.values()) else f"differs: {scores}"


def check(path, scratch):
    """Returns the oracle and the result for a file."""
    if path.suffix != ".h5ad":
        found = subprocess.run([popflow, "inspect", str(path)], capture_output=True, text=True)
        message = found.stderr.strip().removeprefix(f"popflow: {path}: ")
        return "none", f"exit {found.returncode}: {message.split('. ')[0].split(' with ')[0]}"
    results = {}
    for options, values, names in matrices(anndata.read_h5ad(path)):
        results[" ".join(options) or "X"] = compare(path, options, values, names, scratch)
    equal = [name for name, result in results.items() if result == "equal"]
    other = [f"{name}: {result}" for name, result in results.items() if result != "equal"]
    text = (f"equal: {', '.join(equal)}" if equal else "") + ("; " if equal and other else "") + "; ".join(other)
    return f"anndata {anndata.__version__}", text or "no matrix"


rows = list(csv.DictReader(table.open()))
with tempfile.TemporaryDirectory() as scratch:
    for row in rows:
        path = folder / row["repository"] / row["path"]
        row["bytes"] = path.stat().st_size
        row["oracle"], row["result"] = check(path, Path(scratch))
        row["result"] = row["result"].replace(str(folder) + "/", "").replace("\n", " ")
writer = csv.DictWriter(sys.stdout, ["repository", "path", "commit", "bytes", "oracle", "result"], lineterminator="\n")
writer.writeheader()
writer.writerows(rows)
sys.exit(any("differs" in row["result"] for row in rows))
