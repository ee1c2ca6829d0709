# SPDX-License-Identifier: MIT
# %% [markdown]
# # Transport between populations
#
# `popflow.ot` solves optimal transport problems between NumPy arrays: exactly with a proof, with entropic regularisation,
# and for many pairs of populations at once. The data are the sample of the repository: mass cytometry of cells that
# over-express one of 11 genes, before and after stimulation with EGF. The notebook takes less than a minute.

# %%
from pathlib import Path

import anndata
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import popflow

folder = next(
    p / "data"
    for p in [Path.cwd(), *Path.cwd().parents]
    if (p / "data/egf_sample.h5ad").exists()
)
data = anndata.read_h5ad(folder / "egf_sample.h5ad")
data = data[data.obs["plate"] == data.obs["plate"].iloc[0]].copy()
data.X = np.arcsinh(data.X / 5)
data.obs.groupby(["patient", "treatment"], observed=True).size().unstack(fill_value=0)

# %% [markdown]
# ## An exact plan and its proof
#
# `exact` returns the optimal value, a sparse plan, and dual potentials. The potentials prove that the plan is optimal: no
# plan is better by more than `violation` times the mass plus `gap`.


# %%
def cells_of(gene, treatment):
    return np.asarray(
        data[(data.obs["patient"] == gene) & (data.obs["treatment"] == treatment)].X
    )


control, treated = cells_of("empty", "control"), cells_of("empty", "EGF_15min")
exact = popflow.ot.exact(control, treated)
print(
    f"W2 = {np.sqrt(exact.value):.4f}, {exact.plan.nnz} entries, violation {exact.violation:.1e}, gap {exact.gap:.1e}"
)

# %% [markdown]
# The plan pairs each control cell with a treated cell. Its mean displacement is the change that EGF causes in a marker. It
# equals the difference of the two means, but the pairs also show how the change depends on the cell.

# %%
partner = exact.plan.tocoo()
change = treated[partner.col] - control[partner.row]
order = np.argsort(-np.abs(change.mean(0)))[:6]
figure, grid = plt.subplots(2, 3, figsize=(8, 4.6), layout="constrained")
for ax, marker in zip(grid.flat, order):
    ax.plot(
        control[partner.row, marker],
        change[:, marker],
        ".",
        markersize=2,
        color="#0072B2",
    )
    ax.axhline(0, color="#999999", linewidth=0.8)
    ax.set_title(data.var_names[marker], fontsize=10)
grid[1, 1].set_xlabel("control cell")
grid[0, 0].set_ylabel("change")
grid[1, 0].set_ylabel("change")
plt.show()

# %% [markdown]
# ## Entropic regularisation
#
# `sinkhorn` adds the entropy of the plan. `epsilon` is its weight relative to the mean cost. A large weight spreads the
# plan, so its cost exceeds that of the exact plan.

# %%
weights = [1, 0.3, 0.1, 0.03]
solved = [
    popflow.ot.sinkhorn(control, treated, epsilon=epsilon, sweeps=5000)
    for epsilon in weights
]
for epsilon, plan in zip(weights, solved):
    print(
        f"epsilon {epsilon:4}: cost {plan.transport_cost:7.3f}, {plan.sweeps} sweeps, error {plan.marginal_error:.0e}"
    )
figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
ax.semilogx(
    weights,
    [plan.transport_cost for plan in solved],
    "o-",
    color="#D55E00",
    label="entropic",
)
ax.axhline(exact.value, color="#0072B2", label="exact")
ax.set(xlabel="epsilon", ylabel="transport cost")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# ## All pairs of populations
#
# `all_pairs` gives the matrix of distances of a list of populations. Here are the genes, each before and after 15 minutes of
# EGF, with 300 cells each. `popflow.pl.heat_map` draws it.

# %%
names = [
    (gene, treatment)
    for treatment in ("control", "EGF_15min")
    for gene in sorted(set(data.obs["patient"]))
]
populations = [cells_of(*name)[:300] for name in names]
distances = popflow.ot.all_pairs(populations, distance="w2")
titles = [f"{gene} {treatment}" for gene, treatment in names]
popflow.pl.heat_map(pd.DataFrame(distances, index=titles, columns=titles))
plt.show()

# %% [markdown]
# A classical scaling places the populations in the plane so that their distances are kept as well as two dimensions allow. A
# line joins a gene before and after EGF. The four genes that are farthest from the others have names.

# %%
size = len(names)
centre = np.eye(size) - 1 / size
values, vectors = np.linalg.eigh(-0.5 * centre @ distances**2 @ centre)
place = vectors[:, -2:] * np.sqrt(values[-2:])
half = size // 2
figure, ax = plt.subplots(figsize=(6.4, 5), layout="constrained")
for k in range(half):
    ax.plot(*place[[k, k + half]].T, color="#cccccc", linewidth=1, zorder=0)
for k in np.argsort(
    -np.linalg.norm(place[half:] - np.median(place[half:], axis=0), axis=1)
)[:4]:
    ax.annotate(
        names[k][0],
        place[k + half],
        xytext=(5, 3),
        textcoords="offset points",
        fontsize=8,
    )
ax.plot(*place[:half].T, "o", color="#999999", label="control")
ax.plot(*place[half:].T, "o", color="#0072B2", label="15 minutes of EGF")
ax.set_aspect("equal")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# ## The interface of POT
#
# `emd` and `emd2` have the signatures of the package POT, so a program that calls `ot.emd` can call `popflow.ot.emd`.

# %%
cost = ((control[:200, None] - treated[None, :200]) ** 2).sum(-1)
uniform = np.full(200, 1 / 200)
plan = popflow.ot.emd(uniform, uniform, cost)
print(plan.shape, (plan * cost).sum(), popflow.ot.emd2(uniform, uniform, cost))
