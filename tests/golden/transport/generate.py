#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the golden files of exact transport between points with POT, and of assignments with SciPy.

transport.bin  200 problems of random shape, weights and cost. Each has int32 n, m, d, kind (0 Euclidean, 1 squared Euclidean,
               2 cosine), uniform; float32 x [n, d], y [m, d]; float64 a [n], b [m], value
large.bin      populations so large that the solver starts its duals from a sample. Each has int32 n, m, d, kind, seed; float64
               value. The test generates the same cells from the seed as cells() does.

Debian packages: python3-pot python3-scipy (POT 0.8.2).
"""
from pathlib import Path

import numpy as np
import ot
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

HERE = Path(__file__).parent
METRICS = ("euclidean", "sqeuclidean", "cosine")


def cells(n, d, seed):
    """Returns numbers in [-1, 1) of a linear congruential generator, the same in any language.

    Each number u is mapped to u |u|, so that the numbers are dense near 0. Shape [n, d].
    """
    state, values = np.uint64(seed * 2 + 1), np.empty(n * d, np.float32)
    with np.errstate(over="ignore"):
        for k in range(n * d):
            state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
            u = np.float32(int(state >> np.uint64(40)) / 2**23 - 1)
            values[k] = u * np.abs(u)
    return values.reshape(n, d)


def problems(rng):
    for k in range(200):
        n, m, d, kind = rng.integers(1, 45), rng.integers(1, 45), rng.integers(1, 7), k % 3
        if k % 5 == 0:
            m = n
        x, y = rng.normal(size=(n, d)) * 10.0 ** rng.uniform(-2, 2), rng.normal(size=(m, d)) + 0.5
        if k % 4 == 0 and kind < 2:  # ties
            x, y = np.round(2 * rng.normal(size=(n, d))), np.round(2 * rng.normal(size=(m, d)))
        uniform = k % 5 == 0 or k % 2 == 0
        a, b = (np.full(n, 1 / n), np.full(m, 1 / m)) if uniform else (rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m)))
        yield x.astype(np.float32), y.astype(np.float32), a, b, kind, uniform


if __name__ == "__main__":
    with open(HERE / "transport.bin", "wb") as file:
        for x, y, a, b, kind, uniform in problems(np.random.default_rng(20251125)):
            value = ot.emd2(a, b, cdist(x.astype(float), y.astype(float), METRICS[kind]), numItermax=10**8)
            file.write(np.array([len(x), len(y), x.shape[1], kind, uniform], np.int32).tobytes())
            file.write(x.tobytes() + y.tobytes() + a.tobytes() + b.tobytes() + np.array(value, float).tobytes())
    with open(HERE / "large.bin", "wb") as file:
        for n, m, d, kind in ((2100, 2100, 2, 1), (2100, 2100, 8, 0), (2300, 2050, 2, 0), (2300, 2050, 8, 1), (2050, 2050, 3, 2)):
            x, y = cells(n, d, 1), cells(m, d, 2) * np.float32(0.75)
            cost = cdist(x.astype(float), y.astype(float), METRICS[kind])
            if n == m:
                value = cost[linear_sum_assignment(cost)].mean()
            else:
                value = ot.emd2(ot.unif(n), ot.unif(m), cost, numItermax=10**9)
            file.write(np.array([n, m, d, kind, 1], np.int32).tobytes() + np.array(value, float).tobytes())
