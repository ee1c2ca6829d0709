# SPDX-License-Identifier: MIT
"""Checks the validation tables of trainings.

    check_validation.py mean_shift SCREEN RUN RESULTS     energies of one check, computed with NumPy and by popflow evaluate
    check_validation.py units SCREEN RESULTS              the validation pairs are all pairs of one patient
    check_validation.py table RUN STEPS CELLS SLOTS       steps, counts and the bound of the work
    check_validation.py same_csv RUN                      validation.csv has the rows of the table
    check_validation.py equal RUN COLUMN COLUMN           two columns are equal
    check_validation.py evaluated RUN RESULTS             the last check has the means of popflow evaluate
    check_validation.py best_step RUN                     prints the step of the lowest energy
    check_validation.py patient RESULTS                   prints the patient of the pairs
    check_validation.py torch FOLDER RUN                  popflow.torch in FOLDER loads the best weights, if torch is installed
    check_validation.py best_results RESULTS STEP         steps and table in the results of --keep best
"""
import sys

import h5py
import numpy as np

HIGHEST_DOSE = "3"
COLUMNS = ["step", "energy", "w2", "mean_shift", "moment_map", "pairs", "cells", "evaluations"]


def read_table(path):
    """Returns the columns of the table `validation` of a file."""
    with h5py.File(path) as file:
        return {name: file["validation"][name][()] for name in COLUMNS}


def labels(group, name):
    """Returns a categorical column as strings."""
    column = group[name]
    categories = np.array([c.decode() if isinstance(c, bytes) else c for c in column["categories"][()]])
    return categories[column["codes"][()]]


def scores(path, predictor, metric):
    """Returns the scores of a predictor by pair."""
    with h5py.File(path) as file:
        pairs = file["pairs"]
        chosen = labels(pairs, "predictor") == predictor
        return dict(zip(labels(pairs, "pair")[chosen], pairs[metric][()][chosen]))


def distance(x, y):
    return np.sqrt(np.maximum(((x[:, None, :] - y[None, :, :]) ** 2).sum(axis=2), 0)).mean()


def energy(x, y):
    """Energy distance of Szekely and Rizzo, over all pairs of cells."""
    return 2 * distance(x, y) - distance(x, x) - distance(y, y)


def mean_shift(screen, run, results):
    with h5py.File(screen) as file:
        x = np.arcsinh(file["X"][()].astype(float) / 5)
        obs = {name: labels(file["obs"], name) for name in ("patient", "treatment", "replicate", "plate", "concentration")}
    with h5py.File(results) as file:
        held_out = set(labels(file["pairs"], "patient"))
    assert len(held_out) == 1, held_out
    patient = held_out.pop()
    with h5py.File(f"{run}/checkpoint.h5") as file:
        mean, scale = file["normalisation_mean"][()], file.attrs["normalisation_scale"]
    populations = {}
    for row in range(len(x)):
        key = tuple(obs[name][row] for name in ("patient", "plate", "replicate", "treatment", "concentration"))
        populations.setdefault(key, []).append(row)
    controls = {key[:3]: rows for key, rows in populations.items() if key[3] in ("DMSO", "H2O")}
    pairs = [(key, controls[key[:3]], rows) for key, rows in populations.items() if key[4] == HIGHEST_DOSE]
    trained = [p for p in pairs if p[0][0] not in (patient, "21")]
    used = sorted({row for _, control, treated in trained for row in [*control, *treated]})
    np.testing.assert_allclose(x[used].mean(axis=0), mean, rtol=1e-4, atol=1e-5)
    z = (x - mean) / scale
    shifts = {}
    for key, control, treated in trained:
        shifts.setdefault(key[3], []).append(z[treated].mean(axis=0) - z[control].mean(axis=0))
    found = [energy(z[control] + np.mean(shifts[key[3]], axis=0), z[treated]) for key, control, treated in pairs if key[0] == patient]
    table = read_table(f"{run}/training.h5")
    assert table["step"].tolist() == [1] and table["pairs"][0] == len(found) and table["cells"][0] == 100 * len(found), table
    np.testing.assert_allclose(table["energy"][0], np.mean(found), rtol=1e-4)
    np.testing.assert_allclose(table["mean_shift"][0], np.mean(found), rtol=1e-4)
    for column, predictor, metric in (("energy", "model", "energy"), ("w2", "model", "w2"), ("mean_shift", "mean_shift", "energy"),
                                      ("moment_map", "moment_map", "energy")):
        evaluated = scores(results, predictor, metric)
        np.testing.assert_allclose(table[column][0], np.mean(list(evaluated.values())), rtol=1e-6, err_msg=column)


