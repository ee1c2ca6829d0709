#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the golden file of entropic transport with POT.

sinkhorn.bin has for each case

  int32    n, m, d
  float64  epsilon, rho_rows, rho_cols, relative to the mean squared distance. rho = inf keeps the marginals.
  float32  x [n, d], y [m, d]
  float64  a [n], b [m]
  float64  transport cost <P, C>
  float64  mass of P
  float64  value = <P, C> + eps KL(P | a b) + rho_rows KL(P 1 | a) + rho_cols KL(P^T 1 | b)
  float64  divergence value(x, y) - value(x, x) / 2 - value(y, y) / 2. NaN unless the weights are uniform.
  float64  ot.bregman.empirical_sinkhorn_divergence, which uses <P, C> instead of the values. NaN unless the weights are uniform
           and the problem is balanced.

The entropy of POT has no reference measure, that of popflow is relative to a b. For POT's unbalanced solver the costs are
therefore lowered by eps log(a b), which gives the same problem. That solver has one rho for both sides.

Debian package: python3-pot (0.8.2).
"""
from pathlib import Path

import numpy as np
import ot

HERE = Path(__file__).parent


def kl(p, q):
    safe = np.where(p > 0, p, 1)
    return np.sum(np.where(p > 0, p * np.log(safe / np.where(p > 0, q, 1)), 0) - p + q)


def plan(a, b, cost, epsilon, rho):
    if np.isinf(rho):
        return ot.sinkhorn(a, b, cost, epsilon, method="sinkhorn_log", numItermax=10**6, stopThr=1e-13)
    lowered = cost - epsilon * np.log(np.outer(a, b))
    return ot.unbalanced.sinkhorn_unbalanced(a, b, lowered, epsilon, rho, numItermax=10**6, stopThr=1e-14)


def value(p, a, b, cost, epsilon, rho):
    v = np.sum(p * cost) + epsilon * kl(p, np.outer(a, b))
    return v if np.isinf(rho) else v + rho * (kl(p.sum(1), a) + kl(p.sum(0), b))


def solve(x, y, a, b, epsilon, rho):
    cost = ot.dist(x, y)
    p = plan(a, b, cost, epsilon, rho)
    return np.sum(p * cost), p.sum(), value(p, a, b, cost, epsilon, rho)


def cases(rng):
    for k in range(24):
        n, m, d = rng.integers(2, 40), rng.integers(2, 40), rng.integers(1, 7)
        x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d)) * 1.3 + 0.5
        uniform = k % 3 != 0
        a, b = (np.full(n, 1 / n), np.full(m, 1 / m)) if uniform else (rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m)))
        rho = np.inf if k % 2 == 0 else rng.choice([0.05, 0.5, 5.0])
        yield x, y, a, b, uniform, rng.choice([0.05, 0.2, 1.0]), rho


if __name__ == "__main__":
    with open(HERE / "sinkhorn.bin", "wb") as file:
        for x, y, a, b, uniform, part, rho_part in cases(np.random.default_rng(20251125)):
            x32, y32 = x.astype(np.float32), y.astype(np.float32)
            x, y = x32.astype(float), y32.astype(float)
            mean = ot.dist(x, y).mean()
            epsilon, rho = part * mean, rho_part * mean
            moved, mass, v = solve(x, y, a, b, epsilon, rho)
            divergence = debiased = np.nan
            if uniform:
                divergence = v - solve(x, x, a, a, epsilon, rho)[2] / 2 - solve(y, y, b, b, epsilon, rho)[2] / 2
                if np.isinf(rho):
                    debiased = ot.bregman.empirical_sinkhorn_divergence(x, y, epsilon, numIterMax=10**6, stopThr=1e-13)
            file.write(np.array([len(x), len(y), x.shape[1]], np.int32).tobytes())
            file.write(np.array([part, rho_part, rho_part]).tobytes() + x32.tobytes() + y32.tobytes() + a.tobytes() + b.tobytes())
            file.write(np.array([moved, mass, v, divergence, debiased], float).tobytes())
