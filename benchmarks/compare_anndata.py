#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Times reading the cells of data/egf_sample.h5ad against anndata and NumPy on the same cores, in turn, and prints a table.

    compare_anndata.py BUILD/benchmarks/step_bench [--rounds 5] [--threads 2]

Debian packages: python3-anndata. From the file, gzip in the page cache, to arcsinh(x / 5) of all cells in float; ours
sorts them into populations besides. By clock and by CPU time of all threads, medians of rounds.
"""
import argparse
import os
import statistics
import time
import warnings
from pathlib import Path

from programs import run_step_bench  # isort: skip (before NumPy)

import anndata
import numpy as np

options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("step_bench")
options.add_argument("--rounds", type=int, default=5)
options.add_argument("--threads", type=int, default=2)
arguments = options.parse_args()
os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
warnings.filterwarnings("ignore")
sample = Path(__file__).parent.parent / "data" / "egf_sample.h5ad"


def theirs():
    clock, cpu = time.perf_counter(), time.process_time()
    np.arcsinh(anndata.read_h5ad(sample).X / 5)
    return 1000 * (time.perf_counter() - clock), 1000 * (time.process_time() - cpu)


def ours(threads):
    pattern = f"^input/read/sample/threads:{threads}/"
    return run_step_bench(arguments.step_bench, pattern)["input", "read"]


threads = sorted({1, arguments.threads})
times = {n: [] for n in threads}
peer = []
theirs()
for _ in range(arguments.rounds):
    peer.append(theirs())
    for n in threads:
        times[n].append(ours(n))


def medians(rows):
    return [statistics.median(column) for column in zip(*rows)]


print("| who | clock, ms | CPU, ms | ratio of the clock |\n|---|---|---|---|")
clock, cpu = medians(peer)
print(f"| anndata {anndata.__version__}, NumPy {np.__version__} | {clock:.0f} | {cpu:.0f} | |")
for n in threads:
    mine, my_cpu = medians(times[n])
    print(f"| popflow, {n} thread{'s' if n > 1 else ''} | {mine:.0f} | {my_cpu:.0f} | {clock / mine:.1f} |")
