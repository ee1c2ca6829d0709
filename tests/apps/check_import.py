# SPDX-License-Identifier: MIT
"""Files of cells for import, and what anndata reads of what it made of them.

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
    shift = 4 * (WELLS[i][1] == "S") - (WELLS[i][1] == "O")
    return np.random.default_rng(i).gamma(3.0, 2.0 + 0.3 * (i % 5), size=(60 + i, 4)).astype(np.float32) + shift + 1


def stored_of(kind):
    values = STORED.copy()
    if kind == "mixed":
        values[:, 1] %= 256
    if kind == "masked":  # bits above those of the range are noise
        values = values | (random.integers(0, 64, size=values.shape) << 10)
    return values


def spoil(name, at, value):
    data = bytearray((folder / "float_little.fcs").read_bytes())
    data[at : at + len(value)] = value
    (folder / name).write_bytes(data)


def make():
    for kind, options in KINDS.items():
        stains = STAINS if "drop" not in options or "supplement" not in options else None
        options = dict(options, drop=[k for k in options.get("drop", ()) if not k.endswith("S")])
        fcs_file.write(folder / f"{kind}.fcs", PLAIN, NAMES, stains=stains, **options)
    for kind, options in INTEGERS.items():
        fcs_file.write(folder / f"{kind}.fcs", stored_of(kind), ["a", "b", "c"], datatype="I", **options)
    spilled = PLAIN[:, :3].astype(float) @ SPILL
    text = "3,Nd142Di,Sm149Di,Yb174Di," + ",".join(str(v) for v in SPILL.ravel())
    fcs_file.write(folder / "spill.fcs", np.c_[spilled, PLAIN[:, 3]], NAMES, stains=STAINS, extra={"$SPILLOVER": text})
    # A folder of wells with a sheet, as FCS, as CSV, and as one table.
    rows, tables = [], []
    for i, (patient, treatment, replicate) in enumerate(WELLS):
        cells = well(i)
        order = np.roll(np.arange(4), i)  # columns in another order
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
    big = pd.concat([pd.concat(tables)] * 1)
    big.to_csv(folder / "all.csv", index=False)
    # More than a piece of 8 MB.
    many = pd.DataFrame(random.normal(size=(60000, 12)), columns=[f"m{j}" for j in range(12)])
    many["label"] = [f"L{i // 5000}" for i in range(len(many))]
    many.to_csv(folder / "many.csv", index=False)
    many.to_pickle(folder / "many.pickle")
    make_bad()


def make_bad():
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
    bad = lambda name, **options: fcs_file.write(folder / name, small, NAMES, **options)
    bad("mode.fcs", extra={"$MODE": "C"})
    bad("type.fcs", extra={"$DATATYPE": "A"})
    bad("order.fcs", extra={"$BYTEORD": "3,4,1,2"})
    bad("bits.fcs", extra={"$P2B": "12"})
    bad("no_bits.fcs", drop=["$P3B"])
    bad("many_par.fcs", extra={"$PAR": "99999999999"})
    bad("total.fcs", extra={"$TOT": "6000000000000000000"})
    bad("text_end.fcs", header={1: 99999999})
    bad("text_begin.fcs", header={0: 3})
    bad("data_end.fcs", header={3: 99999999})
    bad("data_begin.fcs", header={2: 99999998, 3: 5})
    bad("huge_begin.fcs", in_text=True, extra={"$BEGINDATA": "18446744073709551610", "$ENDDATA": "18446744073709551615"})
    bad("next.fcs", extra={"$NEXTDATA": "300"})
    fcs_file.write(folder / "infinite.fcs", np.where(small == small[3, 1], np.inf, small), NAMES)
    bad("singular.fcs", extra={"$SPILLOVER": "2,Nd142Di,Sm149Di,1,1,1,1"})
    bad("channel.fcs", extra={"$SPILLOVER": "2,Nd142Di,FITC-A,1,0,0,1"})
    spoil("version.fcs", 0, b"FCS9.9")
    spoil("letters.fcs", 10, b"  abcdef")
    (folder / "truncated.fcs").write_bytes((folder / "float_little.fcs").read_bytes()[:-40])
    (folder / "tiny.fcs").write_bytes(b"FCS3.1    ")


def close(read, wanted, tolerance=1e-6):
    assert read.X.dtype == np.float32 and read.X.shape == wanted.shape, read
    assert np.abs(read.X - wanted).max() <= tolerance * np.abs(wanted).max()


def check():
    import anndata

    read = lambda name: anndata.read_h5ad(folder / name)
    for kind in KINDS:
        data = read(f"{kind}.h5ad")
        close(data, PLAIN)
        assert list(data.var_names) == MARKERS and list(data.var["channel"]) == NAMES, data.var
        assert list(data.obs_names[:3]) == ["0", "1", "2"] or list(data.obs_names[:3]) == ["0", "1", "2"]
    for kind in INTEGERS:
        wanted = STORED.astype(float)
        if kind == "mixed":
            wanted[:, 1] %= 256
        if kind == "log":
            wanted[:, 0] = 10 ** (4.0 * wanted[:, 0] / 1024)
            wanted[:, 2] = 10 ** (2.5 * wanted[:, 2] / 1024)
        close(read(f"{kind}.h5ad"), wanted)
    close(read("compensated.h5ad"), PLAIN, 1e-5)
    close(read("spill.h5ad"), np.c_[PLAIN[:, :3].astype(float) @ SPILL, PLAIN[:, 3]])
    assert list(read("channels.h5ad").var_names) == NAMES
    chosen = read("chosen.h5ad")
    assert list(chosen.var_names) == ["Time", "pERK"]
    close(chosen, PLAIN[:, [3, 0]])

    cells = np.concatenate([well(i) for i in range(len(WELLS))])
    sizes = [len(well(i)) for i in range(len(WELLS))]
    for name, extension in (("fcs_wells", "fcs"), ("fcs_wells2", "fcs"), ("table_wells", "csv")):
        data = read(f"{name}.h5ad")[:, MARKERS] if extension == "csv" else read(f"{name}.h5ad")
        close(data, cells)
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
        close(data, cells)
        assert list(data.obs.columns) == ["patient", "treatment", "replicate", "note"]
        assert set(data.obs["note"]) == {'say "hi", twice'}
        assert list(data.obs["patient"].astype(str)) == np.repeat([p for p, _, _ in WELLS], sizes).tolist()
    many = pd.read_pickle(folder / "many.pickle")
    for name in ("many", "many2"):
        data = read(f"{name}.h5ad")
        close(data, many.drop(columns="label").to_numpy())
        assert list(data.obs["label"].astype(str)) == list(many["label"])
        assert data.obs_names[-1] == "59999"


{"make": make, "check": check}[command]()
