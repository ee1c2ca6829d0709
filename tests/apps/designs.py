# SPDX-License-Identifier: MIT
"""Files and checks of designs.sh.

Usage: designs.py make FOLDER
       designs.py CHECK ARGUMENT...     (a function of this file whose name begins with check_)
"""
import pathlib
import sys
import warnings

import anndata
import h5py
import numpy as np
import pandas as pd

warnings.simplefilter("ignore")


def screen(rows, columns=("patient", "treatment"), markers=4, seed=11):
    """Returns a screen with a population for each row (label, ..., number of cells). Treatments other than controls add 3."""
    obs = pd.DataFrame([row[:-1] for row in rows for _ in range(row[-1])], columns=list(columns)).astype(str)
    obs.index = [f"cell{i}" for i in range(len(obs))]
    x = np.random.default_rng(seed).gamma(2, 4, (len(obs), markers)).astype(np.float32)
    x[~obs["treatment"].isin(["DMSO", "H2O"]).to_numpy()] += 3
    return anndata.AnnData(x, obs=obs, var=pd.DataFrame(index=[f"m{j}" for j in range(markers)]))


def make(folder):
    folder = pathlib.Path(folder)
    write = lambda name, data: data.write_h5ad(folder / f"{name}.h5ad")
    plain = screen([(f"P{p}", t, 60) for p in (1, 2, 3) for t in ("DMSO", "S")])
    plain.obs["batch"] = plain.obs["patient"].map({"P1": "b1", "P2": "b1", "P3": "b2"})
    plain.obs["class"] = plain.obs["treatment"].map({"DMSO": "none", "S": "kinase"})
    plain.obs["half"] = np.where(np.arange(plain.n_obs) % 2, "odd", "even")
    plain.obs["all_train"] = "train"
    write("plain", plain)
    write("one", screen([("P1", "DMSO", 60), ("P1", "S", 60)]))
    write("other_drug", screen([("P1", "DMSO", 60), ("P1", "A", 60), ("P2", "DMSO", 60), ("P2", "B", 60)]))
    write("some_drugs", screen([("P1", "DMSO", 60), ("P1", "A", 60), ("P2", "DMSO", 60), ("P2", "A", 60), ("P2", "B", 60)]))
    drugs = screen([(f"P{p}", t, 60) for p in (1, 2) for t in ("DMSO", "A", "B", "C")])
    drugs.obs["class"] = drugs.obs["treatment"].map({"DMSO": "none", "A": "x", "B": "x", "C": "y"})
    write("drugs", drugs)
    vehicles = screen([("P1", "DMSO", 60), ("P1", "H2O", 90), ("P1", "A", 60), ("P1", "B", 60),
                       ("P2", "DMSO", 90), ("P2", "H2O", 60), ("P2", "A", 60), ("P2", "B", 60)])
    vehicles.obs["solvent"] = vehicles.obs["treatment"].map({"DMSO": "DMSO", "H2O": "H2O", "A": "DMSO", "B": "H2O"})
    write("vehicles", vehicles)
    vehicle_controls = vehicles[vehicles.obs["treatment"].isin(["DMSO", "H2O"])].copy()
    del vehicle_controls.obs["solvent"]
    write("vehicle_controls", vehicle_controls)
    plates = screen([(f"P{p}", t, plate, 50) for p in (1, 2, 3) for t, plate in (("DMSO", "1"), ("S", "2"))],
                    ("patient", "treatment", "plate"))
    write("plates", plates)

    # igm+ occurs in the held-out patient only, and a patient without a treated population has a third type.
    types = screen([("P1", "DMSO", 80), ("P1", "S", 80), ("P2", "DMSO", 80), ("P2", "S", 80), ("P3", "DMSO", 80),
                    ("P3", "S", 80), ("P4", "DMSO", 80)])
    labels = np.where(np.arange(types.n_obs) % 2, "cd4+", "cd8+").astype(object)
    labels[(types.obs["patient"] == "P3").to_numpy()] = "igm+"
    labels[(types.obs["patient"] == "P4").to_numpy()] = "cd14-"
    types.obs["cell_type"] = labels
    types.obs["concentration"] = np.where(types.obs["treatment"] == "DMSO", 0.0, 2.5)
    write("types", types)
    without = types[:, :].copy()
    del without.obs["cell_type"]
    write("without_types", without)
    controls = types[types.obs["treatment"] == "DMSO"].copy()
    del controls.obs["treatment"]
    write("controls", controls)

    # Columns that cannot be copied: names with a slash, and a group of an unknown encoding.
    awkward = plain.copy()
    awkward.obs["IC50"] = 1.5
    write("awkward", awkward)
    with h5py.File(folder / "awkward.h5ad", "a") as file:
        obs = file["obs"]
        values = obs["IC50"][()]
        del obs["IC50"]
        obs["IC50/uM"] = values
        odd = obs.create_group("odd")
        odd.attrs["encoding-type"] = "future"
        odd["data"] = np.arange(plain.n_obs)
        obs.attrs["column-order"] = [name for name in obs.attrs["column-order"] if name != "IC50"] + ["IC50/uM", "odd"]
        file["var"].create_group("odd")["data"] = np.arange(plain.n_vars)
        file["var"].attrs["column-order"] = ["odd"]


