# SPDX-License-Identifier: MIT
"""Optimal transport against SciPy, closed forms and the conventions of POT."""
import os
import signal
import threading

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment, linprog
from scipy.spatial.distance import cdist

import popflow.ot as ot


def points(n, d, seed, kind=np.float32):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(kind)


def linear_programme(costs, a, b):
    """Returns the optimal value by SciPy's linear programming."""
    n, m = costs.shape
    rows = np.kron(np.eye(n), np.ones(m))
    columns = np.kron(np.ones(n), np.eye(m))
    return linprog(costs.ravel(), A_eq=np.vstack([rows, columns]), b_eq=np.concatenate([a, b]), method="highs").fun


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("cost", ["sqeuclidean", "euclidean"])
def test_exact_equals_the_assignment(kind, cost):
    x, y = points(40, 3, 0, kind), points(40, 3, 1, kind)
    costs = cdist(x.astype(float), y.astype(float), cost)
    rows, columns = linear_sum_assignment(costs)
    found = ot.exact(x, y, cost=cost)
    assert found.value == pytest.approx(costs[rows, columns].mean(), rel=1e-9)
    assert (found.plan.toarray()[rows, columns] == 1 / 40).all()
    assert found.plan.shape == (40, 40) and found.plan.nnz == 40


def test_exact_has_weights_and_a_certificate():
    x, y = points(30, 2, 0), points(25, 2, 1)
    generator = np.random.default_rng(2)
    a, b = generator.random(30), generator.random(25)
    a, b = 3 * a / a.sum(), 3 * b / b.sum()
    found = ot.exact(x, y, a, b)
    costs = cdist(x.astype(float), y.astype(float), "sqeuclidean")
    assert found.value == pytest.approx(linear_programme(costs, a, b), rel=1e-9)
    plan = found.plan.toarray()
    np.testing.assert_allclose(plan.sum(1), a, rtol=1e-12)
    np.testing.assert_allclose(plan.sum(0), b, rtol=1e-12)
    slack = costs - found.f[:, None] - found.g[None, :]
    assert slack.min() >= -1e-9 and abs(slack[plan > 0]).max() < 1e-9
    assert found.violation < 1e-9 and abs(found.gap) < 1e-9
    assert a @ found.f + b @ found.g == pytest.approx(found.value, rel=1e-9)


def test_points_without_weight_get_no_mass_and_feasible_potentials():
    x, y = points(20, 2, 0), points(15, 2, 1)
    a, b = np.ones(20), np.ones(15)
    a[[3, 7]], b[4] = 0, 0
    a, b = a / a.sum(), b / b.sum()
    found = ot.exact(x, y, a, b)
    plan = found.plan.toarray()
    assert not plan[a == 0].any() and not plan[:, b == 0].any()
    costs = cdist(x.astype(float), y.astype(float), "sqeuclidean")
    assert (costs - found.f[:, None] - found.g[None, :]).min() >= -1e-9
    assert found.value == pytest.approx(linear_programme(costs, a, b), rel=1e-9)


def test_exact_takes_a_matrix_and_one_marker():
    costs = np.array([[0.0, 5.0], [5.0, -1.0]])
    found = ot.exact(cost=costs)
    assert found.value == pytest.approx(-0.5)
    line = ot.exact(np.array([0.0, 1.0, 2.0]), np.array([5.0, 3.0, 4.0]), cost="euclidean")
    assert line.value == pytest.approx(3)


def test_double_precision_points_are_not_rounded():
    x = np.array([[1.0], [1.0 + 1e-12]])
    assert ot.exact(x, x[:1] + 1e-12, cost="euclidean").value == pytest.approx(0.5e-12, rel=1e-3)


def test_contiguous_arrays_are_not_copied_and_others_are():
    x = points(50, 4, 0)
    assert ot._points("x", x) is x or np.shares_memory(ot._points("x", x), x)
    assert ot.exact(x[:, ::2], x[:, ::2]).value == 0
    assert ot.exact(x.T.copy().T, x).value == 0
    read_only = x.copy()
    read_only.flags.writeable = False
    assert ot.exact(read_only, x).value == 0


@pytest.mark.parametrize("call, line", [
    (lambda x: ot.exact(x, x[:, :2]), "y: found 2 columns, but x has 3"),
    (lambda x: ot.exact(x, x, np.ones(3)), r"a: found shape \[3\]. Give \[10\]"),
    (lambda x: ot.exact(x, x, -np.ones(10), np.ones(10)), "weight"),
    (lambda x: ot.exact(x, x, np.arange(10.0), np.ones(10)), "sum"),
    (lambda x: ot.exact(x, x * np.nan), "finite"),
    (lambda x: ot.exact(x, x, cost="cosine"), "cost: found 'cosine'. Give sqeuclidean"),
    (lambda x: ot.exact(x[:0], x), "x, y: found 0 and 10 points"),
    (lambda x: ot.exact(x), "x, y: missing"),
    (lambda x: ot.all_pairs([x, x], distance="w3"), "distance: found 'w3'"),
])
def test_invalid_input_is_a_value_error(call, line):
    with pytest.raises(ValueError, match=line):
        call(points(10, 3, 0))


