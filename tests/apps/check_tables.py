# SPDX-License-Identifier: MIT
"""Writes tables of cells in the layouts of spreadsheets, pandas and R for tables.sh, and compares the imported files with
what pandas reads from the same bytes.

Usage: check_tables.py make FOLDER | check_tables.py check FOLDER
"""
import gzip
import io
import pathlib
import sys
import warnings

import numpy as np
import pandas as pd

warnings.simplefilter("ignore")
command, folder = sys.argv[1], pathlib.Path(sys.argv[2])
random = np.random.default_rng(5)
N = 40
CELLS = pd.DataFrame(
    {
        "treatment": random.choice(["DMSO", "SN-38", "1,25-(OH)2D3", 'say "hi"'], N),
        "patient": random.choice(["P1", "Ärztin", "NA"], N),
        "pERK": random.gamma(2, 3, N).round(4),
        "pS6 (S235)": random.gamma(2, 3, N).round(6),
    },
    index=[f"AAAC-{i}" for i in range(N)],
)
LABELS = ["treatment", "patient"]
OBS = "--obs treatment,patient"


def table(**options):
    return CELLS.to_csv(**options)


def r_table(sep=" ", names=True, decimal="."):
    """Returns the text of R's write.table(): no name above the row names, quotes escaped by a backslash."""
    quoted = lambda text: '"' + text.replace('"', '\\"') + '"'
    lines = [sep.join(quoted(c) for c in CELLS.columns)]
    for name, row in CELLS.iterrows():
        values = [quoted(v) if isinstance(v, str) and v != "NA" else str(v).replace(".", decimal) if not isinstance(v, str) else v
                  for v in row]
        lines.append(sep.join(([quoted(name)] if names else []) + values))
    return "\n".join(lines) + "\n"


two_lines = table().replace("pERK", '"pERK\n(Y204)"', 1).replace("DMSO", '"DM\nSO"')
R = dict(escapechar="\\")
# name: bytes, options of import, options of pandas.read_csv
CASES = {
    "plain": (table(index=False).encode(), OBS, {}),
    "row_names": (table().encode(), OBS, dict(index_col=0)),
    "semicolon_comma": (table(sep=";", decimal=",").encode(), OBS, dict(sep=";", decimal=",", index_col=0)),
    "tab_comma": (table(sep="\t", decimal=",").encode(), OBS, dict(sep="\t", decimal=",", index_col=0)),
    "quoted_comma": (table(decimal=",").encode(), OBS, dict(decimal=",", index_col=0)),
    "gzip": (gzip.compress(table().encode()), OBS, dict(index_col=0, compression="gzip")),
    "gzip_members": (gzip.compress(table().encode()[:900]) + gzip.compress(table().encode()[900:]), OBS,
                     dict(index_col=0, compression="gzip")),
    "gzip_utf16": (gzip.compress(table(sep="\t").encode("utf-16")), OBS,
                   dict(sep="\t", encoding="utf-16", index_col=0, compression="gzip")),
    "utf16_le": (b"\xff\xfe" + table(sep="\t").encode("utf-16-le"), OBS, dict(sep="\t", encoding="utf-16", index_col=0)),
    "utf16_be": (b"\xfe\xff" + table(sep=";", decimal=",").encode("utf-16-be"), OBS,
                 dict(sep=";", decimal=",", encoding="utf-16", index_col=0)),
    "byte_order_mark": (table(index=False).encode("utf-8-sig"), OBS, dict(encoding="utf-8-sig")),
    "latin1": (table(index=False).encode("latin-1"), OBS, dict(encoding="latin-1")),
    "crlf": (table(lineterminator="\r\n").encode(), OBS, dict(index_col=0)),
    "cr": (table(lineterminator="\r").encode(), OBS, dict(index_col=0)),
    "two_lines": (two_lines.encode(), OBS, dict(index_col=0)),
    "two_lines_crlf": (two_lines.replace("\n", "\r\n").encode(), OBS, dict(index_col=0)),
    "empty_lines": (("\n\n" + table(index=False).replace("\n", "\n\n")).encode(), OBS, {}),
    "empty_columns": (table(index=False).replace("\n", ",,\n").encode(), OBS, dict(usecols=[0, 1, 2, 3])),
    "empty_ends": (table(index=False).replace("\n", ",\n").replace(",\n", "\n", 1).encode(), OBS, dict(index_col=False)),
    "sep_line": (b"sep=;\n" + table(sep=";", decimal=",", index=False).encode(), OBS, dict(sep=";", decimal=",", skiprows=1)),
    "bar": (table(sep="|").encode(), OBS, dict(sep="|", index_col=0)),
    "r_csv": (CELLS.to_csv(quoting=2, na_rep="NA").encode(), OBS, dict(index_col=0)),
    "r_csv2": (CELLS.to_csv(sep=";", decimal=",", quoting=2, na_rep="NA").encode(), OBS,
               dict(sep=";", decimal=",", index_col=0)),
    "r_table": (r_table().encode(), OBS, dict(sep=" ", **R)),
    "r_table_tab": (r_table("\t").encode(), OBS, dict(sep="\t", **R)),
    "r_table_no_names": (r_table(names=False).encode(), OBS, dict(sep=" ", **R)),
    "r_one_column": (b'"pERK"\n"c1" 1.5\n"c2" 2.5\n', "", dict(sep=" ")),
    "one_column": (b"pERK\n1.5\n2.5\n\n3\n", "", {}),
    "one_column_comma": (b"pERK\n3,5\n2,25\n", "", dict(sep=";", decimal=",")),
    "numbers": (b"a;b\n+1,5;-0,25\n1,5E+03;2e-3\n 7 ;,5\n", "", dict(sep=";", decimal=",", skipinitialspace=True)),
    "missing": (b"a,treatment\n1,NA\n2,\n3,nan\n4,None\n5,<NA>\n6,A\n", "--obs treatment",
                dict(na_values=["None"])),
}
LARGE = pd.DataFrame(random.normal(size=(30000, 30)), columns=[f"m{j}" for j in range(30)])
LARGE["note"] = [f"L{i % 7}" for i in range(len(LARGE))]
LARGE.loc[25000:, "note"] = "two\nlines, one row"


