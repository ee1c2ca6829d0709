# SPDX-License-Identifier: MIT
"""Checks of upgrade.sh.

    check_upgrade.py options OPTIONS_0.1.0.tsv OPTIONS.md
    check_upgrade.py results RUN PREDICTED.h5ad
    check_upgrade.py icnn RUN
"""
import re
import sys

import anndata
import h5py

ATTRIBUTES = "version commit compiler method base knn seed steps split precision config data_fingerprint ranks threads recipe condition"
PAIRS = """patient culture treatment concentration replicate plate pair part predictor w1 w2 mmd r2 energy r2_means w1_markers
n_predicted n_target status message seconds rank"""
SETTINGS = """hidden layers embedding knn embedding-norm modulation encoder-hidden encoder-layers encoder-frequencies time-frequencies
time-highest time-max-period space-frequencies"""


def lacks(what, names, found):
    missing = [name for name in names if name not in found]
    if missing:
        sys.exit(f"FAILED: {what}: no {', '.join(missing)}")


def options_of(path):
    """Returns the argument of each (verb, option) of the output of `popflow help --markdown`."""
    found, verb = {}, None
    with open(path, encoding="utf-8") as file:
        for line in file:
            heading = re.match(r"## (\w+)", line)
            verb = heading[1] if heading else verb
            row = re.match(r"\| `(--[a-z0-9-]+)([^`]*)` \|", line)
            if row and verb:
                found.setdefault((verb, row[1]), []).append(row[2].strip())
    return found


def values(argument):
    """Returns the values of an enumeration `a\\|b`, which are in lower case."""
    return {v for v in argument.split("\\|") if v == v.lower() and v} if "\\|" in argument else set()


def check_options(old, new):
    found = options_of(new)
    count = 0
    with open(old, encoding="utf-8") as file:
        for line in file:
            verb, option, argument = line.rstrip("\n").split("\t")
            if (verb, option) not in found:
                sys.exit(f"FAILED: popflow {verb} has no {option}, which 0.1.0 has. Describe the new name in docs/upgrading.md")
            allowed = set().union(*map(values, found[verb, option]))
            if allowed and not values(argument) <= allowed:
                sys.exit(f"FAILED: popflow {verb} {option}: lacks {values(argument) - allowed}")
            count += 1
    if count < 250:
        sys.exit(f"FAILED: {old} has {count} options")


def check_results(run, predicted):
    with h5py.File(f"{run}/results.h5") as file:
        lacks("results.h5", ATTRIBUTES.split(), file.attrs)
        lacks("results.h5", ["pairs", "summary", "training", "embeddings", "cells"], file)
        lacks("pairs", PAIRS.split(), file["pairs"])
        lacks("cells", ["pair", "state", "time", "cell"], file["cells/obs"])
    with h5py.File(f"{run}/weights.h5") as file:
        assert file.attrs["popflow_weights"] == 2
        lacks("weights.h5", ["model/constants/frequencies", "average/velocity.first.weight", "average/encoder.conv.0.weight",
                             "mean_shifts", "markers", "normalisation_mean", "cell_types"], file)
        lacks("model/settings", SETTINGS.split(), file["model/settings"].attrs)
    cells = anndata.read_h5ad(predicted)
    lacks(predicted, ["predicted_treatment", "predicted_concentration", "predicted_from", "predicted_pair", "predicted_part"], cells.obs)
    lacks(predicted, ["embeddings"], cells.uns["popflow"])


def check_icnn(run):
    with h5py.File(f"{run}/weights.h5") as file:
        lacks("model/settings", ["icnn-hidden", "icnn-layers", "icnn-inner-steps"], file["model/settings"].attrs)


{"options": check_options, "results": check_results, "icnn": check_icnn}[sys.argv[1]](*sys.argv[2:])
