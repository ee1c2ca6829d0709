# SPDX-License-Identifier: MIT
"""Reads the files of `popflow simulate shapes` with anndata and recomputes the parameters of each population from its cells.

Usage: check_shapes.py FAMILY FILE
"""
import sys

import anndata
import numpy
import scipy.spatial.distance
import scipy.stats

LEVEL = 0.001  # level of the Kolmogorov-Smirnov tests. The seed fixes their samples


def check_law(name, values, law):
    """Fails unless a Kolmogorov-Smirnov test finds the values compatible with a law of scipy.stats."""
    p = scipy.stats.kstest(values, law.cdf).pvalue
    assert p > LEVEL, f"{name}: p = {p}"


def uniform(low, high):
    return scipy.stats.uniform(low, high - low)


def check_near(name, found, expected, standard_error):
    """Fails if a value is more than five standard errors from the expected one."""
    distance = numpy.abs(numpy.asarray(found) - expected) / standard_error
    assert (distance < 5).all(), f"{name}: found {found}, expected {expected}, up to {distance.max():.1f} standard errors"


class Populations:
    """A file of populations: cells, true parameters and moments by population, in the order of the table of parameters."""

    def __init__(self, path):
        data = anndata.read_h5ad(path)
        self.obs, self.var_names = data.obs, list(data.var_names)
        self.truth = data.uns["simulation"]
        self.table = self.truth["parameters"]
        rows = self.obs.groupby("population", observed=True).indices
        assert list(self.obs["population"].unique()) == list(self.table.index)
        assert all((numpy.diff(rows[name]) == 1).all() for name in self.table.index)
        assert (self.obs["split"] == self.table["split"].loc[self.obs["population"]].to_numpy()).all()
        assert (self.obs["treatment"] == self.table["treatment"].loc[self.obs["population"]].to_numpy()).all()
        assert all(self.obs[column].dtype == "category" for column in self.obs)
        self.cells = [data.X[rows[name]].astype(float) for name in self.table.index]
        self.sizes = numpy.array([len(x) for x in self.cells])
        assert (self.sizes == self.table["cells"]).all()
        assert self.truth["min_cells"] <= self.sizes.min() and self.sizes.max() <= self.truth["max_cells"]
        self.means = numpy.array([x.mean(0) for x in self.cells])
        self.covariances = numpy.array([numpy.cov(x.T) for x in self.cells])
        self.rows = [rows[name] for name in self.table.index]
        split = self.table["split"]
        for treatment, count in self.table["treatment"].value_counts().items():
            own = split[self.table["treatment"] == treatment]
            assert (own == "train").sum() == self.truth["populations"], treatment
            assert (own == "test").sum() == self.truth["test_populations"], treatment
            assert count == len(own)

    def main_axes(self):
        """Returns the variances along the main axes, largest first, and the angle of the first axis in [0, pi)."""
        values, vectors = numpy.linalg.eigh(self.covariances)
        return values[:, ::-1], numpy.arctan2(vectors[:, 1, 1], vectors[:, 0, 1]) % numpy.pi


def wrapped(angle):
    """Returns the distance of an angle between two axes from 0, in [0, pi / 2]."""
    return numpy.abs((angle + numpy.pi / 2) % numpy.pi - numpy.pi / 2)


def check_spiral(data):
    assert data.var_names == ["x", "y"]
    variances, axis = data.main_axes()
    radius = numpy.hypot(*data.means.T)
    angle = numpy.arctan2(data.means[:, 1], data.means[:, 0])
    error = numpy.sqrt(0.009 / data.sizes)  # upper bound for the radius
    check_near("radius", radius, data.table["radius"].to_numpy(), error)
    # The angle of the mean is 2 pi times its radius, modulo a turn.
    difference = (angle - 2 * numpy.pi * radius + numpy.pi) % (2 * numpy.pi) - numpy.pi
    check_near("angle against radius", difference, 0, error * (2 * numpy.pi + 1 / radius))
    check_near("axis towards the centre", wrapped(axis - angle), 0, numpy.sqrt(0.009 * 0.001 / data.sizes) / 0.008 + error / radius)
    check_near("variances", variances, [0.009, 0.001], numpy.sqrt(2 / data.sizes)[:, None] * [0.009, 0.001])
    check_law("u", radius ** 2, uniform(0.05, 1))
    check_law("u in the table", data.table["u"], uniform(0.05, 1))


