#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares entropic transport (Sinkhorn's iteration) with OTT-JAX on the same cells, and prints tables.

    compare_ott.py BUILD/benchmarks/time_metrics [--cases CASE...] [--epsilons 0.05 0.01] [--tolerance 1e-3] [--rounds 3]

Run it in the environment of make_environment.sh. Cases are those of compare_pot.py.

Both solve the same problem: uniform weights, squared distances, the same epsilon (given relative to the mean cost), fp32, from
zero potentials, until the 1-norm error of the column marginals is at most the tolerance. popflow checks that after every
sweep. OTT checks it after every 10 iterations, its default, because the check costs a pass over the matrix. The value is
min <P, C> + epsilon KL(P | a b).

Both times are from cells to value. OTT is compiled by jax.jit and warm, and works on a stored cost matrix, which is much
faster than its PointCloud. It is measured in the log domain, which popflow uses too, and with kernel products, which
underflow for small epsilon. The faster one that converges within 2000 iterations counts for the ratio. popflow and OTT run
in turn on the same cores. OMP_NUM_THREADS sets their number (default: all cores). Times are medians of the rounds.
"""
import argparse
import os
import statistics
import sys
import time

from programs import CORES, THREADS  # isort: skip (before JAX)
from peer_speed import PeerCheck, cpu_name, jax_product

os.sched_setaffinity(0, sorted(CORES)[:THREADS])  # JAX starts a thread for each core that it may use
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402: after the settings for its threads
import jax.numpy as jnp  # noqa: E402
import ott  # noqa: E402
from ott.geometry import geometry, pointcloud  # noqa: E402
from ott.problems.linear import linear_problem  # noqa: E402
from ott.solvers.linear import sinkhorn  # noqa: E402

from compare_pot import populations, step_bench_next_to, time_ours  # noqa: E402

MAX_ITERATIONS = 2000
MODES = {"log domain": True, "kernel": False}


def make_solver(epsilon, tolerance, lse_mode):
    """Returns a compiled function from cells to (value, iterations, whether it converged)."""
    solver = sinkhorn.Sinkhorn(threshold=tolerance, lse_mode=lse_mode, max_iterations=MAX_ITERATIONS)

    @jax.jit
    def solve(x, y):
        cost = pointcloud.PointCloud(x, y).cost_matrix
        result = solver(linear_problem.LinearProblem(geometry.Geometry(cost_matrix=cost, epsilon=epsilon)))
        return result.reg_ot_cost, result.n_iters, result.converged

    return solve


def timed(solve, x, y):
    """Returns value, iterations and convergence, and elapsed and CPU seconds."""
    start, cpu = time.perf_counter(), time.process_time()
    result = jax.block_until_ready(solve(x, y))
    return result, (time.perf_counter() - start, time.process_time() - cpu)


def mean_cost(x, y):
    return float(jnp.mean(pointcloud.PointCloud(x, y).cost_matrix))


def compare(program, case, relative, tolerance, rounds, check):
    """Prints one row."""
    x, y = populations(case)
    epsilon = relative * mean_cost(x, y)
    name = f"entropic:{epsilon!r}:{tolerance!r}"
    solvers = {mode: make_solver(epsilon, tolerance, lse) for mode, lse in MODES.items()}
    found = {mode: jax.block_until_ready(solve(x, y)) for mode, solve in solvers.items()}  # compiles
    usable = [mode for mode, (value, _, converged) in found.items() if converged and jnp.isfinite(value)]
    ours, theirs = [], {mode: [] for mode in usable}
    for _ in range(rounds):
        ours.append(time_ours(program, x, y, name))
        for mode in usable:
            theirs[mode].append(timed(solvers[mode], x, y)[1])
    popflow = [statistics.median(r["entropic"][k] for r in ours) for k in (1, 2)]
    median = {mode: [statistics.median(column) for column in zip(*times)] for mode, times in theirs.items()}
    best = [min(column) for column in zip(*median.values())]
    texts = [f"{median[m][0]:.3f} ({median[m][1]:.3f}), {int(found[m][1])}" if m in usable else "does not converge" for m in MODES]
    difference = f"{abs(ours[0]['entropic'][0] / float(found[usable[0]][0]) - 1):.0e}" if usable else "-"
    print(f"| {case} | {relative:g} | {popflow[0]:.3f} ({popflow[1]:.3f}), {ours[0]['entropic_sweeps'][0]:.0f} | "
          f"{' | '.join(texts)} | {check.ratio('JAX', 'fp32', best, popflow, digits=1)} | {difference} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--cases", nargs="+", default=["1024x1024", "2500x2311", "4096x4096", "letters", "egf"])
    parser.add_argument("--epsilons", nargs="+", type=float, default=[0.05, 0.01], help="relative to the mean cost")
    parser.add_argument("--tolerance", type=float, default=1e-3)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    check = PeerCheck(step_bench_next_to(options.program), THREADS)
    check.measure("JAX", "fp32", jax_product("float32"))
    print(f"{cpu_name()}. ott {ott.__version__}, jax {jax.__version__} (its own kernels, XLA). Seconds, in brackets CPU seconds of "
          f"all threads, then iterations. Medians of {options.rounds} rounds on {THREADS} threads, tolerance "
          f"{options.tolerance:g}.\n")
    print("| cells | epsilon / mean cost | popflow | OTT, log domain | OTT, kernel | ratio to the faster one (CPU) | difference of "
          "the values |")
    print("|---|---|---|---|---|---|---|")
    for case in options.cases:
        for relative in options.epsilons:
            compare(options.program, case, relative, options.tolerance, options.rounds, check)
    print(f"\n{check.report()}")
    return check.exit_status()


if __name__ == "__main__":
    sys.exit(main())
