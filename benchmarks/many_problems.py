#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures many transport problems between histograms for popflow, POT and OTT-JAX on one core, and prints a table.

    many_problems.py BUILD/popflow DIGITS.h5ad [--problems 200] [--ott 16] [--epsilon 0.01] [--tolerance 1e-3] [--rounds 3]

DIGITS.h5ad has a histogram in each row, a column `split` in obs with test rows, and the positions of the atoms in varm
(scripts/data_sets/digits.py makes it). Run it in the environment of make_environment.sh.

All tools solve the same random pairs of test rows, with squared distances, on one thread. popflow is measured as a command: the
CPU time of `popflow ot` minus that of the same command with one problem, divided by the number of further problems, so that
reading the file does not count but everything else does. POT gets the atoms with mass only: with all atoms its Sinkhorn divides by
zero. OTT works in the log domain on a batch of 8 problems with vmap, as its documentation advises. POT and OTT stop by their own errors: POT
by a 2-norm after every tenth iteration, OTT by a 1-norm after every tenth iteration. POT's threshold is a tenth of the tolerance, so
that it reaches the tolerance in the 1-norm. `error` is the largest 1-norm of the errors of both marginals of the returned plans,
recomputed in the same way for all tools. Times are medians over the rounds, in which the tools run in turn.
"""
import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"
from programs import measured_run  # isort: skip (before NumPy and JAX bind threads)
from peer_speed import PeerCheck, cpu_name, jax_product, numpy_product

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core for all tools

import h5py  # noqa: E402
import numpy as np  # noqa: E402
import ot  # noqa: E402

from compare_pot import step_bench_next_to  # noqa: E402

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("popflow")
parser.add_argument("data")
parser.add_argument("--problems", type=int, default=200)
parser.add_argument("--ott", type=int, default=16, help="number of problems for OTT, a multiple of 8")
parser.add_argument("--epsilon", type=float, default=0.01)
parser.add_argument("--tolerance", type=float, default=1e-3)
parser.add_argument("--rounds", type=int, default=3)
options = parser.parse_args()
eps, tolerance = options.epsilon, options.tolerance


def command(folder, problems, *words):
    return [options.popflow, "ot", "--data", options.data, "--rows", "split=test", "--problems", f"random:{problems}", "--output",
            f"{folder}/r.h5", *words]


def popflow_time(folder, *words):
    """Returns CPU milliseconds of a further problem."""
    single = measured_run(command(folder, 1, *words))[1]
    return 1e3 * (measured_run(command(folder, options.problems, *words))[1] - single) / (options.problems - 1)


def read_column(file, name):
    group = file["problems"][name]
    if isinstance(group, h5py.Group):
        return group["categories"].asstr()[:][group["codes"][:]]
    return group.asstr()[:] if h5py.check_string_dtype(group.dtype) else group[:]


def marginal_error(plan, a, b):
    return abs(plan.sum(1) - a).sum() + abs(plan.sum(0) - b).sum()


def timed(solve, pairs):
    """Returns CPU milliseconds of a problem and the results."""
    start = time.process_time()
    results = [solve(*pair) for pair in pairs]
    return 1e3 * (time.process_time() - start) / len(pairs), results


def make_ott(cost):
    import jax
    import jax.numpy as jnp
    from ott.geometry import geometry
    from ott.problems.linear import linear_problem
    from ott.solvers.linear import sinkhorn

    solver = sinkhorn.Sinkhorn(threshold=tolerance, max_iterations=2000)
    geom = geometry.Geometry(cost_matrix=jnp.asarray(cost, jnp.float32), epsilon=eps)

    @jax.jit
    @jax.vmap
    def solve(a, b):
        result = solver(linear_problem.LinearProblem(geom, a=a, b=b))
        return result.matrix

    def run(a, b):
        plans = [np.asarray(jax.block_until_ready(solve(a[k:k + 8], b[k:k + 8]))) for k in range(0, len(a), 8)]
        return np.concatenate(plans)

    return run


def main():
    check = PeerCheck(step_bench_next_to(Path(options.popflow).parent / "benchmarks" / "x"), 1)
    check.measure("NumPy", "fp64", numpy_product("float64"))
    check.measure("JAX", "fp32", jax_product("float32"))
    with h5py.File(options.data) as file:
        rows, position = file["X"][:].astype(float), file["varm/position"][:]
        index = file["obs"].attrs["_index"]
        names = {name: k for k, name in enumerate(file["obs"][index].asstr()[:])}
    cost = ot.dist(position, position)
    times, errors, values = {}, {}, {}
    with tempfile.TemporaryDirectory() as folder:
        exact = ("--solver", "exact")
        sinkhorn = ("--solver", "sinkhorn", "--ot-epsilon", str(eps), "--ot-tolerance", str(tolerance), "--acceleration")
        for name, words in (("exact", exact), ("none", (*sinkhorn, "none")), ("anderson", (*sinkhorn, "anderson"))):
            measured_run(command(folder, options.problems, *words))
            with h5py.File(f"{folder}/r.h5") as file:
                values[name], errors["popflow", name] = read_column(file, "value"), read_column(file, "marginal_error").max()
                pairs = [(names[s], names[t]) for s, t in zip(read_column(file, "source"), read_column(file, "target"))]
        rows /= rows.sum(1, keepdims=True)
        whole = [(rows[i], rows[j]) for i, j in pairs]
        lit = [(a[a > 0], b[b > 0], np.ascontiguousarray(cost[np.ix_(a > 0, b > 0)])) for a, b in whole]
        pot_sinkhorn = lambda a, b, c: ot.sinkhorn(a, b, c, eps, stopThr=tolerance / 10, numItermax=10000, warn=False)
        ott_solve = make_ott(cost)
        a, b = (np.array([pair[k] for pair in whole[:options.ott]], np.float32) for k in (0, 1))
        ott_solve(a, b)  # compiles
        for _ in range(options.rounds):
            for name, words in (("exact", exact), ("none", (*sinkhorn, "none")), ("anderson", (*sinkhorn, "anderson"))):
                times.setdefault(("popflow", name), []).append(popflow_time(folder, *words))
            seconds, found = timed(lambda a, b, c: ot.emd2(a, b, c), lit)
            times.setdefault(("POT", "emd2"), []).append(seconds)
            difference = np.abs(np.array(found) - values["exact"]).max() / values["exact"].mean()
            seconds, plans = timed(pot_sinkhorn, lit)
            times.setdefault(("POT", "sinkhorn"), []).append(seconds)
            errors["POT", "sinkhorn"] = max(marginal_error(p, a, b) for p, (a, b, _) in zip(plans, lit))
            start = time.process_time()
            plans = ott_solve(a, b)
            times.setdefault(("OTT", "sinkhorn, log domain, vmap of 8"), []).append(1e3 * (time.process_time() - start) / len(a))
            errors["OTT", "sinkhorn, log domain, vmap of 8"] = max(marginal_error(*x) for x in zip(plans, a, b))
    print(f"{cpu_name()}, one core. {options.problems} problems, epsilon {eps:g}, tolerance {tolerance:g}. POT {ot.__version__}.\n")
    print("| problem | tool | CPU ms a problem | error | popflow is faster by |\n|---|---|---|---|---|")
    ours = {"exact": statistics.median(times["popflow", "exact"]), "entropic": statistics.median(times["popflow", "anderson"])}
    for (tool, name), rounds in times.items():
        ms = statistics.median(rounds)
        problem = "exact" if name in ("exact", "emd2") else "entropic"
        peer, precision = ("JAX", "fp32") if tool == "OTT" else ("NumPy", "fp64")
        ratio = "" if tool == "popflow" else f"{ms / ours[problem]:.1f}" if check.allows(peer, precision) else "refused"
        error = f"{errors[tool, name]:.1e}" if (tool, name) in errors and problem == "entropic" else ""
        print(f"| {problem} | {tool} {name} | {ms:.3f} | {error} | {ratio} |")
    print(f"\nThe exact values of POT and popflow differ by at most {difference:.0e} of the mean value.\n\n{check.report()}")
    return check.exit_status()


if __name__ == "__main__":
    sys.exit(main())
