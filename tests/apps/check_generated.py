# SPDX-License-Identifier: MIT
"""Checks the files of generated.sh with NumPy and SciPy.

Usage: check_generated.py generated|sizes|controls|spiral     (works in the current folder)
"""
import csv
import json
import sys

import anndata
import h5py
import numpy
import scipy.optimize


def read_table(path, name):
    """Reads a table of a result file as a dictionary of columns."""
    with h5py.File(path) as file:
        group = file[name]
        table = {}
        for column in group.attrs["column-order"]:
            item = group[column]
            if isinstance(item, h5py.Group):
                table[column] = item["categories"].asstr()[()][item["codes"][()]]
            else:
                table[column] = item[()] if item.dtype.kind != "O" else item.asstr()[()]
    return table


def root(covariance):
    values, vectors = numpy.linalg.eigh(covariance)
    return vectors * numpy.sqrt(numpy.maximum(values, 0)) @ vectors.T


def squared_bures(a, b):
    """Returns the squared distance between two Gaussians, each a mean and a covariance."""
    cross = numpy.linalg.svd(root(a[1]) @ root(b[1]), compute_uv=False).sum()
    return ((a[0] - b[0]) ** 2).sum() + numpy.trace(a[1]) + numpy.trace(b[1]) - 2 * cross


def moments(x):
    return x.mean(0), numpy.atleast_2d(numpy.cov(x.T, ddof=0))


class Flow:
    """The networks of a run of bwfm in NumPy."""

    def __init__(self, path):
        with h5py.File(path) as file:
            self.weights = {name: item[()] for name, item in file["average"].items()}
            self.constants = {name: item[()] for name, item in file["model/constants"].items()}
            self.mean, self.scale = file["normalisation_mean"][()], float(file.attrs["normalisation_scale"])

    def network(self, name, x):
        layer = lambda part, x: x @ self.weights[f"{name}.{part}.weight"].T + self.weights[f"{name}.{part}.bias"].ravel()  # noqa: E731
        selu = lambda x: 1.0507009873554805 * numpy.where(x > 0, x, 1.6732632423543772 * numpy.expm1(numpy.minimum(x, 0)))  # noqa: E731
        x = selu(layer("first", x))
        for k in range(sum(f"{name}.hidden." in key and key.endswith("weight") for key in self.weights)):
            x = selu(layer(f"hidden.{k}", x) + x)
        return layer("last", x)

    def velocity(self, t, mean, covariance, condition):
        """Returns v and the symmetric matrix V of one Gaussian, in normalised units."""
        d = len(mean)
        lower = numpy.tril_indices(d)
        state = numpy.concatenate([mean, covariance[lower]])
        state = (state - self.constants["feature_mean"][0]) / self.constants["feature_scale"][0]
        angles = numpy.pi * t * numpy.arange(1, 17)
        x = numpy.concatenate([numpy.column_stack([numpy.cos(angles), numpy.sin(angles)]).ravel(), state, condition])
        matrix = numpy.zeros((d, d))
        matrix[lower] = self.network("covariance", x)
        return self.network("mean", x) * self.constants["velocity_scale"][0, 0], matrix + numpy.tril(matrix, -1).T

    def euler(self, mean, covariance, condition, steps):
        """Moves a Gaussian of the data's units from time 0 to 1."""
        m, s = (mean - self.mean) / self.scale, covariance / self.scale ** 2
        for step in range(steps):
            v, matrix = self.velocity(step / steps, m, s, condition)
            move = numpy.eye(len(m)) + matrix / steps
            m, s = m + v / steps, move @ s @ move
        return m * self.scale + self.mean, s * self.scale ** 2


def wrong_sign_scores(weights, noise, data, steps=100):
    """Returns 1-NNA, its halves and the coverage of populations whose covariance moves against the predicted velocity.

    noise: generated populations of two markers with the flow times 0 and 1. data: file with the part `test`.
    """
    uns, flow = anndata.read_h5ad(noise).uns["popflow"], Flow(weights)
    velocity = flow.velocity
    flow.velocity = lambda *state: (lambda v, matrix: (v, -matrix))(*velocity(*state))
    start = uns["populations"]["time"].to_numpy() == 0
    means, covariances = uns["means"][start].astype(float), uns["covariances"][start].astype(float)
    generated = [flow.euler(m, s, numpy.ones(1), steps) for m, s in zip(means, covariances)]
    file = anndata.read_h5ad(data)
    file = file[(file.obs["split"] == "test").to_numpy()]
    real = [moments(file.X[i].astype(float)) for i in file.obs.groupby("population", observed=True).indices.values()]
    means, covariances = (numpy.array(part) for part in zip(*real, *generated))
    roots, traces = numpy.sqrt(numpy.maximum(numpy.linalg.det(covariances), 0)), numpy.trace(covariances, axis1=1, axis2=2)
    # In two dimensions tr (A^1/2 B A^1/2)^1/2 = sqrt(tr(A B) + 2 sqrt(det A det B)).
    cross = numpy.sqrt(numpy.einsum("iab,jba->ij", covariances, covariances) + 2 * numpy.outer(roots, roots))
    distance = ((means[:, None] - means[None]) ** 2).sum(2) + traces[:, None] + traces[None] - 2 * cross
    numpy.fill_diagonal(distance, numpy.inf)
    n = len(real)
    same = (distance.argmin(1) < n) == (numpy.arange(len(means)) < n)
    coverage = len(set(distance[n:, :n].argmin(1))) / n
    return same.mean(), (same[:n].mean(), same[n:].mean()), coverage


