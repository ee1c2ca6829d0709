# SPDX-License-Identifier: MIT
"""Writes result files of transport problems with anndata and compares their reports with pandas.

Usage: problem_report.py POPFLOW FOLDER
"""

import io
import pathlib
import subprocess
import sys

import h5py
import numpy
import pandas
from anndata.experimental import write_elem

popflow, folder = sys.argv[1], pathlib.Path(sys.argv[2])
KEY = ["solver", "start", "acceleration"]
QUANTITIES = ["seconds", "start_seconds", "check_seconds", "iterations", "rejected", "marginal_error", "value", "value_entropic", "gap"]
random = numpy.random.default_rng(1)


def problems():
    """Returns a table /problems of 40 problems with four ways of solving, some of which do not converge or fail."""
    rows = []
    for p in range(40):
        for solver, start, acceleration in (
            ("sinkhorn", "zeros", "none"), ("sinkhorn", "gaussian", "anderson"), ("newton", "runs/a,b", "none"), ("exact", "zeros", "none")):
            for tolerance in (numpy.nan,) if solver == "exact" else (1e-2, 1e-3, 2.5e-5):
                failed = solver == "newton" and p % 10 == 3
                rows.append({
                    "problem": f"{p} / {p + 1}", "source": str(p), "target": str(p + 1), "n": 150 + p, "m": 140, "solver": solver,
                    "start": start, "acceleration": acceleration, "tolerance": tolerance, "epsilon": 0.0 if solver == "exact" else 0.01,
                    "converged": not failed and not (tolerance == 2.5e-5 and p % 7 == 0), "iterations": int(random.integers(1, 5000)),
                    "rejected": int(random.integers(0, 3)), "seconds": random.lognormal(-6, 1), "start_seconds": random.uniform(),
                    "marginal_error": random.uniform(), "value": random.uniform(), "value_entropic": random.uniform(),
                    "gap": random.uniform(), "domain": "log", "fallback": start == "runs/a,b" and p % 4 == 0,
                    "check_seconds": random.uniform(), "status": "failed" if failed else "ok",
                    "message": "no mass" if failed else "", "rank": p % 3})
    return pandas.DataFrame(rows)


def convergence(table):
    """Returns the course of the error of the first three problems."""
    rows = [
        {"problem": row.problem, "solver": row.solver, "start": row.start, "acceleration": row.acceleration, "iteration": k,
         "marginal_error": 0.9**k, "seconds": 0.01 * k}
        for row in table[(table["tolerance"] == 1e-2) & (table["rank"] == 0)].itertuples() for k in range(1, 20)]
    return pandas.DataFrame(rows)


def write(path, table, course=None, populations=0, version=1, **changed):
    """Writes a result file as popflow ot does."""
    stored = {name: t.astype({c: "category" for c in t.columns if t[c].dtype == object}).rename(str)
              for name, t in (("problems", table), ("convergence", convergence(table).iloc[:0] if course is None else course))}
    with h5py.File(path, "w") as file:
        file.attrs.update({
            "popflow_problems": version, "version": "1", "commit": "c", "config": "ot-epsilon = 0.01\n", "data_fingerprint": "f",
            "cost": "sphere", "unit": "radians", "seed": 3, "ranks": 2, "threads": 1, **changed})
        for name, t in stored.items():
            write_elem(file, name, t)
        tables = list(stored)
        if populations:
            tables.append("distances")
            x = random.normal(size=(populations, 3))
            distances = numpy.linalg.norm(x[:, None] - x[None], axis=2)
            group = file.create_group("distances")
            group.attrs["what"] = "W2"
            group["values"] = distances
            write_elem(group, "names", numpy.array([f"population <{i}>" for i in range(populations)], dtype=object))
        file.attrs["tables"] = numpy.array(tables, dtype=object)


def report(*arguments, code=0):
    """Runs popflow report and returns its standard output, or the line of its error."""
    done = subprocess.run([popflow, "report", *map(str, arguments)], capture_output=True, text=True, cwd=folder)
    assert done.returncode == code, (done.returncode, done.stderr)
    if code == 0:
        return done.stdout
    assert not done.stdout and len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr


