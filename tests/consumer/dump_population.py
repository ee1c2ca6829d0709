# SPDX-License-Identifier: MIT
"""Writes one control population and its prediction as binary files: control.f32, expected.f32 and labels.txt.

Usage: dump_population.py SCREEN.h5ad PREDICTED.h5ad
"""
import sys

import h5py
import numpy as np


def strings(column):
    """Returns the values of a categorical or string column as a list."""
    if isinstance(column, h5py.Group):
        return [column["categories"][i].decode() for i in column["codes"][:]]
    return [value.decode() for value in column[:]]


with h5py.File(sys.argv[1]) as screen, h5py.File(sys.argv[2]) as predicted:
    population = strings(predicted["obs/predicted_population"])
    rows = [i for i, name in enumerate(population) if name == population[0]]
    names = strings(predicted["obs/predicted_from"])
    index = {name: i for i, name in enumerate(strings(screen["obs/_index"]))}
    source = [index[names[i]] for i in rows]
    np.stack([screen["X"][i] for i in source]).astype(np.float32).tofile("control.f32")
    predicted["X"][rows].astype(np.float32).tofile("expected.f32")
    types = strings(screen["obs/cell_type"])
    with open("labels.txt", "w") as file:
        file.write("".join(types[i] + "\n" for i in source))
