# SPDX-License-Identifier: MIT
"""Writes small .h5ad files into FOLDER: a valid one, and others that are each invalid in one way.

Usage: make_inputs.py FOLDER
"""

import pathlib
import sys
import warnings

import anndata
import h5py
import numpy as np
import pandas as pd

warnings.simplefilter("ignore")
folder = pathlib.Path(sys.argv[1])
MARKERS = ["pERK", "CD90", "IdU", "pHH3", "pS6"]
SHIFT = {"DMSO": 0, "O": 2, "S": 5, "V": 9}


def screen(patients=("P1", "P2", "P3"), cultures=("PDO", "PDOF"), treatments=("DMSO", "O", "S"), cells=20):
    """Returns a screen of Poisson counts. The experiments of the last patient are in the part `test`."""
    random = np.random.default_rng(7)
    rows = [
        (patient, culture, treatment, "A", "test" if patient == patients[-1] else "train", "train")
        for patient in patients
        for culture in cultures
        for treatment in treatments
        for _ in range(cells)
    ]
    obs = pd.DataFrame(rows, columns=["patient", "culture", "treatment", "replicate", "part", "all_train"])
    obs.index = [f"cell{i}" for i in range(len(obs))]
    rate = 3 + np.array([SHIFT[t] for t in obs["treatment"]])[:, None] + np.arange(len(MARKERS))
    x = random.poisson(rate).astype(np.float32)
    return anndata.AnnData(x, obs=obs, var=pd.DataFrame(index=MARKERS))


def write(name, data):
    data.write_h5ad(folder / f"{name}.h5ad")


good = screen()
write("good", good)
write("one_patient", screen(patients=("P1",)))
write("no_cells", good[:0].copy())

unequal = np.ones(len(good), dtype=bool)
unequal[20] = False
write("unequal", good[unequal].copy())

other_markers = good.copy()
other_markers.var_names = ["CD44", *MARKERS[1:]]
write("other_markers", other_markers)

for name, value in [("nan", np.nan), ("negative", -3)]:
    bad = good.copy()
    bad.X[25, 2] = value
    write(name, bad)

control_without_dose = good.copy()
control_without_dose.obs["concentration"] = [np.nan if t == "DMSO" else 1.0 for t in good.obs["treatment"]]
write("control_without_dose", control_without_dose)
no_dose = good.copy()
no_dose.obs["concentration"] = [0.0 if t == "DMSO" else np.nan for t in good.obs["treatment"]]
write("no_dose", no_dose)

write("no_x", good)
with h5py.File(folder / "no_x.h5ad", "a") as file:
    del file["X"]

# Only the held-out patient has treatment V.
held_out = screen(treatments=("DMSO", "O", "S", "V"))
write("held_out", held_out[(held_out.obs["treatment"] != "V") | (held_out.obs["part"] == "test")].copy())

# Controls to predict from: a valid file, and others that are each invalid in one way.
controls = good[good.obs["treatment"] == "DMSO"].copy()
write("controls", controls)
collides = controls.copy()
collides.obs["predicted_treatment"] = "O"
write("collides", collides)
other_type = controls.copy()
other_type.obs["cell_type"] = "T cell"
write("other_type", other_type)
two_types = good.copy()
two_types.obs["cell_type"] = np.where(np.arange(good.n_obs) % 2, "PDOs", "Fibs")
write("two_types", two_types)

# X is compressed by blosc, a filter that HDF5 itself does not have.
write("filter", good)
with h5py.File(folder / "filter.h5ad", "a") as file:
    x, attributes = file["X"][:], dict(file["X"].attrs)
    del file["X"]
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk(x.shape)
    properties.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, (2, 2, 4, x.nbytes))
    h5py.h5d.create(file.id, b"X", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple(x.shape), properties)
    file["X"].id.write_direct_chunk((0, 0), x.tobytes())
    file["X"].attrs.update(attributes)
