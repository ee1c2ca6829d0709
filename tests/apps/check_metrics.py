# SPDX-License-Identifier: MIT
"""Compares the output of `popflow metrics A B CONTROL`, read from standard input, with POT, SciPy and scikit-learn.

Usage: check_metrics.py A.h5ad B.h5ad CONTROL.h5ad
"""

import sys
import warnings

import anndata
import numpy as np
import ot
from scipy.spatial.distance import cdist
from scipy.stats import pearsonr, wasserstein_distance
from sklearn.metrics import r2_score
from sklearn.metrics.pairwise import rbf_kernel

warnings.simplefilter("ignore")
x, y, control = (np.asarray(anndata.read_h5ad(path).X, dtype=np.float64) for path in sys.argv[1:4])
n_x, n_y = np.full(len(x), 1 / len(x)), np.full(len(y), 1 / len(y))


def mmd(gamma):
    return rbf_kernel(x, x, gamma).mean() + rbf_kernel(y, y, gamma).mean() - 2 * rbf_kernel(x, y, gamma).mean()


def correlations(z):
    """Returns the upper triangle of the correlation matrix of the markers."""
    return np.corrcoef(z.T)[np.triu_indices(z.shape[1], 1)]


expected = {
    "w1": ot.emd2(n_x, n_y, cdist(x, y)),
    "w2": np.sqrt(ot.emd2(n_x, n_y, cdist(x, y, "sqeuclidean"))),
    "mmd": np.mean([mmd(gamma) for gamma in (2, 1, 0.5, 0.1, 0.01, 0.005)]),
    "r2": np.corrcoef(correlations(x), correlations(y))[0, 1],
    "energy": 2 * cdist(x, y).mean() - cdist(x, x).mean() - cdist(y, y).mean(),
    "r2_means": r2_score(y.mean(axis=0), x.mean(axis=0)),
    "w1_markers": np.mean([wasserstein_distance(a, b) for a, b in zip(x.T, y.T)]),
}
cost = cdist(x, y, "sqeuclidean")
epsilon = 0.1 * cost.mean()


def sinkhorn_value(u, v):
    """Returns the value of entropic transport, <P, C> + epsilon KL(P | a b)."""
    a, b, c = np.full(len(u), 1 / len(u)), np.full(len(v), 1 / len(v)), cdist(u, v, "sqeuclidean")
    p = ot.sinkhorn(a, b, c, epsilon, method="sinkhorn_log", numItermax=100000, stopThr=1e-11)
    return np.sum(p * c) + epsilon * np.sum(p * np.log(np.maximum(p, 1e-300) * len(u) * len(v)))


expected["sinkhorn"] = sinkhorn_value(x, y) - sinkhorn_value(x, x) / 2 - sinkhorn_value(y, y) / 2
squared = cdist(y, y, "sqeuclidean")[np.triu_indices(len(y), 1)]
expected["mmd_scaled"] = np.mean([mmd(scale / np.median(squared)) for scale in (4, 2, 1, 0.5, 0.25)])
changes = [z.mean(axis=0) - control.mean(axis=0) for z in (x, y)]
top = [set(np.argsort(-np.abs(change), kind="stable")[: int(np.ceil(len(change) / 5))]) for change in changes]
expected["change_correlation"] = pearsonr(*changes)[0]
expected["recall_top"] = len(top[0] & top[1]) / len(top[1])
found = {name: float(value) for name, value in (line.split() for line in sys.stdin)}
assert list(found) == list(expected), list(found)
for name, value in expected.items():
    assert abs(found[name] - value) <= 1e-5 * abs(value), f"{name}: found {found[name]}, expected {value}"
