#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes dense.bin, values of transport problems with POT. Small problems are checked with linear programming of SciPy.

For each problem int32 n, m, d, kind, weights, seed; float64 scale, value. The test makes the same problem from the seed:

kind     0 squared Euclidean, 1 Euclidean, 2 angle on the sphere, 3 random integers 0 to 3, 4 random numbers in [-0.5, 0.5)
weights  0 uniform, 1 random, 2 random from 1e-12 to 1, 3 random with half of the atoms empty

Debian packages: python3-pot python3-scipy (POT 0.8.2).
"""
from pathlib import Path

import numpy as np
import ot
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

HERE = Path(__file__).parent


def uniform(count, seed):
    """Returns numbers in [0, 1) of a linear congruential generator, the same in any language."""
    state, values = seed * 2 + 1, np.empty(count)
    for k in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        values[k] = (state >> 11) / 2**53
    return values


def costs(n, m, d, kind, seed, scale):
    if kind > 2:
        u = uniform(n * m, seed).reshape(n, m)
        return scale * (np.floor(4 * u) if kind == 3 else u - 0.5)
    x, y = uniform(n * d, seed).reshape(n, d), uniform(m * d, seed + 1).reshape(m, d)
    if kind == 2:
        x, y = ((z - 0.5) / np.linalg.norm(z - 0.5, axis=1, keepdims=True) for z in (x, y))
        return scale * 2 * np.arctan2(np.linalg.norm(x[:, None] - y, axis=2), np.linalg.norm(x[:, None] + y, axis=2))
    c = sum((x[:, None, k] - y[None, :, k]) ** 2 for k in range(d))
    return scale * (np.sqrt(c) if kind == 1 else c)


def histogram(n, kind, seed):
    u = uniform(n, seed)
    w = {0: np.ones(n), 1: u + 0.01, 2: 10 ** (-12 * u), 3: np.where(np.arange(n) % 2 == 0, u + 0.01, 0)}[kind]
    return w / w.sum()


def linear_program(a, b, c):
    """Returns the optimal value in units of the largest cost."""
    n, m = c.shape
    i, j = np.divmod(np.arange(n * m), m)
    rows, cols = np.concatenate([i, n + j]), np.tile(np.arange(n * m), 2)
    constraints = coo_matrix((np.ones(2 * n * m), (rows, cols)))
    # One constraint follows from the others.
    solved = linprog(c.ravel() / abs(c).max(), A_eq=constraints.tocsr()[:-1], b_eq=np.concatenate([a, b])[:-1],
                     method="highs-ds",
                     options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10})
    assert solved.status == 0, solved.message
    return solved.fun


def problems():
    seed = 1
    for n, m in ((1, 1), (1, 7), (7, 1), (2, 2), (3, 40), (20, 25), (64, 64), (150, 150), (150, 143), (300, 60), (60, 300)):
        for kind in range(5):
            for weights in range(4):
                if n * m > 10000 and (kind + weights) % 2 == 0:
                    continue
                yield n, m, 1 + seed % 5, kind, weights, seed, (1, 1e12, 1e-12)[seed % 3]
                seed += 2
    yield 50, 10000, 3, 2, 1, seed, 1
    yield 600, 600, 36, 0, 0, seed + 2, 1


if __name__ == "__main__":
    with open(HERE / "dense.bin", "wb") as file:
        for n, m, d, kind, weights, seed, scale in problems():
            a, b, c = histogram(n, weights, seed + 100000), histogram(m, weights, seed + 200000), costs(n, m, d, kind, seed, scale)
            rows, cols = np.flatnonzero(a), np.flatnonzero(b)
            c, a, b = c[np.ix_(rows, cols)], a[rows], b[cols]
            value = ot.emd2(a, b, c / scale, numItermax=10**9) * scale
            if len(a) * len(b) <= 4096 and abs(c).max() > 0:
                difference = abs(value / abs(c).max() - linear_program(a, b, c))
                assert difference < 1e-8, (n, m, kind, weights, difference)
            file.write(np.array([n, m, d, kind, weights, seed], np.int32).tobytes() + np.array([scale, value], float).tobytes())
