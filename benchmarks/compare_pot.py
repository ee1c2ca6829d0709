#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Times exact transport and the metrics against POT, SciPy, scikit-learn and pandas, on the same cells, in turn.

    compare_pot.py BUILD/benchmarks/time_metrics [--cases CASE...] [--rounds 3] [--no-scipy]

A case is NxM (43 markers of normal cells), NxMxD, `letters` (two letters drawn as 3000 points each: 2 markers), `pixels`
(the same on the pixels of a grid, where ties abound) or `egf` (control and 15 minutes of EGF of one gene, 1000 cells each
of data/egf_sample.h5ad).

Each round runs ours and then theirs; the table gives the median seconds of both, by the clock and of CPU, the ratio of the
medians (of CPU in brackets) and the relative difference of the values. Threads are those of the environment
(OMP_NUM_THREADS); the solvers of POT and SciPy have one. `lsa` is W2 by scipy.optimize.linear_sum_assignment.
The peers need OpenBLAS (libopenblas0-pthread): with the reference BLAS their products are slow.
Debian packages: python3-pot python3-scipy python3-sklearn python3-pandas python3-h5py python3-pil.
"""
import argparse
import glob
import statistics
import tempfile
import time
from pathlib import Path

from programs import run_on_all_cores  # isort: skip (before NumPy)

import numpy as np
import ot
import pandas as pd
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


def coupling(x, y):
    cost = ot.dist(x, y)
    plan = ot.emd(ot.unif(len(x)), ot.unif(len(y)), cost, numItermax=10**9)
    return cost[np.arange(len(x)), plan.argmax(axis=1)].mean()


def by_scipy(x, y):
    cost = ot.dist(x, y)
    return cost[linear_sum_assignment(cost)].mean() ** 0.5


def mmd(x, y):
    return np.mean([rbf_kernel(x, x, g).mean() + rbf_kernel(y, y, g).mean() - 2 * rbf_kernel(x, y, g).mean() for g in GAMMAS])


def r2(x, y):
    up = np.triu_indices(x.shape[1], 1)
    cx, cy = (pd.DataFrame(a).corr().to_numpy()[up] for a in (x, y))
    return pd.Series(cx).corr(pd.Series(cy))


def time_theirs(x, y, scipy=True):
    x, y = x.astype(float), y.astype(float)
    functions = {"w1": lambda: wasserstein(x, y, "euclidean"), "w2": lambda: wasserstein(x, y, "sqeuclidean") ** 0.5,
                 "mmd": lambda: mmd(x, y)}
    if x.shape[1] > 2:
        functions["r2"] = lambda: r2(x, y)
    if len(x) == len(y):
        functions["coupling"] = lambda: coupling(x, y)
        if scipy:
            functions["lsa"] = lambda: by_scipy(x, y)
    result = {}
    for name, function in functions.items():
        clock, cpu = time.perf_counter(), time.process_time()
        value = function()
        result[name] = (value, time.perf_counter() - clock, time.process_time() - cpu)
    both = [result["w1"], result["w2"]]
    result["w1_and_w2"] = (result["w2"][0], sum(r[1] for r in both), sum(r[2] for r in both))
    return result


def time_ours(program, x, y, *names):
    """Value, clock and CPU seconds of each metric, and the peak memory in MiB."""
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--cases", nargs="+", default=["1024x1024", "2500x2311", "4096x4096", "5000x4000", "5000x5000", "letters", "pixels", "egf"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-scipy", action="store_true")
    options = parser.parse_args()
    print("| cells | what | popflow, s (CPU) | peer, s (CPU) | ratio (CPU) | difference of the values |\n|---|---|---|---|---|---|")
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
            print(f"| {case} | {name} | {a[0]:.4f} ({a[1]:.4f}) | {b[0]:.3f} ({b[1]:.3f}) | {b[0] / a[0]:.1f} ({b[1] / a[1]:.1f}) "
                  f"| {difference:.0e} |", flush=True)


if __name__ == "__main__":
    main()
