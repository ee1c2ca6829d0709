# SPDX-License-Identifier: MIT
"""Optimal transport between point clouds or for a matrix of costs.

Symbols: n and m points of dimension d, weights a [n] and b [m], costs c [n, m], plan P [n, m].

Contiguous arrays are used without a copy. The functions release the GIL, use the OpenMP threads of the process and give the
same bits for any number of threads. Ctrl-C stops them with KeyboardInterrupt.
"""
from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Sequence

import numpy as np
import scipy.sparse

from popflow import _core
from popflow._scores import array, cells, check_finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["TransportPlan", "EntropicPlan", "exact", "sinkhorn", "all_pairs", "emd", "emd2"]


@dataclass
class TransportPlan:
    """Exact solution of min <P, C> over the plans with row sums a and column sums b.

    Attributes:
        value: sum of mass times cost.
        plan: the optimal plan, scipy.sparse.csr_array of shape [n, m].
        f, g: dual potentials, shapes [n] and [m], in the units of the cost. f_i + g_j <= c_ij, with equality on the plan.
        violation: maximum of f_i + g_j - c_ij.
        gap: primal minus dual value. No plan is better than this one by more than violation times mass plus gap.
    """

    value: float
    plan: scipy.sparse.csr_array
    f: np.ndarray
    g: np.ndarray
    violation: float
    gap: float


@dataclass
class EntropicPlan:
    """Solution of an entropic problem, see sinkhorn().

    Attributes:
        value: dual value of min <P, C> + epsilon KL(P | a b^T), with the penalties of unbalanced transport.
        transport_cost: <P, C>.
        f, g: dual potentials, shapes [n] and [m], in the units of the cost: P_ij = a_i b_j exp((f_i + g_j - c_ij) / epsilon).
        epsilon: weight of the entropy in the units of the cost.
        mass: sum of P.
        sweeps: number of updates of f and g.
        marginal_error: 1-norm by which the last update changed the column sums.
        plan: P, shape [n, m], if it was asked for.
    """

    value: float
    transport_cost: float
    f: np.ndarray
    g: np.ndarray
    epsilon: float
    mass: float
    sweeps: int
    marginal_error: float
    plan: np.ndarray | None = None


def _points(name, x):
    """Returns points as a C-contiguous array of float32 or float64, without a copy if it is one. One axis is one marker."""
    x = array(name, x, "points, dimension")
    if x.dtype not in (np.float32, np.float64):
        x = x.astype(np.float64)
    check_finite(name, x)
    return np.ascontiguousarray(x)


def _same_type(x, y):
    """Returns both arrays in the wider of their types."""
    kind = np.promote_types(x.dtype, y.dtype)
    return x.astype(kind, copy=False), y.astype(kind, copy=False)


def _weights(name, weights, count):
    """Returns weights [count] in double precision, None for uniform ones."""
    if weights is None:
        return None
    weights = np.ascontiguousarray(weights, dtype=np.float64)
    if weights.shape != (count,):
        raise ValueError(f"{name}: found shape {list(weights.shape)}. Give [{count}], one weight for each point")
    return weights


def _is_uniform(weights):
    return weights is None or (weights[0] > 0 and bool(np.all(weights == weights[0])))


class _Problem:
    """Costs between points or of a matrix, in the form that the library takes."""

    def __init__(self, x, y, cost):
        if isinstance(cost, str):
            if x is None or y is None:
                raise ValueError("x, y: missing. Give two arrays of points, or a matrix as cost")
            self.x, self.y = _same_type(_points("x", x), _points("y", y))
            self.cost, self.matrix = cost, None
            self.shape = (len(self.x), len(self.y))
        else:
            if x is not None or y is not None:
                raise ValueError("cost: found a matrix and points. Give either points x and y, or a matrix as cost")
            self.matrix = np.ascontiguousarray(cost, dtype=np.float64)
            if self.matrix.ndim != 2:
                raise ValueError(f"cost: found {self.matrix.ndim} axes. Give a matrix [n, m]")
            self.shape = self.matrix.shape

    def part(self, rows, columns):
        """Returns the problem of some rows and columns."""
        part = object.__new__(_Problem)
        part.shape = (int(rows.sum()), int(columns.sum()))
        if self.matrix is None:
            part.x, part.y, part.cost, part.matrix = self.x[rows], self.y[columns], self.cost, None
        else:
            part.matrix = np.ascontiguousarray(self.matrix[np.ix_(rows, columns)])
        return part

    def costs(self, rows, columns):
        """Returns the costs of some rows and columns as a matrix."""
        if self.matrix is not None:
            return self.matrix[np.ix_(rows, columns)]
        from scipy.spatial.distance import cdist

        return cdist(self.x[rows].astype(np.float64), self.y[columns].astype(np.float64), self.cost)

    def solve(self, a, b, start=None):
        if self.matrix is None:
            return _core.exact_points(self.x, self.y, a, b, self.cost)
        return _core.exact_matrix(self.matrix, a, b, start)


