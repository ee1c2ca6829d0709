# SPDX-License-Identifier: MIT
"""Simulates supply and demand on 1 and 3 ranks and reads the files with anndata. Usage: read_supply_demand.py POPFLOW MPIEXEC"""

import pathlib
import subprocess
import sys
import tempfile

try:
    import anndata
    import h5py
    import numpy
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

popflow, mpiexec = sys.argv[1:3]
folder = tempfile.TemporaryDirectory()
here = pathlib.Path(folder.name)


def simulate(name, *options, ranks=1, code=0):
    """Runs popflow simulate supply-demand. Returns both files as AnnData, or the error line if it should fail."""
    files = [here / f"{name}_{side}.h5ad" for side in ("supply", "demand")]
    command = [mpiexec, "--oversubscribe", "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []
    command += [popflow, "simulate", "supply-demand", "--output", files[0], "--target-output", files[1], *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == code, (done.returncode, done.stderr)
    if code == 0:
        return [anndata.read_h5ad(file) for file in files]
    assert not any(file.exists() or file.with_name(file.name + ".tmp").exists() for file in files)
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


small = ("--instances", "50", "--supply", "20", "--demand", "9000", "--seed", "3")
supply, demand = simulate("one", *small)
for name, data, atoms in (("supply", supply, 20), ("demand", demand, 9000)):
    assert data.X.dtype == numpy.float64 and data.X.shape == (50, atoms)
    numpy.testing.assert_allclose(data.X.sum(1), 1, rtol=1e-12)
    assert (data.X >= 0).all() and len(numpy.unique(data.X, axis=0)) == 50
    assert list(data.obs.columns) == ["instance", "split"]
    assert list(data.obs_names) == list(data.obs["instance"]) == [f"instance_{i}" for i in range(50)]
    assert list(data.obs["split"]) == ["train"] * 40 + ["validation"] * 5 + ["test"] * 5
    assert list(data.var_names) == [f"{name}_{i}" for i in range(atoms)]
    latitude, longitude = numpy.radians(data.var["latitude"]), numpy.radians(data.var["longitude"])
    expected = numpy.stack(
        [numpy.cos(latitude) * numpy.cos(longitude), numpy.cos(latitude) * numpy.sin(longitude), numpy.sin(latitude)], 1)
    numpy.testing.assert_allclose(data.varm["position"], expected, atol=1e-15)
    assert data.uns["simulation"]["side"] == name and data.uns["simulation"]["density"] == "synthetic"
    assert int(data.uns["simulation"]["seed"]) == 3
# A demand weight is U(0, 1), a supply weight is 0 in half of all cases.
demand_weights = demand.X / demand.X.max(1, keepdims=True)
assert abs(demand_weights.mean() - 0.5) < 5 / numpy.sqrt(12 * demand.X.size)
assert abs((supply.X > 0).mean() - 0.5) < 5 * 0.5 / numpy.sqrt(supply.X.size)

# The same bytes on three ranks. More instances at the same locations begin with the same weights.
simulate("three", *small, ranks=3)
for side in ("supply", "demand"):
    assert (here / f"one_{side}.h5ad").read_bytes() == (here / f"three_{side}.h5ad").read_bytes(), side
more, _ = simulate("more", "--instances", "60", *small[2:], "--validation-fraction", "0", "--test-fraction", "0.5")
assert (more.X[:50] == supply.X).all() and (more.varm["position"] == supply.varm["position"]).all()
assert (more.obs["split"] == "test").sum() == 30

# A raster from a file: the density of each cell decides, not its area.
density = numpy.zeros((18, 36), "float32")
density[0, 5], density[9, 20], density[9, 21] = 1, 2, 1
with h5py.File(here / "density.h5", "w") as file:
    file.create_dataset("population_density", data=density, compression="gzip")
supply, demand = simulate("file", "--density", here / "density.h5", *small)
assert supply.uns["simulation"]["density"] == "density.h5"
for data, shares in ((supply, [1 / 3] * 3), (demand, [1 / 4, 1 / 2, 1 / 4])):
    places = list(zip(data.var["latitude"], data.var["longitude"]))
    counts = [places.count(place) for place in ((85, -125), (-5, 25), (-5, 35))]
    assert sum(counts) == data.n_vars
    for count, share in zip(counts, shares):
        assert abs(count / data.n_vars - share) < 5 * numpy.sqrt(share * (1 - share) / data.n_vars)

# Wrong input: one line, exit code 2 and no file.
density[3, 4] = -9999
with h5py.File(here / "negative.h5", "w") as file:
    file["population_density"] = density
error = simulate("bad", "--density", here / "negative.h5", *small, code=2)
assert "negative.h5: population_density: found -9999 in row 3, column 4. Give finite values" in error, error
(here / "text.h5").write_text("no raster")
assert "text.h5" in simulate("bad", "--density", here / "text.h5", *small, code=2)
assert "No such file" in simulate("bad", "--density", here / "none.h5", *small, code=2)
assert "test-fraction: found 0.95 with --validation-fraction 0.1" in simulate("bad", *small, "--test-fraction", "0.95", code=2)
