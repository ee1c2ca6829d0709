#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures 1-NNA by exact W2 between two sets of point clouds on one core: popflow, popflow without bounds, and POT.

    set_scores.py BUILD/popflow [--clouds 64] [--points 1024] [--pairs 30]

The clouds are surfaces of superellipsoids with random half axes and exponents in three dimensions, `--clouds` of them in each of two
sets. `popflow metrics --population` solves the pairs that its bounds do not exclude. `popflow ot` solves all pairs. POT solves some
random pairs with emd2, without reading. Run it in the environment of make_environment.sh.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
from programs import measured_run  # isort: skip (before NumPy binds threads)
from peer_speed import PeerCheck, cpu_name, numpy_product

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core for all tools

import anndata  # noqa: E402
import numpy as np  # noqa: E402
import ot  # noqa: E402
import pandas as pd  # noqa: E402

from compare_pot import step_bench_next_to  # noqa: E402

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("popflow")
parser.add_argument("--clouds", type=int, default=64)
parser.add_argument("--points", type=int, default=1024)
parser.add_argument("--pairs", type=int, default=30)
options = parser.parse_args()
check = PeerCheck(step_bench_next_to(Path(options.popflow).parent / "benchmarks" / "x"), 1)
check.measure("NumPy", "fp64", numpy_product("float64"))
draws = np.random.default_rng(1)


def superellipsoid():
    """Returns points of a surface |x/a|^p + |y/b|^p + |z/c|^p = 1, along random directions."""
    axes, power = draws.uniform(0.4, 1, 3), draws.uniform(1, 6)
    directions = draws.normal(size=(options.points, 3))
    return directions / (np.abs(directions / axes) ** power).sum(axis=1, keepdims=True) ** (1 / power)


clouds = [superellipsoid().astype(np.float32) for _ in range(2 * options.clouds)]
with tempfile.TemporaryDirectory() as folder:
    def write(name, first, last):
        names = np.repeat([f"c{i:04d}" for i in range(first, last)], options.points)
        obs = pd.DataFrame({"cloud": pd.Categorical(names)}, index=[str(i) for i in range(len(names))])
        anndata.AnnData(np.concatenate(clouds[first:last]), obs=obs).write_h5ad(f"{folder}/{name}.h5ad")

    write("real", 0, options.clouds)
    write("generated", options.clouds, 2 * options.clouds)
    write("all", 0, 2 * options.clouds)
    sets = [options.popflow, "metrics", f"{folder}/generated.h5ad", f"{folder}/real.h5ad", "--population", "cloud", "--distance", "w2",
            "--transform", "none", "--json"]
    _, pruned, pruned_peak = measured_run(sets)
    scores = json.loads(subprocess.run(sets, capture_output=True, text=True, check=True).stdout)["w2"]
    matrix = f"{folder}/m.h5ad"
    _, full, full_peak = measured_run(
        [options.popflow, "ot", "--data", f"{folder}/all.h5ad", "--population", "cloud", "--solver", "exact", "--max-cells",
         options.points, "--transform", "none", "--output", f"{folder}/r.h5", "--output-matrix", matrix])
    distances = np.asarray(anndata.read_h5ad(matrix).obsp["distances"])
np.fill_diagonal(distances, np.inf)
label = np.arange(len(clouds)) < options.clouds
nna = (label[distances.argmin(axis=1)] == label).mean()
pairs = [draws.choice(len(clouds), 2, replace=False) for _ in range(options.pairs)]
start = time.process_time()
theirs = [ot.emd2([], [], ot.dist(clouds[i].astype(float), clouds[j].astype(float)), numItermax=10**7) ** 0.5 for i, j in pairs]
seconds = (time.process_time() - start) / len(pairs)
problems = len(clouds) * (len(clouds) - 1) // 2
difference = max(abs(w2 - distances[i, j]) / w2 for w2, (i, j) in zip(theirs, pairs))
print(f"{cpu_name()}, one core. {options.clouds} + {options.clouds} clouds of {options.points} points. POT {ot.__version__}.\n")
print("| tool | pairs solved | CPU s | MiB | POT / tool |\n|---|---|---|---|---|")


def ratio(cpu):
    return f"{seconds * problems / cpu:.1f}" if check.allows("NumPy", "fp64") else "refused"


print(f"| popflow metrics | {scores['distances_computed']} | {pruned:.1f} | {pruned_peak:.0f} | {ratio(pruned)} |")
print(f"| popflow ot, all pairs | {problems} | {full:.1f} | {full_peak:.0f} | {ratio(full)} |")
print(f"| POT emd2, all pairs | {problems} | {seconds * problems:.0f}, from {options.pairs} pairs | | |")
print(f"\n1-NNA is {scores['nna']:.4f}, and {nna:.4f} from all pairs. The largest relative difference of W2 is {difference:.0e}."
      f"\n\n{check.report()}")
sys.exit(check.exit_status() or int(scores["nna"] != nna))
