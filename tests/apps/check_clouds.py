# SPDX-License-Identifier: MIT
"""Checks the files of clouds.sh with NumPy and SciPy (works in the current folder)."""
import csv

import anndata
import h5py
import numpy
import scipy.optimize
import scipy.spatial
from anndata.experimental import read_elem

from check_generated import read_table


class Transformer:
    """The network of a run of wfm in NumPy."""

    def __init__(self, path, heads):
        with h5py.File(path) as file:
            self.weights = {name: item[()].astype(float) for name, item in file["average"].items()}
            constants = file["model/constants"]
            self.frequencies = constants["frequencies"][()].astype(float) if "frequencies" in constants else None
            self.mean, self.scale = file["normalisation_mean"][()], float(file.attrs["normalisation_scale"])
        self.heads = heads

    def linear(self, name, x):
        return x @ self.weights[f"velocity.{name}.weight"].T + self.weights[f"velocity.{name}.bias"].ravel()

    def norm(self, name, x):
        x = (x - x.mean(1, keepdims=True)) / numpy.sqrt(x.var(1, keepdims=True) + 1e-5)
        return x * self.weights[f"velocity.{name}.weight"].ravel() + self.weights[f"velocity.{name}.bias"].ravel()

    def velocity(self, t, x, condition):
        if self.frequencies is not None:
            angles = 2 * numpy.pi * x @ self.frequencies
            x = numpy.column_stack([x, numpy.cos(angles), numpy.sin(angles)])
        angles = numpy.pi * t * numpy.arange(1, 17)
        shared = numpy.concatenate([numpy.column_stack([numpy.cos(angles), numpy.sin(angles)]).ravel(), condition])
        h = self.linear("input", x)
        for block in range(sum(name.endswith(".cloud.weight") for name in self.weights)):
            name = f"block_{block}"
            q, k, v = numpy.split(self.linear(f"{name}.attention.in", self.norm(f"{name}.attention.norm", h + self.linear(f"{name}.cloud", shared))), 3, axis=1)
            heads = []
            for part in numpy.split(numpy.arange(q.shape[1]), self.heads):
                scores = numpy.exp(q[:, part] @ k[:, part].T / numpy.sqrt(len(part)))
                heads.append(scores / scores.sum(1, keepdims=True) @ v[:, part])
            h = h + self.linear(f"{name}.attention.out", numpy.column_stack(heads))
            z = self.linear(f"{name}.mlp.first", self.norm(f"{name}.mlp.norm", h))
            h = h + self.linear(f"{name}.mlp.second", numpy.where(z > 0, z, 0.01 * z))
        return self.linear("output", self.norm("norm", h))

    def flow(self, x, condition, steps, guidance, is_midpoint):
        """Moves a cloud of the data's units from time 0 to 1."""
        def v(t, at):
            base = self.velocity(t, at, 0 * condition)
            return base + guidance * (self.velocity(t, at, condition) - base)
        x = (x - self.mean) / self.scale
        for step in range(steps):
            t = step / steps
            at, when = (x + v(t, x) / (2 * steps), t + 0.5 / steps) if is_midpoint else (x, t)
            x = x + v(when, at) / steps
        return x * self.scale + self.mean


def clouds(path):
    """Returns the cells of a file by population and time, and the treatments of the populations."""
    file = anndata.read_h5ad(path)
    cells = {key: file.X[rows].astype(float) for key, rows in file.obs.groupby(["population", "time"], observed=True).indices.items()}
    return cells, file.obs.groupby("population", observed=True)["treatment"].first()


def check_sampler():
    network = Transformer("one/weights.h5", heads=2)
    labels = ["even", "odd"]
    for method in ("euler", "midpoint"):
        cells, treatments = clouds(f"{method}.h5ad")
        assert len(treatments) == 4
        for name, treatment in treatments.items():
            condition = numpy.eye(2)[labels.index(treatment)]
            expected = network.flow(cells[name, "0"], condition, 3, 1.2, method == "midpoint")
            error = numpy.abs(cells[name, "1"] - expected).max()
            assert error < 1e-4 * numpy.abs(expected).max(), (method, name, error)


def check_generated():
    cells, treatments = clouds("generated.h5ad")
    assert sorted(treatments.index) == sorted(f"{label} / {k}" for label in ("even", "odd") for k in range(1, 6))
    assert all(x.shape == (40, 2) for x in cells.values()) and len(cells) == 30
    uns = anndata.read_h5ad("generated.h5ad").uns["popflow"]
    assert uns["method"] == "wfm" and "means" not in uns and list(uns["times"]) == [0, 0.5, 1]
    sets = read_table("one/results.h5", "sets")
    assert set(sets["distance"]) == {"chamfer", "energy"} and "paired" not in sets


