# SPDX-License-Identifier: MIT
"""Writes screens whose labels and doses are typed by people, and checks what `popflow inspect --json` prints of them.

Usage: check_labels.py make FOLDER | check_labels.py EXPRESSION JSON
EXPRESSION is evaluated with the JSON as `j` and the helpers below, and must be true.
"""
import json
import pathlib
import sys
import warnings

import anndata
import numpy as np
import pandas as pd

warnings.simplefilter("ignore")
TAHOE = ["[('DMSO_TF', 0.0, 'uM')]", "[('Trametinib', 0.05, 'uM')]", "[('Adagrasib', 5.0, 'uM')]"]


def screen(rows, columns=("patient", "treatment")):
    """Returns a screen with a population of 20 cells for each row of labels. None is a missing label."""
    obs = pd.DataFrame([row for row in rows for _ in range(20)], columns=list(columns))
    obs.index = [f"c{i}" for i in range(len(obs))]
    x = np.random.default_rng(3).gamma(2, 5, (len(obs), 4)).astype(np.float32)
    return anndata.AnnData(x, obs=obs, var=pd.DataFrame(index=["a,b", "c", "d", "e"]))


def make(folder):
    write = lambda name, data: data.write_h5ad(pathlib.Path(folder) / f"{name}.h5ad")
    pairs = lambda patients, labels: [(p, t) for p in patients for t in labels]
    doses = lambda *labels: screen([(p, t, d) for p in ("P1", "P2") for t, d in [("DMSO", "0")] + [("A", d) for d in labels]],
                                   ("patient", "treatment", "concentration"))
    write("plain", screen(pairs(("P1", "P2"), ("DMSO", "A"))))
    write("tahoe", screen(pairs(("P1", "P2"), TAHOE)))
    write("names", screen(pairs(("Doe, J", "Roe, A"), ("DMSO", "1,25-(OH)2D3", 'C "x"'))))
    write("blanks", screen(pairs(("P1 ", " p2"), ("dmso ", "A"))))
    write("both", screen(pairs(("P1", "P2"), ("DMSO", "dmso", "A"))))
    write("twice", screen(pairs(("P1", "P2"), ("Dmso", "dmso", "A"))))
    write("capitals", screen(pairs(("P1", "P2"), ("DMSO", "A")), ("Patient", "Treatment ")))
    write("clash", screen([("P1", "Q", "DMSO"), ("P1", "Q", "A")], ("Patient", "PATIENT", "treatment")))
    write("comma", screen(pairs(("P1", "P2"), ("DMSO", "A")), ("donor, site", "drug, dose")))
    missing = ["", "nan", "NaN", "NA", "None", None]
    write("missing", screen(pairs(("P1", "P2"), ("DMSO", "A")) + [(m, "A") for m in missing] + [("P1", m) for m in missing]))
    write("no_plate", screen([(p, t, m) for p in ("P1", "P2") for t in ("DMSO", "A") for m in ("", "nan")],
                             ("patient", "treatment", "plate")))
    write("named_none", screen(pairs(("P1", "P2"), ("None", "A"))))
    write("molar", doses("100 nM", "1uM", "10 µM", "0,5 mM"))
    write("exact", doses("1e-6 M", "1000 nM", "10"[:0] + "2 umol/l"))
    write("mass", doses("0.5 mg/ml", "20 ng/ml", "3 µg/mL"))
    write("time", screen([("P1", "DMSO", "0"), ("P1", "A", "6h"), ("P1", "A", "30 min"), ("P1", "A", "1 d")],
                         ("patient", "treatment", "time")))
    write("plain_doses", doses("1", "10.0", "0.5"))
    colon = screen([(p, t, f"site:{p}") for p in ("P1", "P2") for t in ("DMSO", "A")], ("patient", "treatment", "donor:site"))
    write("colon", colon)
    write("hours", doses("6h", "30 min", "1 d", "2h"))
    write("two_units", doses("10 nM", "5 ng/ml"))
    write("time_and_molar", doses("6h", "1 uM"))
    write("some_units", doses("10", "1 uM"))
    write("thousands", doses("1,000 nM", "10 nM"))
    write("unknown", doses("1 spoon", "2 spoons"))


def doses(j):
    """Returns the doses of the treatment A in order, as numbers."""
    return [float(d["concentration"]) for d in j["doses"] if d["treatment"] == "A"]


def treatments(j):
    return sorted({d["treatment"] for d in j["doses"] if not d["control"]})


def controls(j):
    return sorted({d["treatment"] for d in j["doses"] if d["control"]})


def notes(j):
    return " | ".join(j["notes"])


def left_out(j):
    return {d["why"]: d["cells"] for d in j["dropped"] if d["kind"] == "rows"}


def tests(j):
    """Returns the treated populations of the test part."""
    return [j["populations"][p["treated"]] for p in j["pairs"] if p["part"] == "test"]


if sys.argv[1] == "make":
    make(sys.argv[2])
else:
    j = json.load(open(sys.argv[2]))
    assert eval(sys.argv[1]), (sys.argv[1], treatments(j), controls(j), notes(j), j["patients"], j["doses"])
