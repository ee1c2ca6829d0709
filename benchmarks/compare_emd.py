#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares popflow.ot.emd with ot.emd of POT on the same matrices of costs, and prints a table.

    PYTHONPATH=BUILD/python compare_emd.py [--cases NxMxD...] [--rounds 5]

Needs Python with NumPy, SciPy and POT 0.9.7.post1. The points are normal, and the costs are squared Euclidean distances. The weights
are uniform. Both functions get the same float64 matrix and return a dense plan. They run one after the other, in turn, on one
thread. The table has medians of CPU and elapsed seconds, the ratios of both, and the relative difference of the costs of the two
plans, which must be below 1e-9.
"""
import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse  # noqa: E402
import statistics  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402

import numpy as np  # noqa: E402
import ot  # noqa: E402

import popflow  # noqa: E402


def problem(n, m, d):
    """Returns uniform weights and the matrix of costs between two normal populations."""
    draws = np.random.default_rng(0)
    mix = np.eye(d) + 0.015 * draws.normal(size=(d, d))
    x, y = draws.normal(size=(n, d)), draws.normal(size=(m, d)) @ mix + 0.3
    return ot.unif(n), ot.unif(m), ot.dist(x, y)


def timed(function):
    """Returns CPU seconds, elapsed seconds and the result."""
    cpu, elapsed = time.process_time(), time.perf_counter()
    result = function()
    return time.process_time() - cpu, time.perf_counter() - elapsed, result


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--cases", nargs="+", default=[f"{size}x{d}" for size in ("1000x1000", "4000x4000", "2500x2311") for d in (2, 43)])
parser.add_argument("--rounds", type=int, default=5)
options = parser.parse_args()
print(f"POT {ot.__version__}, NumPy {np.__version__}, one thread, medians of {options.rounds} rounds\n")
print("| n x m, markers | popflow, CPU s (elapsed) | POT, CPU s (elapsed) | ratio of CPU (elapsed) | difference of the costs |")
print("|---|---|---|---|---|")
failed = False
for case in options.cases:
    n, m, d = map(int, case.split("x"))
    a, b, costs = problem(n, m, d)
    functions = {"popflow": lambda: popflow.ot.emd(a, b, costs), "POT": lambda: ot.emd(a, b, costs, numItermax=10**9)}
    seconds = {name: [] for name in functions}
    values = {}
    for _ in range(options.rounds):
        for name, function in functions.items():
            cpu, elapsed, plan = timed(function)
            seconds[name].append((cpu, elapsed))
            values[name] = float((plan * costs).sum())
            assert abs(plan.sum(axis=1) - a).max() < 1e-12 and abs(plan.sum(axis=0) - b).max() < 1e-12, "marginals"
            del plan
    ours, theirs = ([statistics.median(column) for column in zip(*seconds[name])] for name in functions)
    difference = abs(values["popflow"] - values["POT"]) / values["POT"]
    failed |= difference > 1e-9
    print(f"| {n} x {m}, {d} | {ours[0]:.3f} ({ours[1]:.3f}) | {theirs[0]:.3f} ({theirs[1]:.3f}) | "
          f"{theirs[0] / ours[0]:.1f} ({theirs[1] / ours[1]:.1f}) | {difference:.0e} |", flush=True)
sys.exit("the costs differ by more than a relative 1e-9" if failed else 0)