@pytest.mark.parametrize("epsilon", [0, -1, float("nan"), 1e4])
def test_sinkhorn_refuses_an_epsilon(epsilon):
    with pytest.raises(ValueError, match="epsilon: found .* above 0 and up to 100"):
        ot.sinkhorn(np.eye(3), np.eye(3), epsilon=epsilon)


def test_sinkhorn_has_the_marginals_and_the_plan_of_its_potentials():
    x, y = points(60, 3, 0), points(50, 3, 1)
    found = ot.sinkhorn(x, y, epsilon=0.05, tolerance=1e-7, sweeps=20000, plan=True)
    np.testing.assert_allclose(found.plan.sum(1), 1 / 60, rtol=1e-4)
    np.testing.assert_allclose(found.plan.sum(0), 1 / 50, rtol=1e-4)
    costs = cdist(x.astype(float), y.astype(float), "sqeuclidean")
    assert (found.plan * costs).sum() == pytest.approx(found.transport_cost, rel=1e-4)
    assert found.epsilon == pytest.approx(0.05 * costs.mean(), rel=1e-4)
    entropy = (found.plan * np.log(found.plan * 60 * 50)).sum()
    assert found.value == pytest.approx(found.transport_cost + found.epsilon * entropy, rel=1e-4)
    assert found.transport_cost > ot.exact(x, y).value
    # The epsilon of a matrix is relative to its mean above its smallest element.
    matrix = ot.sinkhorn(cost=costs, epsilon=0.05 * costs.mean() / (costs.mean() - costs.min()), tolerance=1e-7, sweeps=20000)
    assert matrix.value == pytest.approx(found.value, rel=1e-5)


def test_unbalanced_sinkhorn_destroys_mass():
    x = points(30, 2, 0)
    assert ot.sinkhorn(x, x + 10, rho=1e-3).mass < 0.5


def test_all_pairs_equals_single_problems():
    clouds = [points(20 + k, 3, k) for k in range(5)]
    found = ot.all_pairs(clouds)
    assert (found == found.T).all() and (np.diag(found) == 0).all()
    assert found[1, 3] == pytest.approx(np.sqrt(ot.exact(clouds[1], clouds[3]).value), rel=1e-6)
    between = ot.all_pairs(clouds[:2], clouds[2:], distance="w1")
    assert between.shape == (2, 3)
    assert between[1, 0] == pytest.approx(ot.exact(clouds[1], clouds[2], cost="euclidean").value, rel=1e-6)


def test_ctrl_c_stops_a_solver():
    x = points(200, 3, 0)
    # The solver runs without the GIL, so that the timer can send the signal.
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        ot.sinkhorn(x, x, sweeps=10**12, tolerance=0)
    timer.join()
    assert ot.sinkhorn(x, x).mass == pytest.approx(1, rel=1e-3)


def test_emd_has_the_conventions_of_pot():
    x, y = points(30, 2, 0, np.float64), points(20, 2, 1, np.float64)
    costs = cdist(x, y, "sqeuclidean")
    a = np.random.default_rng(3).random(30)
    a /= a.sum()
    plan, log = ot.emd(a, [], costs, log=True)
    assert plan.dtype == np.float64 and plan.shape == (30, 20)
    np.testing.assert_allclose(plan.sum(1), a)
    assert log["result_code"] == 1 and log["warning"] is None
    assert log["cost"] == pytest.approx((plan * costs).sum())
    assert log["u"] @ a == pytest.approx(log["v"].mean())
    assert ot.emd2(a, [], costs) == pytest.approx(log["cost"])
    assert ot.emd2(a, [], costs, return_matrix=True)[1]["G"].shape == (30, 20)
    assert ot.emd(a.astype(np.float32), [], costs).dtype == np.float32
    many = ot.emd2(a, np.full((20, 2), 1 / 20), costs)
    assert len(many) == 2 and many[0] == many[1]
    with pytest.raises(AssertionError):
        ot.emd(2 * a, [], costs)
    with pytest.raises(AssertionError):
        ot.emd(a[:-1], [], costs)
    assert ot.emd(2 * a, [], costs, check_marginals=False).sum() == pytest.approx(2)
    with pytest.warns(DeprecationWarning, match="numThreads"):
        ot.emd(a, [], costs, numThreads=2)


def test_emd_starts_from_given_potentials():
    costs = np.random.default_rng(0).random((150, 150))
    plan, log = ot.emd([], [], costs, log=True)
    again = ot.emd([], [], costs, potentials_init=(log["u"], log["v"]))
    assert (plan == again).all()
