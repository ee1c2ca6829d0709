# SPDX-License-Identifier: MIT
# %% [markdown]
# # Leave one patient out, and choose a method
#
# How well does a method predict a patient that it has not seen? This notebook leaves out each patient in turn, scores three
# methods on the same folds, and then lets `method="auto"` choose without looking at the test patient. The screen is simulated:
# the response to a treatment depends on the composition of the control population. It takes about two minutes on one core.

# %%
import tempfile

import matplotlib.pyplot as plt
import pandas as pd

import popflow

folder = tempfile.TemporaryDirectory()
path = popflow.simulate(
    "screen",
    output=f"{folder.name}/screen.h5ad",
    patients=6,
    cultures="PDO,F",
    treatments="O,S,CF",
    replicates=1,
    cells="300:500",
    failed_wells=0,
    seed=1,
)
screen = popflow.Screen(path, min_cells=50, split="each:patient")
screen.populations.pivot_table("cells", "patient", "treatment", aggfunc="sum")

# %% [markdown]
# ## One model for each patient
#
# With `split="each:patient"`, `train` returns a dict of models by the patient that was left out. `evaluate` scores each one on
# its own patient. `mean-shift` and `moment-map` are regressions without a network.

# %%
METHODS = {
    "mean-shift": {},
    "moment-map": {},
    "mfm": dict(
        steps=300,
        hidden=64,
        layers=3,
        embedding=32,
        knn=10,
        cells=128,
        batch_pairs=4,
        coupling="ot",
    ),
}
pairs = {}
for method, options in METHODS.items():
    run = f"{folder.name}/{method}"
    folds = popflow.train(
        screen, method=method, output=run, seed=1, progress=False, **options
    )
    tables = [
        model.evaluate(split=f"patient:{patient}", max_cells=200, progress=False)
        for patient, model in folds.items()
    ]
    pairs[method] = pd.concat([table["pairs"] for table in tables], ignore_index=True)

# %% [markdown]
# All runs have the same pairs and baselines, so their rows can be joined. The model of a method becomes a predictor of its own.

# %%
joined = pd.concat(
    [
        pairs["mfm"][pairs["mfm"]["predictor"] != "model"],
        *(
            table[table["predictor"] == "model"].assign(predictor=method)
            for method, table in pairs.items()
        ),
    ],
    ignore_index=True,
)
joined = joined[
    ~joined["predictor"].isin(["mean_shift", "moment_map"])
]  # the baselines are these methods
joined.groupby("predictor")[
    ["w2", "energy", "r2", "change_correlation"]
].mean().sort_values("energy").round(3)

# %%
figure, (left, right) = plt.subplots(
    1, 2, figsize=(10, 3.6), layout="constrained", width_ratios=(1.2, 1)
)
popflow.pl.scores(joined, "energy", ax=left)
popflow.pl.pairs(joined, "w2", predictor="mfm", baseline="moment-map", ax=right)
plt.show()

# %% [markdown]
# ## Is the difference real?
#
# Pairs of one patient share a donor, so they are not independent. Average them before a comparison. Six patients are the
# fewest with which a sign test can reach p < 0.05. `popflow report` has permutation tests over patients.

# %%
by_patient = joined.pivot_table(
    index="patient", columns="predictor", values="w2", observed=True
)
gain = by_patient["moment-map"] - by_patient["mfm"]
print(f"mfm is better for {(gain > 0).sum()} of {len(gain)} patients")
gain.round(3)

# %%
popflow.pl.heat_map(joined, "w2", predictor="mfm", baseline="moment-map")
plt.show()

# %% [markdown]
# ## A choice without the test patient
#
# The figures above must not choose the method and also report its error. `method="auto"` chooses by a cross-validation within
# the training patients. Its choice and the reason are a note of the logger `popflow`.

# %%
model = popflow.train(
    popflow.Screen(path, min_cells=50, split="patient:21"),
    method="auto",
    seed=1,
    progress=False,
    **METHODS["mfm"],
)
print("chosen:", model.method)
tables = model.evaluate(max_cells=200, progress=False)
tables["pairs"].groupby("predictor", observed=True)[
    ["w2", "energy"]
].mean().sort_values("energy").round(3)