def make():
    for name, (content, _, _) in CASES.items():
        (folder / f"{name}.csv").write_bytes(content)
    (folder / "cases").write_text("".join(f"{name} {options}\n" for name, (_, options, _) in CASES.items()))
    LARGE.to_csv(folder / "large.csv", index=False)
    LARGE.to_csv(folder / "large.csv.gz", index=False)
    put = lambda name, content: (folder / name).write_bytes(content)
    # Files of one sheet that share the names of their cells.
    for name in ("one", "two"):
        put(f"{name}.tsv.gz", gzip.compress(table(sep="\t").encode()))
    put("sheet.csv", b'file;dose/uM;hours;\none.tsv.gz;1,5;NA;\ntwo.tsv.gz;2;6h;\n;;;\n')
    put("pairs.csv", b"file,file/x,_index,.x,\none.tsv.gz,1,2,3,4\n")
    put("clash.csv", b"file,dose_uM,dose/uM\none.tsv.gz,1,2\n")
    put("dots.csv", b"file,..\none.tsv.gz,1\n")
    put("twice.csv", b"file,dose,dose\none.tsv.gz,1,2\n")
    # Files that are refused.
    put("book.xlsx", b"PK\x03\x04" + bytes(range(256)))
    put("book.csv", b"PK\x03\x04" + bytes(range(256)))
    put("book.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    put("page.xls", b"<html><table><tr><td>a</td></tr></table></html>")
    put("cells.h5ad", b"\x89HDF\r\n\x1a\n" + bytes(100))
    put("cells.rds", gzip.compress(b"X\n\x00\x00\x00\x03" + bytes(100)))
    put("cells.zst", b"\x28\xb5\x2f\xfd" + bytes(100))
    put("truncated.csv.gz", gzip.compress(LARGE.head(1000).to_csv().encode())[:-5000])
    damaged = bytearray(gzip.compress(table().encode()))
    damaged[len(damaged) // 2] ^= 0x55
    put("damaged.csv.gz", bytes(damaged))
    put("no_mark.csv", table().encode("utf-16-le"))
    put("zero.csv", b"a,b\n1,2\n" + b"3,4\n" * 2000 + b"5,\x006\n")
    put("thousands.csv", b"a;b\n1,234;5,678\n12,000;3\n")
    put("mixed.csv", b"a;b\n1,5;2.5\n")
    put("groups.csv", b"a;b\n1.234,5;2\n")
    put("one_column.csv2", b"pERK\n1,5\n2,25\n")
    put("open.csv", b'a,b\n1,2\n3,"4\n' + b"5,6\n" * 1000)


def check_frame(name, data, expected, labels):
    markers = [c for c in expected.columns if c not in labels]
    assert list(data.var_names) == markers, (name, list(data.var_names), markers)
    values = expected[markers].to_numpy(dtype=float).astype(np.float32)
    assert data.X.shape == values.shape, (name, data.X.shape, values.shape)
    # from_chars reads a number as the nearest float, pandas as the nearest double first.
    assert np.allclose(data.X, values, rtol=2e-7, atol=0), (name, np.abs(data.X - values).max())
    for label in labels:
        found, wanted = data.obs[label], expected[label]
        assert list(found.isna()) == list(wanted.isna()), (name, label)
        assert [str(v) for v in found.dropna()] == [str(v) for v in wanted.dropna()], (name, label)


def check():
    import anndata

    for name, (content, options, arguments) in CASES.items():
        expected = pd.read_csv(io.BytesIO(content), **arguments)
        data = anndata.read_h5ad(folder / f"{name}.h5ad")
        check_frame(name, data, expected, options.split()[1].split(",") if options else [])
        names = [str(i) for i in expected.index]
        assert list(data.obs_names) == names, (name, list(data.obs_names)[:3], names[:3])
    for name in ("large", "large3", "large_gz", "large_gz2"):
        check_frame(name, anndata.read_h5ad(folder / f"{name}.h5ad"), LARGE, ["note"])
    wells = anndata.read_h5ad(folder / "wells.h5ad")
    assert list(wells.obs.columns) == ["file", "dose_uM", "hours", "treatment", "patient"], wells.obs
    assert list(wells.obs_names) == [f"{c}-{s}" for s in (0, 1) for c in CELLS.index]
    assert list(wells.obs["dose_uM"]) == ["1,5"] * N + ["2"] * N and list(wells.obs["hours"][N:]) == ["6h"] * N
    assert wells.obs["hours"][:N].isna().all() and np.allclose(wells.X[N:], CELLS[["pERK", "pS6 (S235)"]])
    pairs = anndata.read_h5ad(folder / "pairs.h5ad")
    assert list(pairs.obs.columns) == ["file", "file_x", "index", ".x", "column_5"], pairs.obs
    assert [str(pairs.obs[c][0]) for c in pairs.obs.columns] == ["one.tsv.gz", "1", "2", "3", "4"]


{"make": make, "check": check}[command]()
