#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares reading the cells of data/egf_sample.h5ad with anndata and NumPy, and prints a table.

    compare_anndata.py BUILD/benchmarks/step_bench [--rounds 5] [--threads 2]

Run it in the environment of make_environment.sh. Both read the gzip-compressed file from the page cache and compute
arcsinh(x / 5) of all cells in float. popflow also sorts the cells into populations. Both run in turn. The table has medians of
elapsed time and of the CPU time of all threads. Matrix products do not occur, so peer_speed.py has nothing to check here.
"""
import argparse
import os
import statistics
import time
import warnings
from pathlib import Path

from programs import run_step_bench  # isort: skip (before NumPy)
from peer_speed import cpu_name

import anndata
import h5py
import numpy as np

options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("step_bench")
options.add_argument("--rounds", type=int, default=5)
options.add_argument("--threads", type=int, default=2)
arguments = options.parse_args()
os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
warnings.filterwarnings("ignore")
sample = Path(__file__).parent.parent / "data" / "egf_sample.h5ad"


def time_anndata():
    """Returns elapsed and CPU milliseconds."""
    start, cpu = time.perf_counter(), time.process_time()
    np.arcsinh(anndata.read_h5ad(sample).X / 5)
    return 1000 * (time.perf_counter() - start), 1000 * (time.process_time() - cpu)


def time_popflow(threads):
    """Returns elapsed and CPU milliseconds."""
    pattern = f"^input/read/sample/threads:{threads}/"
    return run_step_bench(arguments.step_bench, pattern)["input", "read"]


def medians(rows):
    return [statistics.median(column) for column in zip(*rows)]


threads = sorted({1, arguments.threads})
popflow_times = {n: [] for n in threads}
anndata_times = []
time_anndata()  # fills the page cache
for _ in range(arguments.rounds):
    anndata_times.append(time_anndata())
    for n in threads:
        popflow_times[n].append(time_popflow(n))

print(f"{cpu_name()}. Medians of {arguments.rounds} rounds.\n")
print("| reader | elapsed, ms | CPU, ms | ratio (CPU) |\n|---|---|---|---|")
elapsed, cpu = medians(anndata_times)
print(f"| anndata {anndata.__version__}, h5py {h5py.__version__}, NumPy {np.__version__} | {elapsed:.0f} | {cpu:.0f} | |")
for n in threads:
    own_elapsed, own_cpu = medians(popflow_times[n])
    print(f"| popflow, {n} thread{'s' if n > 1 else ''} | {own_elapsed:.0f} | {own_cpu:.0f} "
          f"| {elapsed / own_elapsed:.1f} ({cpu / own_cpu:.1f}) |")
