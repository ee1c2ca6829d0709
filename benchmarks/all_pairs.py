#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures exact W2 between all pairs of populations for popflow and POT on one core, and prints a table.

    all_pairs.py BUILD/popflow [DATA.h5ad] [--columns COLUMNS] [--cells 500] [--pairs 40]

DATA.h5ad is data/egf_sample.h5ad by default. Populations are the first cells with the same values of the columns, as
`popflow ot --eval-draw first` takes them, after arcsinh with cofactor 5. popflow solves all pairs as one command, with reading and
writing. POT computes the distances and solves some random pairs with emd2, without reading. Run it in the environment of
make_environment.sh.
"""
import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
from programs import measured_run  # isort: skip (before NumPy binds threads)
from peer_speed import PeerCheck, cpu_name, numpy_product

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core for both tools

import anndata  # noqa: E402
import numpy as np  # noqa: E402
import ot  # noqa: E402

from compare_pot import step_bench_next_to  # noqa: E402

here = Path(__file__).resolve().parent
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("popflow")
parser.add_argument("data", nargs="?", default=str(here.parent / "data" / "egf_sample.h5ad"))
parser.add_argument("--columns", default="patient,treatment,concentration,plate,replicate")
parser.add_argument("--cells", type=int, default=500)
parser.add_argument("--pairs", type=int, default=40)
options = parser.parse_args()
check = PeerCheck(step_bench_next_to(Path(options.popflow).parent / "benchmarks" / "x"), 1)
check.measure("NumPy", "fp64", numpy_product("float64"))
with tempfile.TemporaryDirectory() as folder:
    matrix = f"{folder}/m.h5ad"
    _, ours, peak = measured_run(
        [options.popflow, "ot", "--data", options.data, "--population", options.columns, "--max-cells", options.cells, "--eval-draw",
         "first", "--solver", "exact", "--output", f"{folder}/r.h5", "--output-matrix", matrix])
    result = anndata.read_h5ad(matrix)
names, distances = list(result.obs_names), result.obsp["distances"]
data = anndata.read_h5ad(options.data)
data = data[:, list(result.var_names)]
labels = data.obs[options.columns.split(",")].astype(str).agg(" / ".join, axis=1)
cells = {name: np.arcsinh(np.asarray(data[labels == name].X[:options.cells], float) / 5) for name in names}
random = np.random.default_rng(0)
pairs = [random.choice(len(names), 2, replace=False) for _ in range(options.pairs)]
start = time.process_time()
theirs = [ot.emd2([], [], ot.dist(cells[names[i]], cells[names[j]]), numItermax=10**7) ** 0.5 for i, j in pairs]
seconds = (time.process_time() - start) / len(pairs)
problems = len(names) * (len(names) - 1) // 2
difference = max(abs(w2 - distances[i, j]) / w2 for w2, (i, j) in zip(theirs, pairs))
print(f"{cpu_name()}, one core. {len(names)} populations of up to {options.cells} cells, {data.n_vars} markers. POT {ot.__version__}.\n")
print("| tool | CPU ms a pair | all pairs, CPU s | MiB | ratio |\n|---|---|---|---|---|")
ratio = f"{seconds * problems / ours:.1f}" if check.allows("NumPy", "fp64") else "refused"
print(f"| popflow ot | {1e3 * ours / problems:.2f} | {ours:.1f} | {peak:.0f} | |")
print(f"| POT emd2 | {1e3 * seconds:.2f} | {seconds * problems:.0f}, from {options.pairs} pairs | | {ratio} |")
print(f"\nThe largest relative difference of W2 is {difference:.0e}.\n\n{check.report()}")
sys.exit(check.exit_status())