def _solve(problem, a, b, start=None):
    """Solves a problem exactly. Points without weight get no mass, and potentials that are feasible."""
    n, m = problem.shape
    if n == 0 or m == 0:
        raise ValueError(f"x, y: found {n} and {m} points. Give at least one of each")
    mass = 1.0
    for weights in (a, b):
        if weights is not None:
            mass = float(weights.sum())
    if _is_uniform(a) and _is_uniform(b):
        # The library represents uniform weights without rounding.
        if a is not None and b is not None and abs(a.sum() - b.sum()) > 1e-6 * a.sum():
            raise ValueError(f"b: sums to {b.sum()}, but a sums to {a.sum()}. Give weights with equal sums")
        solved = problem.solve(None, None, start)
        for name in ("masses", "value", "gap"):
            solved[name] = solved[name] * mass
        return solved, None, None
    rows = np.ones(n, bool) if a is None else a != 0
    columns = np.ones(m, bool) if b is None else b != 0
    # Uniform weights of one side have the mass of the other.
    a = np.full(n, mass / n) if a is None else a
    b = np.full(m, mass / m) if b is None else b
    if rows.all() and columns.all() or not rows.any() or not columns.any():
        return problem.solve(a, b, start), None, None
    part_start = None if start is None else np.ascontiguousarray(start[columns])
    return problem.part(rows, columns).solve(np.ascontiguousarray(a[rows]), np.ascontiguousarray(b[columns]), part_start), rows, columns


def _inflated(solved, problem, rows, columns):
    """Returns the plan and the potentials of all points from those of the points with weight."""
    f, g = solved["f"], solved["g"]
    n, m = problem.shape
    if rows is None:
        plan = scipy.sparse.csr_array((solved["masses"], solved["columns"], solved["row_starts"]), shape=(n, m))
        return plan, f, g
    row_of, column_of = np.flatnonzero(rows), np.flatnonzero(columns)
    part = scipy.sparse.csr_array((solved["masses"], solved["columns"], solved["row_starts"]), shape=(len(row_of), len(column_of)))
    entries = part.tocoo()
    plan = scipy.sparse.csr_array((entries.data, (row_of[entries.row], column_of[entries.col])), shape=(n, m))
    all_f, all_g = np.empty(n), np.empty(m)
    all_f[rows], all_g[columns] = f, g
    if not rows.all():
        all_f[~rows] = (problem.costs(~rows, columns) - g).min(axis=1)
    if not columns.all():
        all_g[~columns] = (problem.costs(np.ones(n, bool), ~columns) - all_f[:, None]).min(axis=0)
    return plan, all_f, all_g


def exact(x: ArrayLike | None = None, y: ArrayLike | None = None, a: ArrayLike | None = None,
          b: ArrayLike | None = None, cost: str | ArrayLike = "sqeuclidean") -> TransportPlan:
    """Solves optimal transport exactly: min <P, C> over the plans P >= 0 with row sums a and column sums b.

    Args:
        x, y: points, shapes [n, d] and [m, d]. float32 is fastest. float64 points that float32 cannot represent have costs
            that are computed in double precision.
        a, b: weights >= 0 with equal sums, shapes [n] and [m]. None: uniform weights with sum 1.
        cost: "sqeuclidean", "euclidean", or a matrix [n, m] instead of points.

    Returns:
        TransportPlan, with the potentials that prove it optimal.

    Raises:
        ValueError: for other shapes, values that are not finite, negative weights, or sums that differ by more than a
            relative 1e-6.
    """
    problem = _Problem(x, y, cost)
    n, m = problem.shape
    solved, rows, columns = _solve(problem, _weights("a", a, n), _weights("b", b, m))
    plan, f, g = _inflated(solved, problem, rows, columns)
    return TransportPlan(solved["value"], plan, f, g, solved["violation"], solved["gap"])


