# SPDX-License-Identifier: MIT
# %% [markdown]
# # Whole populations drawn at once
#
# Some data have no controls: each population is one sample, and the question is which populations exist. *Wasserstein flow
# matching* (`wfm`) learns a distribution over populations. A transformer moves all points of a cloud together, from
# Gaussian noise to a new population. Here a population is a letter as a cloud of points, and its treatment is its name.
# Learning takes about two minutes on one core.

# %%
import anndata
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import TextPath

import popflow

random = np.random.default_rng(0)
FONTS = [
    FontProperties(family=family, weight=weight)
    for family in ("DejaVu Sans", "DejaVu Serif")
    for weight in ("normal", "bold")
]

# %% [markdown]
# ## Data
#
# `letter_cloud` draws points uniformly inside a letter of a random font, and then rotates and scales them a little. All
# fonts belong to matplotlib.


# %%
def inside(polygons, points):
    """Returns whether points lie inside an odd number of polygons. Holes are outside."""
    return np.logical_xor.reduce(
        [Path(polygon).contains_points(points) for polygon in polygons]
    )


def letter_cloud(letter, count):
    """Returns points [count, 2] of a letter."""
    outline = TextPath((0, 0), letter, size=1, prop=random.choice(FONTS))
    box = outline.get_extents()
    points = np.empty((0, 2))
    while len(points) < count:
        drawn = random.uniform(box.min, box.max, (4 * count, 2))
        points = np.concatenate([points, drawn[inside(outline.to_polygons(), drawn)]])
    points = 2 * (points[:count] - (box.min + box.max) / 2) / box.height
    angle = random.normal(0, 0.08)
    rotation = np.array(
        [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    )
    return points * random.normal(1, 0.05, 2) @ rotation


LETTERS, CELLS = "ABS", 120
clouds, labels = [], []
for part, number in (("train", 80), ("test", 15)):
    for letter in LETTERS:
        for k in range(number):
            clouds.append(letter_cloud(letter, CELLS))
            labels.append((letter, f"{part} {letter}{k}", part))
obs = pd.DataFrame(labels, columns=["treatment", "population", "part"]).loc[
    np.repeat(np.arange(len(labels)), CELLS)
]
obs.index = [f"cell{k}" for k in range(len(obs))]
data = anndata.AnnData(
    np.concatenate(clouds).astype("float32"),
    obs=obs,
    var=pd.DataFrame(index=["x", "y"]),
)
data


# %%
def draw(clouds, title):
    """Draws clouds of points, a row for each letter."""
    figure, grid = plt.subplots(
        len(LETTERS), len(clouds[LETTERS[0]]), figsize=(8, 3.6), layout="constrained"
    )
    for row, letter in zip(grid, LETTERS):
        for ax, cloud in zip(row, clouds[letter]):
            ax.plot(*cloud.T, ".", markersize=2, color="#0072B2")
            ax.set(xlim=(-1.6, 1.6), ylim=(-1.4, 1.4), aspect="equal")
            ax.axis("off")
    figure.suptitle(title)
    plt.show()


real = {
    letter: [
        c
        for c, (name, _, part) in zip(clouds, labels)
        if name == letter and part == "test"
    ]
    for letter in LETTERS
}
draw({letter: real[letter][:6] for letter in LETTERS}, "held-out letters")

# %% [markdown]
# ## Training
#
# `population` names the column whose values are populations. The populations whose `part` is `train` are learned.

# %%
screen = popflow.Screen(
    data, population="population", split="column:part", min_cells=10, transform="none"
)
model = popflow.train(
    screen,
    method="wfm",
    steps=700,
    rate=0.001,
    cells=100,
    batch_pairs=2,
    populations_per_slot=8,
    attention_width=64,
    attention_blocks=3,
    attention_frequencies=32,
    attention_scale=0.5,
    seed=1,
    progress=False,
)
model

# %% [markdown]
# ## New populations
#
# Each cloud starts as a new draw of noise, so each letter is different. A cloud may have any number of points.

# %%
drawn = model.predict(number=15, cells=CELLS, progress=False)
generated = {
    letter: [
        drawn[drawn.obs["population"] == name].X for name in rows["population"].unique()
    ]
    for letter, rows in drawn.obs.groupby("treatment", observed=True)
}
draw({letter: generated[letter][:6] for letter in LETTERS}, "generated letters")

# %% [markdown]
# ## Are they as good as real ones?
#
# `popflow.sets.scores` compares both sets by the distances between populations. `nna` is the share of populations whose
# nearest other one is of the same set. It is 0.5 if both sets have the same distribution, and 1 if they differ everywhere.
# `coverage` is the share of the real populations that are the nearest real one of a generated population.

# %%
scores = popflow.sets.scores(
    sum(generated.values(), []),
    sum(real.values(), []),
    distances=["w2", "energy"],
    permutations=1000,
)
scores[["nna", "nna_real", "nna_generated", "coverage", "matching", "p_value"]].round(3)

# %% [markdown]
# This is a small network and a short training. `docs/results.md` has our results on 584 typefaces, which `configs/clouds.cfg`
# trains.
