# SPDX-License-Identifier: MIT
"""Writes the input files of import.sh, and checks the imported files with anndata.

Usage: check_import.py make FOLDER | check_import.py check FOLDER
"""
import pathlib
import sys

import numpy as np
import pandas as pd

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "support"))
import fcs_file  # noqa: E402

command, folder = sys.argv[1], pathlib.Path(sys.argv[2])
random = np.random.default_rng(11)
NAMES = ["Nd142Di", "Sm149Di", "Yb174Di", "Time"]
STAINS = ["pERK", "p4E-BP1/µ", "", ""]
MARKERS = ["pERK", "p4E-BP1/µ", "Yb174Di", "Time"]
WELLS = [(p, t, r) for p in ("P1", "P2", "P3") for t in ("DMSO", "S", "O") for r in "AB"]
PLAIN = random.gamma(2.0, 3.0, size=(300, 4)).astype(np.float32)
STORED = random.integers(0, 1024, size=(50, 3))
KINDS = {
    "float_little": dict(),
    "float_big": dict(big=True, delimiter="|"),
    "double": dict(datatype="D", version="FCS3.0"),
    "in_text": dict(in_text=True),
    "supplement": dict(drop=["$P1S", "$P2S"], supplement={"$P1S": "pERK", "$P2S": "p4E-BP1/µ"}),
    "no_total": dict(version="FCS2.0", drop=["$TOT"]),
    "one_more": dict(tail=b"CRC12345"),
}
INTEGERS = {
    "int16": dict(bits=[16, 16, 16], ranges=[1024, 1024, 1024]),
    "int32_big": dict(bits=[32, 32, 32], ranges=[1024, 1024, 1024], big=True),
    "mixed": dict(bits=[16, 8, 24], ranges=[1024, 256, 1024], big=True),
    "masked": dict(bits=[16, 16, 32], ranges=[1024, 1000, 1024]),
    "log": dict(bits=[16, 16, 16], ranges=[1024, 1024, 1024], log={0: "4.0,1", 2: "2.5,0"}),
}
SPILL = np.array([[1, 0.2, 0.05], [0.1, 1, 0], [0, 0.3, 1]])


def well(i):
    """Returns the cells of a well. Shape [60 + i, 4]."""
    shift = 4 * (WELLS[i][1] == "S") - (WELLS[i][1] == "O")
    return np.random.default_rng(i).gamma(3.0, 2.0 + 0.3 * (i % 5), size=(60 + i, 4)).astype(np.float32) + shift + 1


def stored_values(kind):
    """Returns the integers that a file of this kind stores."""
    values = STORED.copy()
    if kind == "mixed":
        values[:, 1] %= 256
    if kind == "masked":  # the bits above the range are noise
        values = values | (random.integers(0, 64, size=values.shape) << 10)
    return values


def write_damaged(name, at, value):
    """Writes a copy of float_little.fcs in which the bytes from `at` on are replaced."""
    data = bytearray((folder / "float_little.fcs").read_bytes())
    data[at : at + len(value)] = value
    (folder / name).write_bytes(data)


