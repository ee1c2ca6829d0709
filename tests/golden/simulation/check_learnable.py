# SPDX-License-Identifier: MIT
"""Shows that on a simulated screen a model gains from seeing the whole control population.

For each held-out patient, predicts the mean shift of every marker between control and treated cells (highest dose) from the
other patients in four ways:

  identity   no shift
  blind      the mean shift of the treatment for each cell type
  cellwise   regression from single control cells (marker values and type) to the shift of their cell type, averaged over the
             cells of the held-out control. This is the best that a model can do that moves each cell on its own.
  aware      kernel ridge regression from the mean markers of the control population

Prints root mean square errors over pairs and markers, in units of the mean standard deviation of a marker.

Usage: check_learnable.py FILE.h5ad [--patients 21,27,75] [--at-least 2] [--quick]
   or  check_learnable.py --write WRITE_SCREEN [--seed 1] ...   to write a screen first
Exit code 1 if the blind error of a patient is less than `at-least` times the aware error.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

try:
    import anndata
    import numpy as np
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.kernel_ridge import KernelRidge
    from sklearn.model_selection import GridSearchCV, GroupKFold
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

EXPERIMENT = ["patient", "culture", "plate", "replicate"]
CELLS = 150  # maximum number of cells of a control population in the cellwise regression


class Pair:
    """A control and a treated population: their means by cell type, and some control cells."""

    def __init__(self, key, treatment, control, treated):
        self.patient, self.culture = key[:2]
        self.treatment = treatment
        self.control_mean = control["mean"]
        self.shift = treated["mean"] - control["mean"]
        self.types = {t: (share, treated["by_type"][t][1] - mean)
                      for t, (share, mean) in control["by_type"].items() if t in treated["by_type"]}
        self.cells, self.cell_types = control["cells"], control["cell_types"]


def population(x, types, generator):
    picked = generator.choice(len(x), min(CELLS, len(x)), replace=False)
    by_type = {t: ((types == t).mean(), x[types == t].mean(0)) for t in np.unique(types) if (types == t).sum() > 50}
    return {"mean": x.mean(0), "by_type": by_type, "cells": x[picked], "cell_types": types[picked]}


def read_pairs(path):
    """Returns the pairs of the highest dose, and the mean standard deviation of a marker in the control cells."""
    screen = anndata.read_h5ad(path)
    obs = screen.obs.astype(str).reset_index(drop=True)
    dose = obs["concentration"].astype(int)
    generator = np.random.default_rng(0)
    populations, deviations = {}, []
    keep = (dose == 0) | (dose == dose.max())
    for key, rows in obs[keep].groupby(EXPERIMENT + ["treatment", "concentration"]).groups.items():
        x = np.arcsinh(screen.X[rows] / 5)
        populations[key] = population(x, obs["cell_type"].to_numpy()[rows], generator)
        if key[5] == "0":
            deviations.append(x.std(0))
    controls = {key[:4]: p for key, p in populations.items() if key[5] == "0"}
    pairs = [Pair(key[:4], key[4], controls[key[:4]], p) for key, p in populations.items() if key[5] != "0"]
    return pairs, float(np.mean(deviations))


def blind(train, test):
    mean = {t: np.mean([p.types[t][1] for p in train if t in p.types], axis=0) for t in ("PDOs", "Fibs")}
    return [sum(share * mean[t] for t, (share, _) in p.types.items()) for p in test]


def cell_features(pair):
    return np.c_[pair.cells, pair.cell_types == "Fibs"]


def cellwise(train, test):
    x, y = [], []
    for p in train:
        known = np.isin(p.cell_types, list(p.types))
        x.append(cell_features(p)[known])
        y.append(np.stack([p.types[t][1] for t in p.cell_types[known]]))
    trees = ExtraTreesRegressor(40, min_samples_leaf=40, max_features=0.5, n_jobs=2, random_state=0)
    trees.fit(np.concatenate(x), np.concatenate(y))
    return [trees.predict(cell_features(p)).mean(0) for p in test]


def aware(train, test):
    x = np.stack([p.control_mean for p in train])
    y = np.stack([p.shift for p in train])
    grid = {"alpha": [0.001, 0.003, 0.01, 0.03], "gamma": [0.003, 0.01, 0.03, 0.1, 0.3]}
    folds = GroupKFold(min(4, len({p.patient for p in train})))
    model = GridSearchCV(KernelRidge(kernel="rbf"), grid, cv=folds, scoring="neg_mean_squared_error")
    model.fit(x - x.mean(0), y - y.mean(0), groups=[p.patient for p in train])
    return list(model.predict(np.stack([p.control_mean for p in test]) - x.mean(0)) + y.mean(0))


METHODS = {"identity": lambda train, test: [0 * p.shift for p in test],
           "blind": blind, "cellwise": cellwise, "aware": aware}


def errors(pairs, held_out, unit, methods):
    """Returns the error of each method on the pairs of a held-out patient."""
    squares = {name: [] for name in methods}
    for treatment in sorted({p.treatment for p in pairs}):
        train = [p for p in pairs if p.treatment == treatment and p.patient != held_out]
        test = [p for p in pairs if p.treatment == treatment and p.patient == held_out]
        if not test:
            continue
        for name, predict in methods.items():
            squares[name] += [np.mean((shift - p.shift) ** 2) for shift, p in zip(predict(train, test), test)]
    return {name: np.sqrt(np.mean(values)) / unit for name, values in squares.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?")
    parser.add_argument("--write", help="the program write_screen")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--patients", default="21,27,75")
    parser.add_argument("--at-least", type=float, default=2)
    parser.add_argument("--quick", action="store_true", help="leave out the cellwise regression")
    options = parser.parse_args()
    if options.write:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "screen.h5ad"
            subprocess.run([options.write, path, options.seed, "0", "1000", "1200", "1"], check=True)
            pairs, unit = read_pairs(path)
    else:
        pairs, unit = read_pairs(options.file)

    methods = {name: predict for name, predict in METHODS.items() if not (options.quick and name == "cellwise")}
    print("patient  " + "".join(f"{name:>10}" for name in methods) + "  blind/aware")
    passed = True
    for patient in options.patients.split(","):
        error = errors(pairs, patient, unit, methods)
        ratio = error["blind"] / error["aware"]
        passed = passed and ratio >= options.at_least
        print(f"{patient:>7}  " + "".join(f"{error[name]:10.3f}" for name in methods) + f"{ratio:13.2f}", flush=True)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
