# SPDX-License-Identifier: MIT
"""Simulates letters, reads them with anndata and compares them with letters drawn by Pillow. Usage: read_letters.py POPFLOW"""

import pathlib
import subprocess
import sys
import tempfile

try:
    import anndata
    import numpy
    from PIL import Image, ImageDraw, ImageFont
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

FONT = pathlib.Path("/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf")
if not FONT.exists():
    print(f"skipped: no {FONT}")
    sys.exit(77)


def simulate(*options):
    """Simulates letters and returns them as AnnData."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "letters.h5ad"
        command = [sys.argv[1], "simulate", "letters", "--output", path, "--font", FONT, "--seed", "4", *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return anndata.read_h5ad(path)


def cloud(letter):
    """Returns the points of a letter that Pillow draws on a greyscale image, centred and scaled. Shape [n, 2]."""
    image = Image.new("L", (200, 200))
    ImageDraw.Draw(image).text((20, 20), letter, font=ImageFont.truetype(str(FONT), 100), fill=255)
    row, column = numpy.nonzero(numpy.asarray(image))
    points = numpy.stack([column, -row], axis=1).astype(float)
    low, high = points.min(0), points.max(0)
    return (points - (low + high) / 2) * 6 / (high - low).max()


letters = simulate("--rotations", "2", "--jitter", "0")
obs = letters.obs
assert letters.X.dtype == numpy.float32 and letters.X.shape == (letters.n_obs, 2)
assert list(letters.var_names) == ["x", "y"]
assert list(obs.columns) == ["patient", "culture", "treatment", "replicate", "split", "angle"]
assert all(obs[c].dtype == ("float64" if c == "angle" else "category") for c in obs.columns)
assert obs.index[0].strip("0") == "" and obs.index[-1] == str(letters.n_obs - 1) and obs.index.is_unique
assert set(obs["treatment"].cat.categories) == {"control", "sharpened"}
assert ((obs["split"] == "test") == obs["patient"].isin(["X", "Y"])).all()
assert (obs["culture"].astype(str) == numpy.where(obs["split"] == "test", obs["patient"].astype(str), "train")).all()
simulation = letters.uns["simulation"]
assert simulation["font"] == "Liberation Sans" and int(simulation["seed"]) == 4 and int(simulation["rotations"]) == 2
assert len(simulation["letters"]) == 24 and list(simulation["test_letters"]) == ["X", "Y"]

sizes = {}
for (letter, rotation), rows in obs.groupby(["patient", "replicate"], observed=True).indices.items():
    assert (numpy.diff(rows) == 1).all()
    population = obs.iloc[rows]
    n = len(rows) // 2
    assert list(population["treatment"]) == ["control"] * n + ["sharpened"] * n
    assert population["angle"].nunique() == 1
    angle = population["angle"].iloc[0]
    expected = cloud(letter)
    sizes[letter] = len(expected)
    assert n == len(expected), (letter, n, len(expected))
    source, target = letters.X[rows[:n]].astype(float), letters.X[rows[n:]].astype(float)
    rotation_matrix = numpy.array([[numpy.cos(angle), numpy.sin(angle)], [-numpy.sin(angle), numpy.cos(angle)]])
    numpy.testing.assert_allclose(target, expected @ rotation_matrix, atol=2e-6)
    noise = (source - target).ravel()
    assert abs(noise.std() / 0.5 - 1) < 5 / numpy.sqrt(2 * noise.size)
    assert abs(noise.mean()) < 5 * 0.5 / numpy.sqrt(noise.size)
assert sizes["I"] == min(sizes.values())
print("mean points of the training letters:", numpy.mean([n for letter, n in sizes.items() if letter not in "XY"]))

jittered = simulate("--letters", "I", "--test-letters", "X", "--rotations", "1", "--noise", "0")
control = (jittered.obs["treatment"] == "control").to_numpy()
assert (jittered.X[control] == jittered.X[~control]).all()
assert sorted(jittered.obs["patient"].cat.categories) == ["I", "X"]