def check_rings(data):
    # The covariance is R diag(r^2 / 2, r^2 (1 - e)^2 / 2) R^T + 0.05^2 I.
    variances, direction = data.main_axes()
    long_axis, short_axis = numpy.sqrt(2 * (variances - 0.05 ** 2)).T
    flattening = 1 - short_axis / long_axis
    table = data.table
    check_law("radius", long_axis, uniform(0.5, 1.5))
    check_law("flattening", flattening, uniform(0, 0.6))
    check_law("direction", direction, uniform(0, numpy.pi))
    for column in (0, 1):
        check_law("centre", data.means[:, column], scipy.stats.norm(0, 0.5))
    # The relative standard error of a main variance of an ellipse is sqrt(1 / 2 n).
    error = 1 / numpy.sqrt(2 * data.sizes)
    check_near("radius", long_axis, table["radius"].to_numpy(), table["radius"] * error)
    check_near("centre", data.means, table[["centre_x", "centre_y"]].to_numpy(),
               (table["radius"] / numpy.sqrt(2 * data.sizes)).to_numpy()[:, None])
    flat = (table["flattening"] > 0.2).to_numpy()
    check_near("flattening", flattening[flat], table["flattening"][flat], error[flat])
    check_near("direction", wrapped(direction - table["direction"])[flat], 0, error[flat] / 0.2)


def superquadric(row):
    """Returns the norm whose unit sphere is the surface of a population."""
    q, p = 2 / row["exponent_1"], 2 / row["exponent_2"]

    def norm(x):
        x = numpy.abs(x) / row[["axis_x", "axis_y", "axis_z"]].to_numpy(float)
        return ((x[:, 0] ** p + x[:, 1] ** p) ** (q / p) + x[:, 2] ** q) ** (1 / q)

    return norm


def upper_share(norm, row):
    """Returns the share of the area of a surface with |z| above half of its half axis, from a grid of directions."""
    steps = 150
    i, j = numpy.meshgrid(range(steps + 1), range(steps + 1), indexing="ij")
    grid = numpy.stack([i, j, steps - i - j], axis=-1).astype(float).reshape(-1, 3)
    inside = grid[:, 2] >= 0
    points = numpy.full(grid.shape, numpy.nan)
    points[inside] = grid[inside] / norm(grid[inside])[:, None]
    points = points.reshape(steps + 1, steps + 1, 3)
    corners = points[:-1, :-1], points[1:, :-1], points[:-1, 1:], points[1:, 1:]
    triangles = numpy.concatenate([numpy.stack(corners[:3], -2).reshape(-1, 3, 3), numpy.stack(corners[1:], -2).reshape(-1, 3, 3)])
    triangles = triangles[numpy.isfinite(triangles).all((1, 2))]
    area = numpy.linalg.norm(numpy.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]), axis=1)
    return area[triangles[:, :, 2].mean(1) > row["axis_z"] / 2].sum() / area.sum()


def check_superquadrics(data):
    assert data.var_names == ["x", "y", "z"]
    laws = {"axis_x": (0.4, 1), "axis_y": (0.4, 1), "axis_z": (0.4, 1), "exponent_1": (0.2, 2), "exponent_2": (0.2, 2),
            "yaw": (0, 2 * numpy.pi)}
    for name, (low, high) in laws.items():
        check_law(name, data.table[name], uniform(low, high))
    standardised = []
    for x, (_, row) in zip(data.cells, data.table.iterrows()):
        cosine, sine = numpy.cos(row["yaw"]), numpy.sin(row["yaw"])
        back = numpy.stack([cosine * x[:, 0] + sine * x[:, 1], cosine * x[:, 1] - sine * x[:, 0], x[:, 2]], axis=1)
        norm = superquadric(row)
        numpy.testing.assert_allclose(norm(back), 1, atol=2e-6)
        share = upper_share(norm, row)
        upper = (numpy.abs(x[:, 2]) > row["axis_z"] / 2).mean()
        standardised.append((upper - share) / numpy.sqrt(share * (1 - share) / len(x)))
    # Uniform by area: the standardised shares are normal with mean 0 and variance 1.
    n = len(standardised)
    check_near("mean of the shares", numpy.mean(standardised), 0, 1 / numpy.sqrt(n))
    check_near("variance of the shares", numpy.var(standardised), 1, numpy.sqrt(2 / n))


def nearest_weights(data, populations, means):
    """Returns the weights of the states in some populations, by the nearest mean. Shape [populations, states]."""
    weights = []
    for p in populations:
        nearest = ((data.cells[p][:, None, :] - means) ** 2).sum(2).argmin(1)
        weights.append(numpy.bincount(nearest, minlength=len(means)) / len(nearest))
    return numpy.array(weights)


def check_dirichlet(name, w, sizes, a):
    """Compares mean and covariance of estimated weights with those of a Dirichlet distribution, seen through finite samples."""
    mean, n = a / a.sum(), len(w)
    law = (numpy.diag(mean) - numpy.outer(mean, mean)) / (a.sum() + 1)
    # E[diag(w) - w w^T] / cells is the covariance of the estimate around the weights.
    noise = (numpy.diag(mean) - numpy.outer(mean, mean) - law) * (1 / sizes).mean()
    expected = law + noise
    check_near(f"{name}: mean of the weights", w.mean(0), mean, numpy.sqrt(numpy.diag(expected) / n))
    products = (w - mean)[:, :, None] * (w - mean)[:, None, :]
    check_near(f"{name}: covariance of the weights", products.mean(0), expected, products.std(0) / numpy.sqrt(n))


