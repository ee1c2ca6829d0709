#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the golden files of kernel ridge regression and of the moment map with NumPy. Each fold is a refit.

ridge.bin    problems of random shape. Each has int32 n, p, d, groups, kernel (0 linear, 1 rbf); int32 group [n]; float64
             features [n, p], targets [n, d], query [p]; float64 width, penalty (0, 0 for the mean), error, prediction [d]
map.bin      a screen of populations. int32 pairs, markers, conditions; for each pair int32 condition, unit, control cells,
             treated cells; float32 control and treated cells; then for each condition float64 prediction [5, markers] of the
             five cells of a new population; before these float32 cells [5, markers] of the new population

Debian package: python3-numpy.
"""
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
WIDTHS = (0.5, 1, 2, 4, 8)
PENALTIES = (0.01, 0.03, 0.1, 0.3, 1, 3, 10)


def squared_distances(x, y):
    return ((x[:, None, :] - y[None, :, :]) ** 2).sum(2)


def predict(kernel, features, targets, query, width, penalty):
    """Fits some pairs and predicts the rows of `query`. penalty: of the diagonal, infinite for the mean."""
    base = targets.mean(0)
    if np.isinf(penalty):
        return np.tile(base, (len(query), 1))
    if kernel == 0:
        centre = features.mean(0)
        gram, cross = (features - centre) @ (features - centre).T, (query - centre) @ (features - centre).T
    else:
        gram, cross = np.exp(-squared_distances(features, features) / width), np.exp(-squared_distances(query, features) / width)
    return base + cross @ np.linalg.solve(gram + penalty * np.eye(len(gram)), targets - base)


def candidates(kernel, features):
    """Returns (width, penalty of the diagonal, relative penalty), the mean first."""
    found = [(0.0, np.inf, np.inf)]
    if kernel == 0:
        diagonal = ((features - features.mean(0)) ** 2).sum(1).mean()
        return found + [(0.0, diagonal * penalty, penalty) for penalty in PENALTIES]
    distances = squared_distances(features, features)[np.triu_indices(len(features), 1)]
    median = np.median(distances[distances > 0])
    return found + [(median * factor, penalty, penalty) for factor in WIDTHS for penalty in PENALTIES]


def leave_out_error(kernel, features, targets, groups, width, penalty):
    error = 0.0
    for group in np.unique(groups):
        held = groups == group
        predicted = predict(kernel, features[~held], targets[~held], features[held], width, penalty)
        error += ((predicted - targets[held]) ** 2).sum()
    return error


def choose(kernel, features, targets, groups):
    """Returns (error, width, penalty of the diagonal, relative penalty) of the best candidate."""
    if len(np.unique(groups)) < 3:
        return np.nan, 0.0, np.inf, np.inf
    errors = [(leave_out_error(kernel, features, targets, groups, width, penalty), width, penalty, relative)
              for width, penalty, relative in candidates(kernel, features)]
    return min(errors, key=lambda e: e[0])


def ridge_problems(rng):
    for k in range(40):
        kernel, groups = k % 2, rng.integers(3, 8)
        n, p, d = groups + rng.integers(0, 12), rng.integers(1, 6), rng.integers(1, 5)
        group = np.concatenate([np.arange(groups), rng.integers(0, groups, n - groups)])
        features = rng.normal(size=(n, p)) * 10.0 ** rng.uniform(-1, 1) + rng.normal(size=p)
        signal = np.tanh(features @ rng.normal(size=(p, d)) / features.std())
        targets = (0 if k % 5 == 0 else 1) * signal + (0.1 if k % 3 else 0.6) * rng.normal(size=(n, d)) + 1
        yield kernel, group, features, targets, features.mean(0) + 0.5 * rng.normal(size=p) * features.std()


def moment_map(pairs, cells):
    """Predicts the cells of a new population. pairs: (unit, control, treated) of one condition."""
    offset = 0.05 * np.mean([control.std(0).mean() for _, control, _ in ALL_PAIRS])
    units = np.array([unit for unit, _, _ in pairs])
    features = np.array([control.mean(0) for _, control, _ in pairs])
    shifts = np.array([treated.mean(0) - control.mean(0) for _, control, treated in pairs])
    ratios = np.array([np.log((treated.std(0) + offset) / (control.std(0) + offset)) for _, control, treated in pairs])
    centre = cells.mean(0)
    _, width, penalty, _ = choose(1, features, shifts, units)
    shift = predict(1, features, shifts, centre[None], width, penalty)[0]
    error, width, penalty, _ = choose(1, features, ratios, units)
    ratio = np.zeros_like(centre)
    if error < (ratios ** 2).sum():
        ratio = predict(1, features, ratios, centre[None], width, penalty)[0]
    return (cells - centre) * np.exp(ratio) + centre + shift


def populations(rng):
    """Returns (condition, unit, control, treated): condition 0 changes mean and spread, 1 the mean, 2 has two units."""
    pairs, markers = [], 3
    for unit in range(9):
        centre = rng.normal(size=markers)
        for replicate in range(1 + unit % 2):
            control = centre + 0.1 * rng.normal(size=markers) + rng.normal(size=(30 + unit, markers))
            for condition in range(3):
                if condition == 2 and unit > 1:
                    continue
                shift = np.array([2.0, 1.0, -1.0]) * np.sin(centre)
                spread = np.exp(0.6 * np.tanh(centre)) if condition == 0 else 1.0
                treated = centre + shift + spread * rng.normal(size=(40, markers))
                pairs.append((condition, unit, control.astype(np.float32), treated.astype(np.float32)))
    return pairs


if __name__ == "__main__":
    rng = np.random.default_rng(20251129)
    with open(HERE / "ridge.bin", "wb") as file:
        for kernel, group, features, targets, query in ridge_problems(rng):
            error, width, penalty, relative = choose(kernel, features, targets, group)
            value = predict(kernel, features, targets, query[None], width, penalty)[0]
            sizes = [len(features), features.shape[1], targets.shape[1], len(np.unique(group)), kernel]
            file.write(np.array([*sizes, *group], np.int32).tobytes())
            numbers = [width, 0 if np.isinf(relative) else relative, error]
            for part in (features, targets, query, numbers, value):
                file.write(np.asarray(part, float).tobytes())
    pairs = populations(rng)
    new = (0.3 * rng.normal(size=3) + rng.normal(size=(5, 3))).astype(np.float32)
    ALL_PAIRS = [(unit, control.astype(float), treated.astype(float)) for _, unit, control, treated in pairs]
    with open(HERE / "map.bin", "wb") as file:
        file.write(np.array([len(pairs), 3, 3], np.int32).tobytes())
        for condition, unit, control, treated in pairs:
            file.write(np.array([condition, unit, len(control), len(treated)], np.int32).tobytes())
            file.write(control.tobytes() + treated.tobytes())
        file.write(new.tobytes())
        for condition in range(3):
            own = [ALL_PAIRS[k] for k, pair in enumerate(pairs) if pair[0] == condition]
            file.write(moment_map(own, new.astype(float)).tobytes())
