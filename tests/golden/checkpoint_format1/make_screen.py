# SPDX-License-Identifier: MIT
"""Writes the screen of the kept checkpoints: 2 patients x (control, A, B) x 24 cells x 3 markers."""
import sys

import anndata
import numpy
import pandas

rng = numpy.random.default_rng(7)
rows, cells = [], []
for patient in ("P1", "P2"):
    centre = rng.normal(size=3)
    for treatment, shift in (("DMSO", 0.0), ("A", 1.5), ("B", -1.0)):
        for cell in range(24):
            rows.append((patient, treatment, "1", "early" if cell % 3 else "late"))
            cells.append(centre + shift + rng.normal(size=3))
obs = pandas.DataFrame(rows, columns=["patient", "treatment", "concentration", "cell_type"]).astype("category")
obs.index = [str(i) for i in range(len(obs))]
var = pandas.DataFrame(index=["m1", "m2", "m3"])
anndata.AnnData(numpy.asarray(cells, dtype="float32"), obs=obs, var=var).write_h5ad(sys.argv[1])
