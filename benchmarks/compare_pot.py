#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares exact transport and the metrics with POT, SciPy, scikit-learn and pandas on the same cells, and prints tables.

    compare_pot.py BUILD/benchmarks/time_metrics [--cases CASE...] [--rounds 3] [--no-scipy]

Run it in the environment of make_environment.sh. Cases:
  NxM, NxMxD  normal cells with 43 or D markers
  letters     two letters with 3000 points each (2 markers)
  pixels      the same on the pixels of a grid, so that many distances are equal
  egf         control and 15 minutes of EGF of one gene in data/egf_sample.h5ad, 1000 cells each

popflow and the peers run in turn. The table has the median seconds over the rounds as elapsed time and, in brackets, CPU time
of all threads, the ratios of both, and the relative difference of the values. `lsa` is W2 by
scipy.optimize.linear_sum_assignment. OMP_NUM_THREADS sets the number of threads (default: all cores). The solvers of POT and
SciPy use one thread. peer_speed.py refuses ratios if NumPy's plain products are slow.
"""
import argparse
import glob
import statistics
import sys
import tempfile
import time
from pathlib import Path

from programs import THREADS, run_on_all_cores  # isort: skip (before NumPy)
from peer_speed import PeerCheck, blas_kernels, cpu_name, numpy_product

import numpy as np
import ot
import pandas as pd
import scipy
import sklearn
from scipy.optimize import linear_sum_assignment
from sklearn.metrics.pairwise import rbf_kernel

GAMMAS = (2, 1, 0.5, 0.1, 0.01, 0.005)
SAMPLE = Path(__file__).parent.parent / "data/egf_sample.h5ad"


def normal_cells(n, m, d, seed=0):
    rng = np.random.default_rng(seed)
    mix = np.eye(d) + 0.015 * rng.normal(size=(d, d))
    return rng.normal(size=(n, d)), rng.normal(size=(m, d)) @ mix + 0.3


def letter(character, points, angle, grid, rng):
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.truetype(glob.glob("/usr/share/fonts/truetype/liberation*/LiberationSans-Bold.ttf")[0], 80)
    image = Image.new("L", (96, 96), 0)
    ImageDraw.Draw(image).text((16, 2), character, fill=255, font=font)
    rows, columns = np.nonzero(np.array(image.rotate(angle)) > 128)
    chosen = rng.integers(len(rows), size=points)
    x = np.c_[columns[chosen], rows[chosen]].astype(float)
    return (x if grid else x + rng.uniform(size=x.shape)) / 48 - 1


def letters(grid):
    rng = np.random.default_rng(1)
    return letter("A", 3000, 0, grid, rng), letter("A", 3000, 40, grid, rng)


def screen_pair():
    import h5py

    with h5py.File(SAMPLE) as file:
        obs = {k: np.array([c.decode() for c in file["obs"][k]["categories"][:]])[file["obs"][k]["codes"][:]]
               for k in ("patient", "treatment")}
        plate = file["obs"]["plate"]
        plate = plate["codes"][:] if isinstance(plate, h5py.Group) else plate[:]
        gene = obs["patient"][obs["treatment"] == "EGF_15min"][0]
        own = (obs["patient"] == gene) & (plate == plate[obs["patient"] == gene][0])
        return tuple(np.arcsinh(file["X"][np.flatnonzero(own & (obs["treatment"] == t))].astype(float) / 5)
                     for t in ("control", "EGF_15min"))


def populations(case):
    x, y = {"letters": lambda: letters(False), "pixels": lambda: letters(True), "egf": screen_pair}.get(
        case, lambda: normal_cells(*(int(s) for s in (case + ("x43" if case.count("x") < 2 else "")).split("x"))))()
    return x.astype(np.float32), y.astype(np.float32)


def wasserstein(x, y, metric):
    return ot.emd2(ot.unif(len(x)), ot.unif(len(y)), ot.dist(x, y, metric=metric), numItermax=10**9)


def coupling_cost(x, y):
    cost = ot.dist(x, y)
    plan = ot.emd(ot.unif(len(x)), ot.unif(len(y)), cost, numItermax=10**9)
    return cost[np.arange(len(x)), plan.argmax(axis=1)].mean()


def assignment_w2(x, y):
    cost = ot.dist(x, y)
    return cost[linear_sum_assignment(cost)].mean() ** 0.5


def mmd(x, y):
    return np.mean([rbf_kernel(x, x, g).mean() + rbf_kernel(y, y, g).mean() - 2 * rbf_kernel(x, y, g).mean() for g in GAMMAS])


def r2(x, y):
    up = np.triu_indices(x.shape[1], 1)
    cx, cy = (pd.DataFrame(a).corr().to_numpy()[up] for a in (x, y))
    return pd.Series(cx).corr(pd.Series(cy))


def time_theirs(x, y, scipy=True):
    """Returns {metric: (value, elapsed seconds, CPU seconds)} of the peers."""
    x, y = x.astype(float), y.astype(float)
    functions = {"w1": lambda: wasserstein(x, y, "euclidean"), "w2": lambda: wasserstein(x, y, "sqeuclidean") ** 0.5,
                 "mmd": lambda: mmd(x, y)}
    if x.shape[1] > 2:
        functions["r2"] = lambda: r2(x, y)
    if len(x) == len(y):
        functions["coupling"] = lambda: coupling_cost(x, y)
        if scipy:
            functions["lsa"] = lambda: assignment_w2(x, y)
    result = {}
    for name, function in functions.items():
        start, cpu = time.perf_counter(), time.process_time()
        value = function()
        result[name] = (value, time.perf_counter() - start, time.process_time() - cpu)
    both = [result["w1"], result["w2"]]
    result["w1_and_w2"] = (result["w2"][0], sum(r[1] for r in both), sum(r[2] for r in both))
    return result


def time_ours(program, x, y, *names):
    """Returns {metric: (value, elapsed seconds, CPU seconds)} of popflow, and {"peak_mib": (MiB,)}."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(x.tobytes() + y.tobytes())
        file.flush()
        shape = map(str, (len(x), len(y), x.shape[1]))
        text = run_on_all_cores([program, file.name, *shape, *names])
    lines = [line.split() for line in text.splitlines()]
    result = {name: tuple(map(float, values)) for name, *values in lines}
    if "w2" in result:
        result["lsa"] = result["w2"]
    return result


