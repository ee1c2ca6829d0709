# SPDX-License-Identifier: MIT
"""Runs write_screen and reads its file with anndata. Usage: read_screen.py WRITE_SCREEN"""

import pathlib
import subprocess
import sys
import tempfile

try:
    import anndata
    import numpy
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "screen.h5ad"
    subprocess.run([sys.argv[1], path, "1", "990", "20", "60", "2"], check=True)
    screen = anndata.read_h5ad(path)
    backed = anndata.read_h5ad(path, backed="r")
    first = numpy.asarray(backed.X[:7])
    backed.file.close()

assert screen.X.dtype == numpy.float32 and screen.X.shape == (screen.n_obs, 43)
assert numpy.isfinite(screen.X).all() and (screen.X >= 0).all() and screen.X.max() > 100
assert (first == screen.X[:7]).all()
assert screen.obs_names[0].strip("0") == "" and screen.obs_names.is_unique
assert screen.obs_names[-1] == str(screen.n_obs - 1)
assert {"Vimentin", "EpCAM", "IdU", "pHH3", "cCaspase_3"} <= set(screen.var_names)

obs = screen.obs
assert list(obs.columns) == ["patient", "culture", "treatment", "concentration", "replicate", "plate", "cell_type"]
assert all(obs[column].dtype == "category" for column in obs.columns)
assert set(obs["culture"].cat.categories) == {"PDO", "F", "PDOF"}
assert set(obs["cell_type"].cat.categories) == {"PDOs", "Fibs"}
assert {"5", "11", "21", "23", "27", "75", "99", "109", "141", "216"} <= set(obs["patient"].cat.categories)
controls = obs[obs["concentration"] == "0"]
assert set(controls["treatment"]) == {"DMSO", "AH", "H2O"}
assert len(set(obs["treatment"])) == 14
assert set(obs.loc[obs["culture"] == "F", "cell_type"]) == {"Fibs"}
assert set(obs.loc[obs["culture"] == "PDO", "cell_type"]) == {"PDOs"}
highest = obs[obs["concentration"] == "2"]
assert highest.groupby(["patient", "culture", "plate", "replicate", "treatment"], observed=True).ngroups == 990

simulation = screen.uns["simulation"]
assert int(simulation["seed"]) == 1 and int(simulation["pairs"]) == 990
assert simulation["version"].startswith("popflow ")
assert list(simulation["cultures"]) == ["PDO", "F", "PDOF"]
truth = simulation["composition"]
share = (controls["cell_type"] == "Fibs").groupby(
    [controls[c].astype(str) for c in ("patient", "culture", "plate", "replicate")]).mean()
truth = truth.set_index([truth[c].astype(str) for c in ("patient", "culture", "plate", "replicate")])["fibroblasts"]
truth.index.names = share.index.names
assert len(share) == len(truth)
assert abs(share - truth.reindex(share.index)).mean() < 0.06  # populations of about 35 cells
