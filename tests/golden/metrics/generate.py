#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the golden files of ot and metrics with POT, scikit-learn, SciPy and pandas.

    generate.py [SCREEN.h5ad]

populations.bin  pairs of populations with every score: for each case int32 n, m, d; float32 x [n, d], y [m, d];
                 float64 w1, w2, mmd, r2, energy, r2_means, w1_markers
plans.bin        transport problems: for each case int32 n, m, uniform; float64 a [n], b [m], c [n, m], value
screen.bin       like populations.bin, with one case from a real screen: 300 control and 280 treated cells. Written only if
                 SCREEN.h5ad is given: EGF.h5ad of scripts/data_sets, mass cytometry of Lun et al., Nat Biotechnol 2017,
                 from github.com/BodenmillerGroup/Adnet (MIT licence, Vito Zanotelli, Univ. of Zurich).

Debian packages: python3-pot python3-sklearn python3-pandas python3-scipy python3-h5py (POT 0.8.2).
"""
import sys
from pathlib import Path

import numpy as np
import ot
import pandas as pd
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance
from sklearn.metrics import r2_score
from sklearn.metrics.pairwise import rbf_kernel

HERE = Path(__file__).parent
GAMMAS = (2, 1, 0.5, 0.1, 0.01, 0.005)


def wasserstein(x, y, power):
    cost = cdist(x, y) ** power
    return ot.emd2(ot.unif(len(x)), ot.unif(len(y)), cost, numItermax=10**8) ** (1 / power)


def mmd(x, y):
    kernel = lambda a, b, g: np.exp(-g * cdist(a, b, "sqeuclidean")).mean()
    direct = [kernel(x, x, g) + kernel(y, y, g) - 2 * kernel(x, y, g) for g in GAMMAS]
    reference = [rbf_kernel(x, x, g).mean() + rbf_kernel(y, y, g).mean() - 2 * rbf_kernel(x, y, g).mean() for g in GAMMAS]
    assert np.allclose(direct, reference, rtol=1e-6, atol=1e-12)
    return np.mean(direct)


def energy(x, y):
    return 2 * cdist(x, y).mean() - cdist(x, x).mean() - cdist(y, y).mean()


def r2(x, y):
    kept = (np.ptp(x, axis=0) > 0) & (np.ptp(y, axis=0) > 0)
    if kept.sum() < 3:
        return np.nan
    up = np.triu_indices(kept.sum(), 1)
    cx, cy = (pd.DataFrame(a[:, kept]).corr().to_numpy()[up] for a in (x, y))
    return pd.Series(cx).corr(pd.Series(cy))


def scores(x, y):
    means = np.nan if x.shape[1] < 2 else r2_score(y.mean(axis=0), x.mean(axis=0))
    markers = np.mean([wasserstein_distance(x[:, j], y[:, j]) for j in range(x.shape[1])])
    return [wasserstein(x, y, 1), wasserstein(x, y, 2), mmd(x, y), r2(x, y), energy(x, y), means, markers]


def write_case(file, x, y):
    x, y = np.ascontiguousarray(x, np.float32), np.ascontiguousarray(y, np.float32)
    file.write(np.array([len(x), len(y), x.shape[1]], np.int32).tobytes() + x.tobytes() + y.tobytes())
    file.write(np.array(scores(x.astype(float), y.astype(float))).tobytes())


def population_cases(rng):
    for _ in range(200):
        n, m, d = rng.integers(1, 40), rng.integers(1, 40), rng.integers(1, 9)
        spread = 10.0 ** rng.uniform(-2, 1)
        yield rng.normal(size=(n, d)) * spread, rng.normal(size=(m, d)) * spread + rng.normal(size=d)
    # Many ties: points on a small grid, most of them repeated.
    yield rng.integers(0, 6, size=(150, 2)), rng.integers(1, 8, size=(180, 2))
    # Markers with many zeros, one of them constant.
    x, y = np.maximum(rng.normal(size=(200, 8)), 0), np.maximum(rng.normal(size=(200, 8)) + 0.3, 0)
    x[:, 3] = 0
    yield x, y
    # Far from the origin.
    yield rng.normal(size=(60, 3)) + 1000, rng.normal(size=(50, 3)) * 1.5 + 1001
    # Larger populations of equal and of unequal size.
    mix = np.eye(43) + 0.02 * rng.normal(size=(43, 43))
    yield rng.normal(size=(300, 43)), rng.normal(size=(300, 43)) @ mix + 0.3
    yield rng.normal(size=(500, 10)), rng.normal(size=(370, 10)) * 1.2
    # Three distant clusters whose weights differ between the two populations.
    centre = np.array([[0, 0], [20, 0], [0, 20]])
    yield (centre[rng.choice(3, 400, p=[0.5, 0.3, 0.2])] + rng.normal(size=(400, 2)),
           centre[rng.choice(3, 300, p=[0.2, 0.3, 0.5])] + rng.normal(size=(300, 2)))


def plan_cases(rng):
    for k in range(40):
        n, m, uniform = rng.integers(1, 25), rng.integers(1, 25), k % 3 == 0
        a, b = (np.full(n, 1 / n), np.full(m, 1 / m)) if uniform else (rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m)))
        cost = rng.integers(-3, 4, size=(n, m)) if k % 4 == 0 else rng.normal(size=(n, m)) * 10.0 ** rng.integers(-6, 7)
        yield a, b, cost.astype(float), uniform


def screen_cells(path):
    """Returns 300 control and 280 treated cells of one experiment, transformed by arcsinh(x / 5)."""
    import h5py
    with h5py.File(path) as f:
        obs = {k: np.array([c.decode() for c in f["obs"][k]["categories"][:]])[f["obs"][k]["codes"][:]]
               for k in ("patient", "treatment", "plate")}
        first = {k: v[obs["treatment"] == "EGF_5min"][0] for k, v in obs.items()}
        same = (obs["patient"] == first["patient"]) & (obs["plate"] == first["plate"])
        take = lambda t, n: np.arcsinh(f["X"][np.flatnonzero(same & (obs["treatment"] == t))[:n]].astype(float) / 5)
        return take("control", 300), take("EGF_5min", 280)


if __name__ == "__main__":
    rng = np.random.default_rng(20240826)
    with open(HERE / "populations.bin", "wb") as file:
        for x, y in population_cases(rng):
            write_case(file, x, y)
    with open(HERE / "plans.bin", "wb") as file:
        for a, b, cost, uniform in plan_cases(rng):
            value = ot.emd2(a, b, cost, numItermax=10**8)
            file.write(np.array([len(a), len(b), uniform], np.int32).tobytes())
            file.write(a.tobytes() + b.tobytes() + cost.tobytes() + np.array(value, float).tobytes())
    if len(sys.argv) > 1:
        with open(HERE / "screen.bin", "wb") as file:
            write_case(file, *screen_cells(sys.argv[1]))
