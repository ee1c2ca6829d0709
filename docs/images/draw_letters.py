# SPDX-License-Identifier: MIT
"""Draws held-out letters on their way: the untreated points, the flow, the prediction, and the truth beside it.

Usage: draw_letters.py RESULTS.h5 PICTURE.png     (needs matplotlib, h5py, anndata)
"""
import sys

import h5py
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from anndata.experimental import read_elem

with h5py.File(sys.argv[1]) as file:
    cells = read_elem(file["cells"])
names = list(cells.obs["pair"].cat.categories)
pairs = [next(n for n in reversed(names) if n.startswith(letter)) for letter in sorted({n[0] for n in names})]
most = 1.05 * abs(cells.X).max()
times = sorted(cells.obs.loc[cells.obs["state"] == "flow", "time"].unique())
panels = [("control", None, "untreated")] + [("flow", t, f"t = {t:g}") for t in times if 0 < t < 1]
panels += [("predicted", None, "predicted"), ("treated", None, "the truth")]
figure, axes = plt.subplots(len(pairs), len(panels), figsize=(1.5 * len(panels), 1.5 * len(pairs)), squeeze=False)
for i, pair in enumerate(pairs):
    for axis, (state, time, title) in zip(axes[i], panels):
        chosen = (cells.obs["pair"] == pair) & (cells.obs["state"] == state)
        if time is not None:
            chosen &= cells.obs["time"] == time
        x = cells.X[chosen.to_numpy()]
        axis.scatter(x[:, 0], x[:, 1], s=2.5, linewidths=0, color="#666666" if state == "treated" else "#2b6cb0")
        axis.set_aspect("equal")
        axis.set_axis_off()
        axis.set(xlim=(-most, most), ylim=(-most, most))
        if i == 0:
            axis.set_title(title, fontsize=9, color="#444444")
figure.tight_layout(pad=0.3)
figure.savefig(sys.argv[2], dpi=110, facecolor="white", pil_kwargs={"optimize": True})