table = problems()
write(folder / "p.h5", table, convergence(table), 5)
found = pandas.read_csv(io.StringIO(report("p.h5", "--format", "csv")))
good = table[table["status"] == "ok"].fillna({"tolerance": -1})
assert set(found["quantity"]) == set(QUANTITIES) and len(found) == 10 * len(QUANTITIES)
for quantity in QUANTITIES:
    expected = good.groupby(KEY + ["tolerance"], observed=True)[quantity].agg(["mean", "std", "min", "max"])
    own = found[found["quantity"] == quantity].fillna({"tolerance": -1}).set_index(KEY + ["tolerance"]).loc[expected.index]
    numpy.testing.assert_allclose(own[["mean", "std", "min", "max"]], expected, rtol=1e-12, err_msg=quantity)
    counts = table.fillna({"tolerance": -1}).groupby(KEY + ["tolerance"], observed=True)
    assert (own["n_problems"] == counts.size().loc[own.index]).all()
    assert (own["n_converged"] == counts["converged"].sum().loc[own.index]).all()
    assert (own["n_failed"] == counts["status"].agg(lambda s: (s == "failed").sum()).loc[own.index]).all()
    assert (own["n_fallbacks"] == good.groupby(KEY + ["tolerance"], observed=True)["fallback"].sum().loc[own.index]).all()

text = report("p.h5")
unconverged = int((~table["converged"] & (table["solver"] == "sinkhorn") & (table["start"] == "zeros")).sum())
assert f"sinkhorn, zeros at 2.5e-5: {unconverged} of 40 problems did not converge" in text
assert "newton, runs/a,b at 1e-2: 4 of 40 problems failed and are left out. The first message is: no mass" in text
assert "2.5e-5 iterations" in text and "40 problems, cost sphere, epsilon 0.01" in text
for name, kind in (("r.md", "markdown"), ("r.tex", "latex"), ("r.html", "html")):
    assert report("p.h5", "--output", name) == f"{name}: {kind} of 1 result file\n"
page = (folder / "r.html").read_text()
assert page.count("<figure") == 3 and "population &lt;3&gt;" in page and "population <3>" not in page
assert "3 figures" in report("p.h5", "--output", "r.html", "--figures", "figures")
assert sorted(path.name for path in (folder / "figures").iterdir()) == [
    "distances-w2.svg", "marginal-error-by-iteration.svg", "marginal-error-by-seconds.svg"]

# Several files, and a folder of them.
(folder / "several").mkdir()
write(folder / "several" / "a.h5", table)
write(folder / "several" / "b.h5", table, convergence(table), 90)
assert report("several").count("Time and iterations by tolerance") == 2
assert "report of 2 result files" in report("several", "--dry-run")
report("several", "--output", "several.html")
assert "Populations from top to bottom" in (folder / "several.html").read_text()

# Refused.
assert "published: found 'letters', but the report is of transport problems" in report("p.h5", "--published", "letters", code=2)
with h5py.File(folder / "scores.h5", "w") as file:
    file.attrs["popflow_results"] = 1
assert "found 'p.h5' with transport problems and 'scores.h5' with scores of population pairs. Report them separately" in report(
    "p.h5", "scores.h5", code=2)
write(folder / "new.h5", table, version=2)
assert "new.h5: popflow_problems: found format 2, but this popflow reads format 1" in report("new.h5", code=2)
write(folder / "less.h5", table.drop(columns="gap"))
assert "less.h5: problems/gap: is missing. The file is damaged: run popflow ot again" in report("less.h5", code=2)
write(folder / "type.h5", table.assign(iterations=table["iterations"] + 0.5))
assert "problems/iterations: found floating-point numbers, allowed integers" in report("type.h5", code=2)
write(folder / "status.h5", table.assign(status="good"))
assert "problems/status: found 'good' in row 0, allowed ok or failed" in report("status.h5", code=2)
write(folder / "square.h5", table, None, 4)
with h5py.File(folder / "square.h5", "r+") as file:
    del file["distances/values"]
    file["distances/values"] = numpy.zeros((4, 3))
assert "distances/values: found 4 x 3 values for 4 names" in report("square.h5", code=2)