def units(screen, results):
    with h5py.File(screen) as file:
        patients = labels(file["obs"], "patient")
        keys = set(zip(patients, *(labels(file["obs"], name) for name in ("plate", "replicate", "concentration"))))
    with h5py.File(results) as file:
        pairs = file["pairs"]
        model = labels(pairs, "predictor") == "model"
        found = labels(pairs, "patient")[model]
        assert set(labels(pairs, "part")[model]) == {"validation"}
    assert len(set(found)) == 1 and found[0] != "21", found
    assert len(found) == sum(key[0] == found[0] and key[3] == HIGHEST_DOSE for key in keys), found


def table(run, steps, cells, slots):
    rows, steps = read_table(f"{run}/training.h5"), int(steps)
    assert rows["step"].tolist() == [k * steps // 10 for k in range(1, 11)], rows["step"]
    assert rows["evaluations"].sum() <= 0.1 * steps * int(cells) * int(slots) * 3, rows["evaluations"]
    assert (rows["evaluations"] > rows["cells"]).all() and (rows["cells"] >= 2 * rows["pairs"]).all()
    assert (rows["pairs"] <= 16).all() and (rows["cells"] <= 256 * rows["pairs"]).all()
    for name in ("mean_shift", "moment_map", "pairs", "cells"):
        assert len(set(rows[name])) == 1, name
    assert np.isfinite(rows["energy"]).all() and (rows["energy"] > 0).all() and (rows["w2"] > 0).all()


def same_csv(run):
    rows = read_table(f"{run}/training.h5")
    lines = open(f"{run}/validation.csv", encoding="utf-8").read().splitlines()
    assert lines[0] == ",".join(COLUMNS), lines[0]
    found = np.array([[float(v) for v in line.split(",")] for line in lines[1:]])
    for j, name in enumerate(COLUMNS):
        np.testing.assert_allclose(found[:, j], rows[name], rtol=1e-5, err_msg=name)


def equal(run, first, second):
    rows = read_table(f"{run}/training.h5")
    np.testing.assert_allclose(rows[first], rows[second], rtol=1e-5)


def evaluated(run, results):
    rows = read_table(f"{run}/training.h5")
    for column, predictor, metric in (("energy", "model", "energy"), ("w2", "model", "w2"), ("mean_shift", "mean_shift", "energy"),
                                      ("moment_map", "moment_map", "energy")):
        found = scores(results, predictor, metric)
        assert len(found) == rows["pairs"][-1] and rows["cells"][-1] == 100 * len(found), rows
        np.testing.assert_allclose(rows[column][-1], np.mean(list(found.values())), rtol=1e-6, err_msg=column)


def best_step(run):
    rows = read_table(f"{run}/training.h5")
    print(rows["step"][np.argmin(rows["energy"])])


def best_results(results, step):
    with h5py.File(results) as file:
        assert file.attrs["best_step"] == int(step) and file.attrs["steps"] == 200, dict(file.attrs)
        assert file["training/step"][-1] == 200 and file["validation/step"][-1] == 200


def patient(results):
    with h5py.File(results) as file:
        print(*set(labels(file["pairs"], "patient")))


def torch(folder, run):
    sys.path.insert(0, folder)
    try:
        from popflow.torch import Run
    except ImportError:
        return
    loaded = Run(run).model.state_dict()
    with h5py.File(f"{run}/checkpoint.h5") as file:
        for name, values in file["best"].items():
            np.testing.assert_array_equal(loaded[name].numpy().reshape(-1), values[()].reshape(-1), err_msg=name)
        assert any((file["average"][name][()] != values[()]).any() for name, values in file["best"].items())


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