def states_of(data):
    """Returns the number of the state of each cell, by population."""
    codes = data.obs["state"].cat.codes.to_numpy()
    return [codes[rows] for rows in data.rows]


def check_states(data):
    """Checks the moments of the states in the populations without a shift, and the weights of all populations."""
    means, covariances = data.truth["state_mean"], data.truth["state_covariance"]
    distances = scipy.spatial.distance.pdist(means)
    assert abs(distances.min() - data.truth["separation"]) < 1e-9
    states = states_of(data)
    unmoved = [p for p, t in enumerate(data.table["treatment"]) if not ("state_shift" in data.truth and t != "control")]
    x = numpy.concatenate([data.cells[p] for p in unmoved])
    state = numpy.concatenate([states[p] for p in unmoved])
    for k, (mean, covariance) in enumerate(zip(means, covariances)):
        own = x[state == k]
        check_near(f"mean of state {k}", own.mean(0), mean, numpy.sqrt(numpy.diag(covariance) / len(own)))
        variance = numpy.outer(numpy.diag(covariance), numpy.diag(covariance)) + covariance ** 2
        check_near(f"covariance of state {k}", numpy.cov(own.T), covariance, numpy.sqrt(variance / len(own)))
    weights = data.table.filter(like="w_").to_numpy()
    numpy.testing.assert_allclose(weights.sum(1), 1, atol=1e-12)
    counts = numpy.array([numpy.bincount(own, minlength=len(means)) for own in states])
    spread = numpy.sqrt(weights * (1 - weights) * data.sizes[:, None])
    score = ((counts - weights * data.sizes[:, None]) / numpy.maximum(spread, 1e-9))[spread > 1]
    assert abs((score ** 2).mean() - 1) < 5 * numpy.sqrt(2 / len(score)) and numpy.abs(score).max() < 6
    return means, weights


def check_mixtures(data):
    means, _ = check_states(data)
    treatment = data.table["treatment"].to_numpy()
    assert len(set(map(tuple, data.truth["dirichlet"]))) == len(data.truth["dirichlet"]) == 3
    for label, a in zip(("T1", "T2", "T3"), data.truth["dirichlet"]):
        own = numpy.flatnonzero(treatment == label)
        check_dirichlet(label, nearest_weights(data, own, means), data.sizes[own], a)
    check_law("size", data.sizes - numpy.random.default_rng(0).uniform(size=len(data.sizes)), uniform(99, 1000))


def check_unpaired(data):
    means, weights = check_states(data)
    table, truth = data.table, data.truth
    control = numpy.flatnonzero(table["treatment"] == "control")
    check_dirichlet("control", nearest_weights(data, control, means), data.sizes[control], truth["dirichlet"][0])
    partner = {pair: p for pair, p in zip(table["true_pair"].iloc[control], control)}
    states = states_of(data)
    for t, (shift, selection) in enumerate(zip(truth["state_shift"], truth["selection"]), 1):
        numpy.testing.assert_allclose(numpy.linalg.norm(shift, axis=1), truth["shift_length"])
        treated = numpy.flatnonzero(table["treatment"] == f"T{t}")
        of_control = weights[[partner[pair] for pair in table["true_pair"].iloc[treated]]]
        expected = of_control * numpy.exp(selection * (1 - of_control[:, :1]))
        numpy.testing.assert_allclose(weights[treated], expected / expected.sum(1, keepdims=True), atol=1e-12)
        assert (table["split"].iloc[treated].to_numpy() == [pair.split("_")[0] for pair in table["true_pair"].iloc[treated]]).all()
        x = numpy.concatenate([data.cells[p] for p in treated])
        state = numpy.concatenate([states[p] for p in treated])
        for k in range(len(means)):
            own = x[state == k]
            error = numpy.sqrt(numpy.diag(truth["state_covariance"][k]) / len(own))
            check_near(f"moved mean of state {k}", own.mean(0), means[k] + shift[k], error)
        # Rows do not tell the pairs: the places of partners are uncorrelated.
        for part in ("train", "test"):
            own = [p for p in treated if table["split"].iloc[p] == part]
            places = [partner[pair] for pair in table["true_pair"].iloc[own]]
            rank = scipy.stats.spearmanr(own, places).statistic
            assert abs(rank) < 4 / numpy.sqrt(len(own) - 1), rank
        assert not set(table.index[treated].str[-8:]) & set(table.index[control].str[-8:])


family, path = sys.argv[1:]
populations = Populations(path)
assert populations.truth["family"] == family and populations.truth["version"].startswith("popflow ")
{"spiral": check_spiral, "rings": check_rings, "superquadrics": check_superquadrics, "mixtures": check_mixtures,
 "unpaired": check_unpaired}[family](populations)
print(f"{family}: {len(populations.table)} populations have their law")
