#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures how well a gene's response on one plate predicts its response on the other plate.

    egf_replicates.py EGF.h5ad

Run it in the environment of make_environment.sh. The EGF screen holds most genes on two plates. For held-out genes with both,
the script scores predictors that have seen the gene itself, which a model has not:
  * the control moved by the shift on the other plate (same gene, same minutes)
  * the mean of that shift and the mean shift of the training genes
  * the treated cells of the other plate moved by the difference between the two controls
For comparison it scores popflow's mean shift, oracle shift and noise floor. W2 is POT's on 1000 cells in popflow's normalised
space.
"""
import sys

import anndata
import numpy as np
import ot

HELD_OUT = ["MAPK1", "MAPK14", "MAP2K7"]
CELLS = 1000


def w2(a, b):
    weight = np.full(CELLS, 1 / CELLS)
    return np.sqrt(ot.emd2(weight, weight, ot.dist(a[:CELLS], b[:CELLS]), numItermax=10_000_000))


def populations(path):
    """Returns {(gene, plate, treatment): cells}, normalised by the training genes, cells in random order."""
    file = anndata.read_h5ad(path)
    obs = file.obs.astype(str)
    keep = ~((obs["plate"] == "20150406") & (obs["well"] == "F5"))
    x = np.arcsinh(np.asarray(file.X, dtype=np.float64) / 5)
    train = x[keep & ~obs["patient"].isin(HELD_OUT)]
    x = (x - train.mean(0)) / train.std(0).mean()
    generator = np.random.default_rng(0)
    groups = obs[keep].groupby(["patient", "plate", "treatment"]).indices
    kept = x[keep]
    return {key: kept[generator.permutation(rows)] for key, rows in sorted(groups.items())}


def main():
    cells = populations(sys.argv[1])
    pairs = [k for k in cells if k[2] != "control"]
    control = lambda k: cells[k[0], k[1], "control"]
    shift = {k: cells[k].mean(0) - control(k).mean(0) for k in pairs}
    scores = {}
    for k in pairs:
        gene, plate, treatment = k
        other = [j for j in pairs if j[0] == gene and j[2] == treatment and j[1] != plate]
        if gene not in HELD_OUT or not other:
            continue
        other = other[0]
        mean_shift = np.mean([shift[j] for j in pairs if j[0] not in HELD_OUT and j[2] == treatment], 0)
        moved = cells[other] + control(k).mean(0) - control(other).mean(0)
        predictions = {
            "identity": control(k),
            "mean shift of the training genes": control(k) + mean_shift,
            "shift of the gene itself, other plate": control(k) + shift[other],
            "mean of the two shifts": control(k) + (shift[other] + mean_shift) / 2,
            "treated cells of the gene itself, other plate": moved,
            "oracle shift": control(k) + shift[k],
            "noise floor": cells[k][CELLS:],
        }
        for name, x in predictions.items():
            scores.setdefault(name, {}).setdefault(gene, []).append(w2(x, cells[k]))
    genes = sorted(next(iter(scores.values())))
    print(f"{'W2':<48}" + "".join(f"{g:>9}" for g in genes) + f"{'all':>9}")
    for name, by_gene in scores.items():
        values = [np.mean(by_gene[g]) for g in genes]
        print(f"{name:<48}" + "".join(f"{v:9.3f}" for v in values) + f"{np.mean(values):9.3f}")


if __name__ == "__main__":
    main()