def check_spiral():
    sets = read_table("run/results.h5", "sets")
    nna = dict(zip(sets["predictor"], sets["nna"]))
    nna["wrong sign"] = wrong_sign_scores("run/weights.h5", "noise.h5ad", "spiral.h5ad", steps=30)[0]
    print(", ".join(f"{name} {100 * value:.1f}" for name, value in nna.items()))
    # The standard error of a 1-NNA of 512 populations is 0.022 near 0.5.
    assert nna["model"] < 0.66 and abs(nna["floor"] - 0.5) < 0.15, nna
    assert min(nna[name] for name in ("gaussian", "pooled", "noise", "wrong sign")) > 0.8, nna


def check_generated():
    data = anndata.read_h5ad("generated.h5ad")
    assert list(data.var_names) == ["x", "y"] and set(data.obs) == {"population", "treatment", "time"}
    uns = data.uns["popflow"]
    table = uns["populations"]
    assert len(table) == 72 and list(table["time"][:3]) == [0, 0.5, 1] and uns["moments_space"] == "transformed"
    states = data.obs.groupby(["population", "time"], observed=True).indices
    for k in range(len(table)):
        row = table.iloc[k]
        x = data.X[states[row["population"], f"{row['time']:g}"]]
        assert x.shape == (60, 2) and (data.obs["treatment"][states[row["population"], f"{row['time']:g}"]] == row["treatment"]).all()
        mean, covariance = uns["means"][k], uns["covariances"][k]
        assert numpy.linalg.eigvalsh(covariance).min() > 0
        # The cells are draws of the Gaussian: their squared Mahalanobis distances have the mean 2 and the variance 4.
        distances = numpy.einsum("ij,jk,ik->i", x - mean, numpy.linalg.inv(covariance), x - mean)
        assert abs(distances.mean() - 2) < 5 * 2 / numpy.sqrt(60), distances.mean()
    # A population moves, and its cells stay in order: from time to time they are affine images of each other.
    first = data.X[states["rings / 1", "0"]]
    last = data.X[states["rings / 1", "1"]]
    design = numpy.column_stack([first, numpy.ones(60)])
    residual = last - design @ numpy.linalg.lstsq(design, last, rcond=None)[0]
    assert numpy.abs(residual).max() < 1e-4 * numpy.abs(last).max(), numpy.abs(residual).max()
    assert numpy.abs(last - first).max() > 0.05

    # A population depends on its treatment and index alone.
    alone, both = anndata.read_h5ad("rings_only.h5ad"), anndata.read_h5ad("all.h5ad")
    assert (alone.X == both.X[(both.obs["treatment"] == "rings").to_numpy()]).all()

    # Steps of Euler's method are those of NumPy.
    uns, flow = anndata.read_h5ad("euler.h5ad").uns["popflow"], Flow("one/weights.h5")
    states = uns["populations"]
    assert len(states) == 12 and list(states["time"][:2]) == [0, 1]
    for k in range(0, 12, 2):
        condition = numpy.array([states["treatment"].iloc[k] == label for label in ("rings", "spiral")], float)
        mean, covariance = flow.euler(uns["means"][k].astype(float), uns["covariances"][k].astype(float), condition, 7)
        assert numpy.abs(mean - uns["means"][k + 1]).max() < 1e-4, (mean, uns["means"][k + 1])
        assert numpy.abs(covariance - uns["covariances"][k + 1]).max() < 1e-4, (covariance, uns["covariances"][k + 1])

    # The scores are those of popflow metrics, which compares files, and of NumPy.
    sets = read_table("one/results.h5", "sets")
    assert list(dict.fromkeys(sets["predictor"])) == ["model", "resample", "gaussian", "pooled", "noise", "floor"]
    assert list(dict.fromkeys(sets["label"])) == ["rings", "spiral", "all"]
    for label in ("rings", "spiral"):
        found = json.load(open(f"{label}.json"))
        for distance in ("bures", "energy"):
            at = (sets["label"] == label) & (sets["predictor"] == "model") & (sets["distance"] == distance)
            for score in ("nna", "nna_real", "nna_generated", "coverage"):
                assert abs(sets[score][at][0] - found[distance][score]) < 1e-6, (label, distance, score)
    test = anndata.read_h5ad("spiral.test.h5ad")
    real = [moments(test.X[i].astype(float)) for _, i in sorted(test.obs.groupby("population", observed=True).indices.items())]
    model = anndata.read_h5ad("spiral.gen.h5ad")
    model = [moments(model.X[i].astype(float)) for i in model.obs.groupby("population", observed=True).indices.values()]
    both = real + model
    distance = numpy.array([[squared_bures(a, b) if a is not b else numpy.inf for b in both] for a in both])
    same = (distance.argmin(1) < 12) == (numpy.arange(24) < 12)
    at = (sets["label"] == "spiral") & (sets["predictor"] == "model") & (sets["distance"] == "bures")
    assert abs(sets["nna"][at][0] - same.mean()) < 1e-12, (sets["nna"][at], same.mean())
    noise = sets["nna"][(sets["label"] == "all") & (sets["predictor"] == "pooled") & (sets["distance"] == "bures")]
    assert noise[0] > 0.9, noise