def sinkhorn(x: ArrayLike | None = None, y: ArrayLike | None = None, a: ArrayLike | None = None,
             b: ArrayLike | None = None, cost: str | ArrayLike = "sqeuclidean", epsilon: float = 0.02, sweeps: int = 2000,
             tolerance: float = 1e-6, rho: float | tuple[float, float] | None = None, plan: bool = False) -> EntropicPlan:
    """Solves entropic optimal transport: min <P, C> + epsilon KL(P | a b^T), by Sinkhorn iteration in the log domain.

    Args:
        x, y, a, b, cost: as for exact().
        epsilon: weight of the entropy, relative to the mean cost, up to 100. For a matrix relative to the mean above its
            smallest element.
        sweeps: maximum number of updates of f and g. A result that has not converged is no error, see `marginal_error`.
        tolerance: stops when an update changes the column sums by at most this much in the 1-norm.
        rho: weight of the penalty rho KL(P 1 | a) + rho KL(P^T 1 | b) of unbalanced transport, relative as epsilon, or two
            weights. None: the marginals are enforced.
        plan: whether to return P, which needs 8 n m bytes.

    Returns:
        EntropicPlan. Iterates in single precision, with the value in double precision.

    Raises:
        ValueError: for other shapes, values that are not finite, or another epsilon.
    """
    if not 0 < epsilon <= 100:  # the error of the potentials in single precision, times epsilon, is in the value
        raise ValueError(f"epsilon: found {epsilon}. It is relative to the mean cost: give a number above 0 and up to 100. "
                         "`popflow ot` solves in double precision, with any epsilon")
    problem = _Problem(x, y, cost)
    n, m = problem.shape
    a_weights, b_weights = _weights("a", a, n), _weights("b", b, m)
    rhos = np.broadcast_to(np.inf if rho is None else rho, 2)
    settings = (float(epsilon), int(sweeps), float(tolerance), float(rhos[0]), float(rhos[1]), bool(plan))
    if problem.matrix is None:
        return EntropicPlan(**_core.sinkhorn_points(problem.x, problem.y, a_weights, b_weights, problem.cost, *settings))
    return EntropicPlan(**_core.sinkhorn_matrix(problem.matrix, a_weights, b_weights, *settings))


def all_pairs(populations: Sequence[ArrayLike], others: Sequence[ArrayLike] | None = None, distance: str = "w2") -> np.ndarray:
    """Computes the distances between all populations of a list, in parallel over the pairs.

    Args:
        populations: list of k arrays [cells, d].
        others: a second list of l arrays. None: the distances within the first list.
        distance: "w1" or "w2" (exact), "energy", "chamfer" (sum of both mean squared distances to the nearest cell), or
            "bures" (W2 between the Gaussians of the same moments).

    Returns:
        Matrix [k, k], symmetric with zeros on the diagonal, or [k, l]. In the units of the markers, squared for "chamfer".

    Raises:
        ValueError: for other shapes, or values that are not finite.
    """
    arrays = [cells(f"populations[{k}]", p) for k, p in enumerate(populations)]
    rows = len(arrays)
    if others is not None:
        arrays += [cells(f"others[{k}]", p) for k, p in enumerate(others)]
        if len(arrays) == rows:
            return np.zeros((rows, 0))
    return _core.all_pairs(arrays, rows, distance)


# The functions below have the interface of POT, so that `ot.emd` can be replaced by `popflow.ot.emd`.


def _centred(f, g, a, b):
    """Returns potentials that are shifted by a constant so that <f, a> = <g, b>."""
    shift = (g @ b - f @ a) / (a.sum() + b.sum())
    return f + shift, g - shift


def _check_emd(a, b, M, numThreads):
    """Checks the arguments of emd() and returns a, b, M and the type of the result."""
    if scipy.sparse.issparse(M):
        raise TypeError("M: found a sparse matrix. Give a dense array [n, m]")
    for name, value in (("a", a), ("b", b), ("M", M)):
        if type(value).__module__.partition(".")[0] in ("torch", "jax", "tensorflow", "cupy"):
            raise TypeError(f"{name}: found {type(value).__name__}. Give NumPy arrays")
    if numThreads is not None and not (isinstance(numThreads, str) and numThreads.lower() == "max"):
        if not isinstance(numThreads, int) or numThreads < 1:
            raise ValueError(f"numThreads: found {numThreads!r}. Give a positive integer or 'max'")
    if numThreads != 1:
        warnings.warn("numThreads has no effect: popflow uses the OpenMP threads of the process (OMP_NUM_THREADS)",
                      DeprecationWarning, stacklevel=3)
    M = np.ascontiguousarray(M, dtype=np.float64)
    a = np.asarray([] if a is None else a)
    b = np.asarray([] if b is None else b)
    result_type = a.dtype if a.size or not b.size else b.dtype
    a = np.full(M.shape[0], 1.0 / M.shape[0]) if a.size == 0 else a.astype(np.float64, copy=False)
    b = np.full(M.shape[1], 1.0 / M.shape[1]) if b.size == 0 else b.astype(np.float64, copy=False)
    assert a.shape[0] == M.shape[0] and b.shape[0] == M.shape[1], "a, b: other lengths than the rows and columns of M"
    return a, b, M, result_type


