#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Times exact transport and the metrics against POT, scikit-learn and pandas, on the same cells, in turn.

    compare_pot.py BUILD/benchmarks/time_metrics [--sizes 1024x1024 4096x4096 5000x4000] [--markers 43] [--rounds 3]

Each round runs ours and then theirs; the table gives the median seconds of both, the ratio of the medians and the
relative difference of the values. Threads are those of the environment (OMP_NUM_THREADS); POT's solver has one.
Debian packages: python3-pot python3-sklearn python3-pandas.
"""
import argparse
import statistics
import subprocess
import tempfile
import time

import numpy as np
import ot
import pandas as pd
from sklearn.metrics.pairwise import rbf_kernel

GAMMAS = (2, 1, 0.5, 0.1, 0.01, 0.005)


def populations(n, m, d, seed=0):
    rng = np.random.default_rng(seed)
    mix = np.eye(d) + 0.015 * rng.normal(size=(d, d))
    x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d)) @ mix + 0.3
    return x.astype(np.float32), y.astype(np.float32)


def wasserstein(x, y, power):
    cost = ot.dist(x, y, metric="euclidean") ** power
    return ot.emd2(ot.unif(len(x)), ot.unif(len(y)), cost, numItermax=10**9) ** (1 / power)


def coupling(x, y):
    cost = ot.dist(x, y)
    plan = ot.emd(ot.unif(len(x)), ot.unif(len(y)), cost, numItermax=10**9)
    return cost[np.arange(len(x)), plan.argmax(axis=1)].mean()


def mmd(x, y):
    return np.mean([rbf_kernel(x, x, g).mean() + rbf_kernel(y, y, g).mean() - 2 * rbf_kernel(x, y, g).mean() for g in GAMMAS])


def r2(x, y):
    up = np.triu_indices(x.shape[1], 1)
    cx, cy = (pd.DataFrame(a).corr().to_numpy()[up] for a in (x, y))
    return pd.Series(cx).corr(pd.Series(cy))


def time_theirs(x, y):
    x, y = x.astype(float), y.astype(float)
    functions = {"w1": lambda: wasserstein(x, y, 1), "w2": lambda: wasserstein(x, y, 2), "mmd": lambda: mmd(x, y), "r2": lambda: r2(x, y)}
    if len(x) == len(y):
        functions["coupling"] = lambda: coupling(x, y)
    result = {}
    for name, function in functions.items():
        start = time.perf_counter()
        value = function()
        result[name] = (value, time.perf_counter() - start)
    result["w1_and_w2"] = (result["w2"][0], result["w1"][1] + result["w2"][1])
    return result


def time_ours(program, path, shape):
    lines = subprocess.run([program, path, *map(str, shape)], check=True, capture_output=True, text=True).stdout.splitlines()
    result = {name: (float(value), float(seconds)) for name, value, seconds in map(str.split, lines)}
    if "coupling" in result:
        result["coupling"] = (result.pop("coupling_value")[0], result["coupling"][1])
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--sizes", nargs="+", default=["1024x1024", "4096x4096", "5000x4000"])
    parser.add_argument("--markers", type=int, default=43)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"{'cells':>12} {'what':>10} {'ours s':>9} {'theirs s':>9} {'ratio':>7} {'difference':>11}")
    for size in options.sizes:
        n, m = map(int, size.split("x"))
        x, y = populations(n, m, options.markers)
        ours, theirs = [], []
        with tempfile.NamedTemporaryFile() as file:
            file.write(x.tobytes() + y.tobytes())
            file.flush()
            for _ in range(options.rounds):
                ours.append(time_ours(options.program, file.name, (n, m, options.markers)))
                theirs.append(time_theirs(x, y))
        for name in theirs[0]:
            a = statistics.median(r[name][1] for r in ours)
            b = statistics.median(r[name][1] for r in theirs)
            difference = abs(ours[0][name][0] - theirs[0][name][0]) / max(abs(theirs[0][name][0]), 1e-300)
            print(f"{size:>12} {name:>10} {a:9.4f} {b:9.4f} {b / a:7.1f} {difference:11.1e}", flush=True)


if __name__ == "__main__":
    main()