def make():
    for kind, options in KINDS.items():
        stains = STAINS if "drop" not in options or "supplement" not in options else None
        options = dict(options, drop=[k for k in options.get("drop", ()) if not k.endswith("S")])
        fcs_file.write(folder / f"{kind}.fcs", PLAIN, NAMES, stains=stains, **options)
    for kind, options in INTEGERS.items():
        fcs_file.write(folder / f"{kind}.fcs", stored_values(kind), ["a", "b", "c"], datatype="I", **options)
    spilled = PLAIN[:, :3].astype(float) @ SPILL
    text = "3,Nd142Di,Sm149Di,Yb174Di," + ",".join(str(v) for v in SPILL.ravel())
    fcs_file.write(folder / "spill.fcs", np.c_[spilled, PLAIN[:, 3]], NAMES, stains=STAINS, extra={"$SPILLOVER": text})
    # A folder of wells with a sample sheet, as FCS files, as CSV files and as one table.
    rows, tables = [], []
    for i, (patient, treatment, replicate) in enumerate(WELLS):
        cells = well(i)
        order = np.roll(np.arange(4), i)  # each file has its columns in another order
        fcs_file.write(folder / f"well{i}.fcs", cells[:, order], [NAMES[j] for j in order],
                       stains=[STAINS[j] for j in order], big=i % 2 == 1)
        table = pd.DataFrame(cells[:, order], columns=[MARKERS[j] for j in order])
        table.to_csv(folder / f"well{i}.csv", index=False, sep=",\t;"[i % 3], lineterminator="\r\n" if i % 2 else "\n")
        rows.append([f"well{i}.fcs", patient, treatment, replicate, i * 0.5 if i else ""])
        tables.append(pd.DataFrame(cells, columns=MARKERS).assign(patient=patient, treatment=treatment,
                                                                  replicate=replicate, note='say "hi", twice'))
    sheet = pd.DataFrame(rows, columns=["file", "patient", "treatment", "replicate", "hours"])
    sheet.to_csv(folder / "fcs.csv", index=False)
    sheet["file"] = sheet["file"].str.replace(".fcs", ".csv", regex=False)
    sheet.to_csv(folder / "tables.csv", index=False, sep="\t")
    pd.concat(tables).to_csv(folder / "all.csv", index=False)
    # A table that is larger than one block of 8 MB.
    many = pd.DataFrame(random.normal(size=(60000, 12)), columns=[f"m{j}" for j in range(12)])
    many["label"] = [f"L{i // 5000}" for i in range(len(many))]
    many.to_csv(folder / "many.csv", index=False)
    many.to_pickle(folder / "many.pickle")
    make_invalid()


def make_invalid():
    """Writes files that are each invalid in one way."""
    put = lambda name, text: (folder / name).write_text(text)
    put("word.csv", "a,b\n1,2\n3,x1\n")
    put("short.csv", "a,b\n1,2\n3\n")
    put("empty.csv", "")
    put("header.csv", "a,b\n")
    put("twice.csv", "a,a\n1,2\n")
    put("quote.csv", 'a,b\n1,"2\n')
    put("nan.csv", "a,b\n1,nan\n")
    put("sheet_gone.csv", "file,patient\nnowhere.fcs,1\n")
    put("sheet_twice.csv", "file,patient\nwell0.fcs,1\nwell0.fcs,2\n")
    put("sheet_name.csv", "fille,patient\nwell0.fcs,1\n")
    put("sheet_other.csv", "file,patient\nfloat_little.fcs,1\nint16.fcs,2\n")
    small = PLAIN[:5]
    invalid = lambda name, **options: fcs_file.write(folder / name, small, NAMES, **options)
    invalid("mode.fcs", extra={"$MODE": "C"})
    invalid("type.fcs", extra={"$DATATYPE": "B"})
    invalid("order.fcs", extra={"$BYTEORD": "3,4,1,1"})
    invalid("bits.fcs", extra={"$P2B": "12"})
    invalid("no_bits.fcs", drop=["$P3B"])
    invalid("many_par.fcs", extra={"$PAR": "99999999999"})
    invalid("total.fcs", extra={"$TOT": "6000000000000000000"})
    invalid("text_end.fcs", header={1: 99999999})
    invalid("text_begin.fcs", header={0: 3})
    invalid("data_begin.fcs", header={2: 99999998, 3: 5}, extra={"$BEGINDATA": 0, "$ENDDATA": 0})
    invalid("huge_begin.fcs", in_text=True, extra={"$BEGINDATA": "18446744073709551610", "$ENDDATA": "18446744073709551615"})
    fcs_file.write(folder / "infinite.fcs", np.where(small == small[3, 1], np.inf, small), NAMES)
    invalid("singular.fcs", extra={"$SPILLOVER": "2,Nd142Di,Sm149Di,1,1,1,1"})
    invalid("channel.fcs", extra={"$SPILLOVER": "2,Nd142Di,FITC-A,1,0,0,1"})
    write_damaged("version.fcs", 0, b"FCS9.9")
    write_damaged("letters.fcs", 10, b"  abcdef")
    (folder / "truncated.fcs").write_bytes((folder / "float_little.fcs").read_bytes()[:-40])
    (folder / "tiny.fcs").write_bytes(b"FCS3.1    ")