def check_pairs_column(results, column, values):
    """The table of pairs has the column of the split with these values."""
    with h5py.File(results) as file:
        found = sorted(file["pairs"][column]["categories"].asstr()[()])
    assert found == sorted(values.split(",")), found


def check_pooled(predicted, data):
    """Every control cell of both vehicles is predicted."""
    p, d = anndata.read_h5ad(predicted), anndata.read_h5ad(data)
    controls = d.obs_names[d.obs["treatment"].isin(["DMSO", "H2O"])]
    assert sorted(p.obs["predicted_from"].unique()) == sorted(controls)
    assert list(p.obs["predicted_population"].cat.categories) == ["P1: DMSO+H2O", "P2: DMSO+H2O"]


def controls_of_treatments(predicted):
    """Returns the pairs (control, treatment) of the predicted cells, each with the cells of the control."""
    p = anndata.read_h5ad(predicted)
    found = set(zip(p.obs["treatment"].astype(str), p.obs["predicted_treatment"].astype(str)))
    sizes = p.obs.groupby(["patient", "treatment", "predicted_treatment"], observed=True).size()
    want = {("P1", "DMSO"): 60, ("P1", "H2O"): 90, ("P2", "DMSO"): 90, ("P2", "H2O"): 60}
    assert all(n == want[patient, control] for (patient, control, _), n in sizes.items()), sizes
    return found, len(sizes)


def check_own_vehicles(predicted):
    """A is predicted from DMSO alone and B from H2O alone, in both patients."""
    found, populations = controls_of_treatments(predicted)
    assert found == {("DMSO", "A"), ("H2O", "B")} and populations == 4, found


def check_every_control(predicted):
    """A and B are predicted from both controls of both patients."""
    found, populations = controls_of_treatments(predicted)
    assert len(found) == 4 and populations == 8, found


def check_zeros(run, predicted, data):
    """The embedding of a population of unknown types is that of the network with zeros in place of the types."""
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "python"))
    from popflow.torch import Run
    model = Run(f"{run}/checkpoint.h5")
    assert model.cell_types == ["cd4+", "cd8+"], model.cell_types
    p, d = anndata.read_h5ad(predicted), anndata.read_h5ad(data)
    for patient, types in (("P1", True), ("P3", False), ("P4", False)):
        cells = d[(d.obs["patient"] == patient) & (d.obs["treatment"] == "DMSO")]
        labels = cells.obs["cell_type"].astype(str) if types else [""] * cells.n_obs
        want = np.asarray(model.embed(model.normalise(cells.X), labels))
        names = list(p.obs["predicted_population"].cat.categories)
        found = p.uns["popflow"]["embeddings"][names.index(f"{patient}: DMSO at 0")]
        np.testing.assert_allclose(found, want, rtol=2e-4, atol=2e-4)


def check_concentration(predicted, value):
    p = anndata.read_h5ad(predicted)
    assert (p.obs["predicted_concentration"].astype(float) == float(value)).all(), p.obs["predicted_concentration"]


def check_range(predicted, data, patients, clipped):
    """The counts of cells outside the range are those of NumPy. Clipped cells are inside."""
    p, d = anndata.read_h5ad(predicted), anndata.read_h5ad(data)
    train = d[d.obs["patient"].isin(patients.split(","))].X
    about = p.uns["popflow"]
    outside = (p.X < train.min(axis=0) - 1e-3) | (p.X > train.max(axis=0) + 1e-3)
    if clipped == "yes":
        assert about["clipped"] == "yes" and not outside.any() and about["cells_outside_training_range"] > 0
        return
    assert about["clipped"] == "no"
    assert about["cells_outside_training_range"] == outside.any(axis=1).sum() > 0
    assert list(about["cells_outside_training_range_by_marker"]) == list(outside.sum(axis=0))


def check_left_out(predicted, columns):
    p = anndata.read_h5ad(predicted)
    assert not set(columns.split(",")) & set(p.obs.columns) and "patient" in p.obs and list(p.var.columns) == []


if sys.argv[1] == "make":
    make(sys.argv[2])
else:
    globals()[sys.argv[1]](*sys.argv[2:])
