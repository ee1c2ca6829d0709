# SPDX-License-Identifier: MIT
"""Runs write_table and reads its file with anndata. Usage: read_table.py WRITE_TABLE"""

import math
import pathlib
import subprocess
import sys
import tempfile

try:
    import anndata.experimental
    import h5py
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "table.h5"
    subprocess.run([sys.argv[1], path], check=True)
    with h5py.File(path) as file:
        pairs = anndata.experimental.read_elem(file["pairs"])
        empty = anndata.experimental.read_elem(file["empty"])
        nothing = anndata.experimental.read_elem(file["nothing"])

assert list(pairs.columns) == ["pair", "w1", "ok", "message", "culture"], pairs.columns
assert list(pairs.index) == ["0", "1", "2"], pairs.index
assert pairs["pair"].tolist() == [3, -1, 9007199254740993]
assert pairs["w1"].tolist()[::2] == [0.5, 1e-300] and math.isnan(pairs["w1"].tolist()[1])
assert pairs["ok"].dtype == bool and pairs["ok"].tolist() == [True, False, True]
assert pairs["message"].tolist() == ["", "Zürich", 'a, "b"']
assert pairs["culture"].dtype == "category" and pairs["culture"].tolist() == ["PDO", "F", "PDO"]
assert list(pairs["culture"].cat.categories) == ["F", "PDO"]
assert empty.shape == (0, 2) and nothing.shape == (0, 0)