def check_close(data, expected, tolerance=1e-6):
    """Checks X in single precision. `tolerance` is relative to the largest value."""
    assert data.X.dtype == np.float32 and data.X.shape == expected.shape, data
    assert np.abs(data.X - expected).max() <= tolerance * np.abs(expected).max()


def check():
    import anndata

    read = lambda name: anndata.read_h5ad(folder / name)
    for kind in KINDS:
        data = read(f"{kind}.h5ad")
        check_close(data, PLAIN)
        assert list(data.var_names) == MARKERS and list(data.var["channel"]) == NAMES, data.var
        assert list(data.obs_names[:3]) == ["0", "1", "2"]
    for kind in INTEGERS:
        expected = STORED.astype(float)
        if kind == "mixed":
            expected[:, 1] %= 256
        if kind == "log":
            expected[:, 0] = 10 ** (4.0 * expected[:, 0] / 1024)
            expected[:, 2] = 10 ** (2.5 * expected[:, 2] / 1024)
        check_close(read(f"{kind}.h5ad"), expected)
    check_close(read("compensated.h5ad"), PLAIN, 1e-5)
    check_close(read("spill.h5ad"), np.c_[PLAIN[:, :3].astype(float) @ SPILL, PLAIN[:, 3]])
    assert list(read("channels.h5ad").var_names) == NAMES
    chosen = read("chosen.h5ad")
    assert list(chosen.var_names) == ["Time", "pERK"]
    check_close(chosen, PLAIN[:, [3, 0]])

    cells = np.concatenate([well(i) for i in range(len(WELLS))])
    sizes = [len(well(i)) for i in range(len(WELLS))]
    for name, extension in (("fcs_wells", "fcs"), ("fcs_wells2", "fcs"), ("table_wells", "csv")):
        data = read(f"{name}.h5ad")[:, MARKERS] if extension == "csv" else read(f"{name}.h5ad")
        check_close(data, cells)
        columns = ["file", "patient", "treatment", "replicate", "hours"]
        assert list(data.obs.columns) == columns
        assert all(str(data.obs[c].dtype) == "category" for c in columns)
        assert list(data.obs["file"].astype(str)) == np.repeat(
            [f"well{i}.{extension}" for i in range(len(WELLS))], sizes).tolist()
        assert list(data.obs["treatment"].astype(str)) == np.repeat([t for _, t, _ in WELLS], sizes).tolist()
        assert data.obs["hours"].isna().sum() == sizes[0] and data.obs["hours"].astype(float).max() == 8.5
        assert data.obs_names.is_unique
    for name in ("all", "all3"):
        data = read(f"{name}.h5ad")
        check_close(data, cells)
        assert list(data.obs.columns) == ["patient", "treatment", "replicate", "note"]
        assert set(data.obs["note"]) == {'say "hi", twice'}
        assert list(data.obs["patient"].astype(str)) == np.repeat([p for p, _, _ in WELLS], sizes).tolist()
    many = pd.read_pickle(folder / "many.pickle")
    for name in ("many", "many2"):
        data = read(f"{name}.h5ad")
        check_close(data, many.drop(columns="label").to_numpy())
        assert list(data.obs["label"].astype(str)) == list(many["label"])
        assert data.obs_names[-1] == "59999"


{"make": make, "check": check}[command]()