def check_completion():
    data = anndata.read_h5ad("rings.h5ad")
    complete = anndata.read_h5ad("complete.h5ad")
    assert set(complete.obs["population"]) == set(data.obs["population"])
    assert (complete.obs["population"].value_counts() == 70).all()
    # The start of a flow has the mean of the given cells, which are some of the population's own.
    twice = anndata.read_h5ad("twice.h5ad")
    assert (twice.obs["treatment"] == "odd").all() and twice.obs["population"].nunique() == 80
    sets = read_table("completion/results.h5", "sets")
    own = {name: value for name, value, label in zip(sets["predictor"], sets["paired"], sets["label"]) if label == "all"}
    assert list(own) == ["model", "given", "resample", "gaussian", "pooled", "noise", "floor"]
    assert numpy.isnan(own["floor"]) and own["given"] < own["resample"], own


def chamfer(x, y):
    distance = scipy.spatial.distance.cdist(x, y, "sqeuclidean")
    return distance.min(1).mean() + distance.min(0).mean()


def check_own_sizes():
    """Checks the noise floor of populations of different sizes, and the sizes of generated ones."""
    data, scale = anndata.read_h5ad("rings.h5ad"), Transformer("one/weights.h5", heads=2).scale
    sets = read_table("own.h5", "sets")
    samples = read_elem(h5py.File("own.h5")["cells/obs"])
    for label in ("even", "odd"):
        parts = {}
        for part in ("train", "test"):
            rows = data[((data.obs["split"] == part) & (data.obs["treatment"] == label)).to_numpy()]
            groups = rows.obs.groupby("population", observed=True, sort=False).indices
            parts[part] = [rows.X[own].astype(float) / scale for own in groups.values()]
        test = parts["test"]
        expected = numpy.mean([min(chamfer(x, y) for y in test[1::2]) for x in test[::2]])
        row = (sets["label"] == label) & (sets["predictor"] == "floor") & (sets["distance"] == "chamfer")
        assert abs(sets["matching"][row][0] - expected) < 1e-5 * expected, (label, expected)
        assert sets["n_cells"][row][0] == round(numpy.mean([len(x) for x in test]))
        counts = {len(rows) for rows in samples.groupby(["label", "set", "population", "time"], observed=True).indices.values()
                  if samples.iloc[rows[0]]["label"] == label and samples.iloc[rows[0]]["set"] == "model"}
        assert len(counts) > 1 and counts <= {len(x) for x in parts["train"]}, counts
    equal = read_table("one/results.h5", "sets")
    assert len(set(equal["n_cells"])) == 1 and (equal["matching"] != sets["matching"]).any()


def check_coupling():
    """Checks the coupling of whole families against an assignment by SciPy."""
    data = anndata.read_h5ad("hidden.h5ad")
    data = data[(data.obs["split"] == "train").to_numpy()]
    x = (data.X.astype(float) - 0) / Transformer("controls/weights.h5", heads=2).scale
    groups = data.obs.groupby(["treatment", "population"], observed=True).indices
    controls = {name: x[rows] for (treatment, name), rows in groups.items() if treatment == "control"}
    with open("controls/coupling.csv", newline="") as file:
        found = list(csv.DictReader(file))
    for treatment in sorted({row["treatment"] for row in found}):
        treated = {name: x[rows] for (label, name), rows in groups.items() if label == treatment}
        assert len(treated) == len(controls)
        centre = lambda family: numpy.mean([cells.mean(0) for cells in family.values()], 0)  # noqa: E731
        cost = numpy.array([[chamfer(t - centre(treated), c - centre(controls)) for c in controls.values()] for t in treated.values()])
        rows, columns = scipy.optimize.linear_sum_assignment(cost)
        expected = {list(treated)[i]: list(controls)[j] for i, j in zip(rows, columns)}
        strip = lambda name: name.split(" / ")[-1]  # noqa: E731
        own = [row for row in found if row["treatment"] == treatment]
        assert {strip(row["population"]): strip(row["control"]) for row in own} == expected
        for row in own:
            i, j = list(treated).index(strip(row["population"])), list(controls).index(strip(row["control"]))
            assert abs(float(row["distance"]) - cost[i, j]) < 1e-4 * cost[i, j] and float(row["share"]) == 1


def check_pairs():
    for path in ("controls.h5", "known/results.h5"):
        pairs = read_table(path, "pairs")
        assert {"model", "mean_shift", "noise_floor"} <= set(pairs["predictor"])
    shifted = read_table("shifted.h5", "pairs")
    for score in ("w2", "energy"):
        model, baseline = (shifted[score][shifted["predictor"] == name] for name in ("model", "mean_shift"))
        assert numpy.allclose(model, baseline, rtol=1e-4), (score, model, baseline)
    moved = anndata.read_h5ad("moved.h5ad")
    assert moved.n_vars == 4 and numpy.isfinite(moved.X).all()


check_sampler()
check_generated()
check_completion()
check_own_sizes()
check_coupling()
check_pairs()
print("clouds agree with NumPy and SciPy")
