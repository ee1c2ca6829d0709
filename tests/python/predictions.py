# SPDX-License-Identifier: MIT
"""Predicts again and again and prints the resident memory in MB after some numbers of predictions.

    predictions.py RUN DATA.h5ad NUMBER...
"""
import logging
import os
import sys

import popflow


def resident_mb():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


logging.getLogger("popflow").setLevel(logging.ERROR)
run, data, *numbers = sys.argv[1:]
model = popflow.load(run)
numbers = [int(n) for n in numbers]
for k in range(1, max(numbers) + 1):
    predicted = model.predict(data, treatment="S", min_cells=50, progress=False)
    assert predicted.n_obs > 0
    if k in numbers:
        print(resident_mb(), flush=True)