def step_bench_next_to(program):
    """Returns the path of step_bench, which the build puts into the folder of time_metrics."""
    return str(Path(program).with_name("step_bench"))


def numpy_check(program):
    """Returns a PeerCheck with NumPy's fp64 product, which POT and scikit-learn use for distances."""
    check = PeerCheck(step_bench_next_to(program), THREADS)
    check.measure("NumPy", "fp64", numpy_product("float64"))
    return check


def versions(*modules):
    return ", ".join(f"{module.__name__} {module.__version__}" for module in modules)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--cases", nargs="+", default=["1024x1024", "2500x2311", "4096x4096", "5000x4000", "5000x5000", "letters", "pixels", "egf"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-scipy", action="store_true")
    options = parser.parse_args()
    check = numpy_check(options.program)
    print(f"{cpu_name()}. {versions(ot, np, scipy, sklearn, pd)}: {blas_kernels()}. Seconds, in brackets CPU seconds of all "
          f"threads, medians of {options.rounds} rounds on {THREADS} threads.\n")
    print("| cells | metric | popflow | peer | ratio (CPU) | difference of the values |\n|---|---|---|---|---|---|")
    for case in options.cases:
        x, y = populations(case)
        ours, theirs = [], []
        for round_ in range(options.rounds):
            ours.append(time_ours(options.program, x, y))
            theirs.append(time_theirs(x, y, not options.no_scipy and round_ == 0))
        for name in theirs[0]:
            a = [statistics.median(r[name][k] for r in ours) for k in (1, 2)]
            b = [statistics.median(r[name][k] for r in theirs if name in r) for k in (1, 2)]
            difference = abs(ours[0][name][0] - theirs[0][name][0]) / max(abs(theirs[0][name][0]), 1e-300)
            print(f"| {case} | {name} | {a[0]:.4f} ({a[1]:.4f}) | {b[0]:.3f} ({b[1]:.3f}) "
                  f"| {check.ratio('NumPy', 'fp64', b, a, digits=1)} | {difference:.0e} |", flush=True)
    print(f"\n{check.report()}")
    return check.exit_status()


if __name__ == "__main__":
    sys.exit(main())