def _solve_emd(a, b, M, center_dual, check_marginals, potentials_init):
    """Returns plan [n, m], cost, u and v of one problem."""
    if check_marginals:
        assert abs(a.sum() - b.sum()) < 1.5e-6, f"a sums to {a.sum()} and b to {b.sum()}: give weights with equal sums"
    problem = _Problem(None, None, M)
    a = np.ascontiguousarray(a)
    b = np.ascontiguousarray(b if _is_uniform(b) and _is_uniform(a) and a.sum() == b.sum() else b * (a.sum() / b.sum()))
    start = None if potentials_init is None else np.ascontiguousarray(potentials_init[1], dtype=np.float64)
    solved, rows, columns = _solve(problem, a, b, start)
    if rows is None:
        u, v = solved["f"], solved["g"]
        plan = np.zeros(problem.shape)
        plan[np.repeat(np.arange(len(u)), np.diff(solved["row_starts"])), solved["columns"]] = solved["masses"]
    else:
        sparse, u, v = _inflated(solved, problem, rows, columns)
        plan = sparse.toarray()
    if center_dual or rows is not None:
        u, v = _centred(u, v, a, b)
    return plan, solved["value"], u, v


def _log(cost, u, v, result_type):
    return {"cost": cost, "u": u.astype(result_type, copy=False), "v": v.astype(result_type, copy=False), "warning": None,
            "result_code": 1}


def _warn_integers(result_type):
    if not np.issubdtype(result_type, np.floating):
        warnings.warn("a or b has integers, so the result is rounded to integers. Give floating point weights", stacklevel=3)


def emd(a, b, M, numItermax=100000, log=False, center_dual=True, numThreads=1, check_marginals=True, potentials_init=None):
    """Returns the optimal plan of a transport problem as a dense array. Replaces `ot.emd` of POT for NumPy arrays.

    Args:
        a, b: weights, shapes [n] and [m]. Empty for uniform weights.
        M: costs, shape [n, m]. A C-contiguous float64 array is not copied.
        numItermax: no effect. The solver always ends with an optimal plan.
        log: whether to return a dict too.
        center_dual: whether to shift the potentials so that <u, a> = <v, b>.
        numThreads: no effect.
        check_marginals: whether to check that a and b have the same sum. b is scaled to the sum of a.
        potentials_init: pair of potentials [n] and [m] of a similar problem, to start from.

    Returns:
        The plan [n, m] in the type of a. With `log` also a dict: `cost`, the potentials `u` [n] and `v` [m], `warning` (None)
        and `result_code` (1, optimal).

    Raises:
        AssertionError: for other lengths of a and b, or other sums.
        ValueError: for negative weights, or values that are not finite.
        TypeError: for a sparse M, or arrays of other libraries than NumPy.
    """
    a, b, M, result_type = _check_emd(a, b, M, numThreads)
    plan, cost, u, v = _solve_emd(a, b, M, center_dual, check_marginals, potentials_init)
    _warn_integers(result_type)
    plan = plan.astype(result_type, copy=False)
    return (plan, _log(cost, u, v, result_type)) if log else plan


def emd2(a, b, M, processes=1, numItermax=100000, log=False, return_matrix=False, center_dual=True, numThreads=1,
         check_marginals=True, potentials_init=None):
    """Returns the optimal cost of a transport problem. Replaces `ot.emd2` of POT for NumPy arrays.

    Args:
        b: weights [m], or [m, k] for k problems with the same a and M.
        processes: no effect.
        return_matrix: whether the dict has the plan `G`. It implies `log`.
        a, M, numItermax, log, center_dual, numThreads, check_marginals, potentials_init: as for emd().

    Returns:
        The cost. With `log` a list of the cost and a dict as of emd(). For k problems a list of k results.

    Raises:
        AssertionError, ValueError, TypeError: as emd().
    """
    a, b, M, result_type = _check_emd(a, b, M, numThreads)
    _warn_integers(result_type)

    def solve(weights):
        plan, cost, u, v = _solve_emd(a, weights, M, center_dual, check_marginals, potentials_init)
        cost = np.asarray(cost).astype(result_type)[()]
        if not (log or return_matrix):
            return cost
        found = _log(cost, u, v, result_type)
        if return_matrix:
            found["G"] = plan.astype(result_type, copy=False)
        return [cost, found]

    if b.ndim == 1:
        return solve(b)
    if processes > 1:
        warnings.warn("processes has no effect: popflow uses the OpenMP threads of the process", stacklevel=2)
    return [solve(b[:, k]) for k in range(b.shape[1])]