def check_controls():
    data = anndata.read_h5ad("hidden.h5ad")
    data = data[(data.obs["split"] == "train").to_numpy()]
    names = data.obs.groupby("population", observed=True)["treatment"].first()
    cells = {name: data.X[i].astype(float) for name, i in data.obs.groupby("population", observed=True).indices.items()}
    pair = data.obs.groupby("population", observed=True)["true_pair"].first()
    with open("controls/coupling.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    shares = {}
    for row in rows:
        key = row["population"].split(" / ")[-1]
        assert names[row["control"].split(" / ")[-1]] == "control" and names[key] != "control"
        shares[key] = shares.get(key, 0) + float(row["share"])
    assert len(shares) == 30 and all(abs(share - 1) < 1e-9 for share in shares.values())

    # The coupling is the optimal assignment of SciPy for the Bures distance of centred families.
    treated = sorted(name for name in names.index if names[name] != "control")
    controls = sorted(name for name in names.index if names[name] == "control")
    assert len(treated) == len(controls) == 30
    families = [[list(moments(cells[name])) for name in family] for family in (treated, controls)]
    for k, family in enumerate(families):
        mean = numpy.mean([m for m, _ in family], axis=0)
        for one in family:
            one[0] = one[0] - mean
    # The training adds 1e-3 of the mean variance of the barycentre to the controls, in normalised units.
    ridge = 1e-3 * numpy.mean([numpy.trace(s) / len(s) for _, s in families[0]])
    for one in families[1]:
        one[1] = one[1] + ridge * numpy.eye(4)
    cost = numpy.array([[squared_bures(a, b) for b in families[1]] for a in families[0]])
    row, column = scipy.optimize.linear_sum_assignment(cost)
    expected = {treated[i]: controls[j] for i, j in zip(row, column)}
    found = {r["population"].split(" / ")[-1]: r["control"].split(" / ")[-1] for r in rows if float(r["share"]) > 0.5}
    # Nearly equal costs may swap a few pairs, since the ridge is known only roughly here.
    total = cost[row, column].sum()
    own = sum(cost[treated.index(t), controls.index(c)] for t, c in found.items())
    assert len(found) == 30 and own <= total * (1 + 1e-3), (own, total)
    assert sum(pair[t] == pair[c] for t, c in expected.items()) >= 15  # far above the one that chance gives

    # Predicted cells are an affine image of their control.
    moved = anndata.read_h5ad("moved.h5ad")
    everything = anndata.read_h5ad("hidden.h5ad")
    for _, i in list(moved.obs.groupby("predicted_population", observed=True).indices.items())[:5]:
        control = everything[moved.obs["predicted_from"].to_numpy()[i]].X
        design = numpy.column_stack([control, numpy.ones(len(i))])
        residual = moved.X[i] - design @ numpy.linalg.lstsq(design, moved.X[i], rcond=None)[0]
        assert numpy.abs(residual).max() < 1e-3, numpy.abs(residual).max()

    # Both trainings learn, and the table of pairs has all scores.
    for run, path in (("controls", "controls.h5"), ("known", "known/results.h5")):
        with open(f"{run}/training.csv", newline="") as file:
            loss = [float(row["loss"]) for row in csv.DictReader(file)]
        assert loss[-1] < 0.5 * loss[0], (run, loss)
        scores = read_table(path, "pairs")
        assert {"model", "identity", "mean_shift"} <= set(scores["predictor"])
        model = scores["energy"][scores["predictor"] == "model"]
        assert len(model) == 10 and numpy.isfinite(model).all(), model


def check_sizes():
    """Each population has as many cells as a training population of its treatment, at both times."""
    drawn, data = anndata.read_h5ad("own.h5ad"), anndata.read_h5ad("sized.h5ad")
    training = data.obs[data.obs["split"] == "train"].groupby(["treatment", "population"], observed=True).size()
    found = drawn.obs.groupby(["treatment", "population", "time"], observed=True).size()
    assert len(found) == 2 * 6 * 2
    for treatment in ("T1", "T2"):
        sizes = found[treatment].unstack()
        assert (sizes["0.5"] == sizes["1"]).all()
        assert set(sizes["1"]) <= set(training[treatment]) and sizes["1"].nunique() > 1, sizes
    assert (drawn.obs["population"].astype(str).str.split(" / ").str[0] == drawn.obs["treatment"]).all()
    assert numpy.isfinite(drawn.X).all() and "set-cells = own" in drawn.uns["popflow"]["config"]


if __name__ == "__main__":
    {"generated": check_generated, "sizes": check_sizes, "controls": check_controls, "spiral": check_spiral}[sys.argv[1]]()
