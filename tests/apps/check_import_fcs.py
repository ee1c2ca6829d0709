# SPDX-License-Identifier: MIT
"""Writes FCS files that deviate from the standard, imports them, and checks the result with h5py and NumPy.

Usage: check_import_fcs.py POPFLOW FOLDER
"""
import pathlib
import subprocess
import sys

import h5py
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "support"))
import fcs_file  # noqa: E402

popflow, folder = sys.argv[1], pathlib.Path(sys.argv[2])
random = np.random.default_rng(5)
CELLS = random.gamma(2.0, 30.0, size=(200, 4)).astype(np.float32)
COUNTS = random.integers(0, 1024, size=(200, 3))
NAMES = ["Time", "FL1-A", "FL1-H", "FL2-A"]
STAINS = ["", "CD4", "CD8", "CD3"]
checks = 0


def run(name, *options):
    """Imports NAME.fcs. Returns the exit code and the lines of standard error."""
    found = subprocess.run([popflow, "import", "--cells", folder / f"{name}.fcs", "--output", folder / f"{name}.h5ad",
                            *options], capture_output=True, text=True)
    return found.returncode, [line for line in found.stderr.splitlines() if line.startswith("popflow: ")]


def check(name, expected, *options, markers=None, notes=()):
    """Checks that a file is imported with these values, names of markers, and words of its notes, one for each note."""
    global checks
    checks += 1
    code, lines = run(name, *options)
    assert code == 0, f"{name}: {lines}"
    with h5py.File(folder / f"{name}.h5ad") as file:
        x, found = file["X"][:], [m.decode() for m in file["var/_index"][:]]
    assert x.shape == np.shape(expected), f"{name}: {x.shape}"
    np.testing.assert_allclose(x, expected, rtol=1e-6, err_msg=name)
    assert markers is None or found == markers, f"{name}: {found}"
    assert len(lines) == len(notes), f"{name}: {lines}"
    for line, words in zip(lines, notes):
        assert line.startswith("popflow: note: ") and words in line, f"{name}: no '{words}' in {line}"


def refuse(name, words, *options):
    """Checks that a file is refused in one line that contains `words` and the name of the file."""
    global checks
    checks += 1
    code, lines = run(name, *options)
    assert code == 2 and len(lines) == 1, f"{name}: {code}, {lines}"
    assert words in lines[0] and f"{name}.fcs" in lines[0], f"{name}: no '{words}' in {lines[0]}"


def write(name, values=CELLS, names=NAMES, **options):
    fcs_file.write(folder / f"{name}.fcs", values, names, **options)
    return folder / f"{name}.fcs"


def header_of(path):
    """Returns the offsets of TEXT and DATA in the header."""
    head = path.read_bytes()[:58]
    return [int(head[at : at + 8]) for at in range(10, 42, 8)]


def places():
    """Ranges of DATA that disagree."""
    text_begin, text_end, begin, end = header_of(write("plain"))
    write("header_in_text", header={2: begin - 160, 3: end - 160})
    check("header_in_text", CELLS, notes=["which overlap TEXT"])
    write("header_short", header={3: end - 16})
    check("header_short", CELLS)
    write("header_far", header={2: begin + 99, 3: end + 99})
    check("header_far", CELLS, notes=["which leave the file"])
    wrong = {"$BEGINDATA": f"{begin - 99:012d}", "$ENDDATA": f"{end - 99:012d}"}
    write("keywords_in_text", extra=wrong)
    check("keywords_in_text", CELLS, notes=["of the header"])
    write("both_possible", extra={"$BEGINDATA": f"{begin + 16:012d}", "$ENDDATA": f"{end + 16:012d}"}, tail=b" " * 32)
    check("both_possible", CELLS, notes=["of the header"])
    write("one_too_far", header={3: end + 1}, extra={"$ENDDATA": f"{end + 1:012d}"})
    check("one_too_far", CELLS)
    write("neither", header={2: begin - 160, 3: end - 160}, extra={"$BEGINDATA": f"{begin + 16:012d}",
                                                                   "$ENDDATA": f"{end + 16:012d}"})
    refuse("neither", "in the header, which overlap TEXT")
    refuse("neither", "in $BEGINDATA and $ENDDATA, which leave the file")
    write("total", extra={"$TOT": 201})
    refuse("total", "which hold 200 of the 201 events")


def texts():
    """Values that are empty, and what follows the last delimiter."""
    integer = dict(datatype="I", bits=[16] * 3, ranges=[1024] * 3, names=NAMES[1:], values=COUNTS)
    log = 10 ** (4.0 * COUNTS / 1024)
    expected = np.c_[log[:, 0], COUNTS[:, 1:]]
    write("log", **integer, log={0: "4.0,0"})
    check("log", expected)
    write("empty_before_scale", **integer, drop=["$P1E"], extra={"$SRC": "", "$P1E": "4.0,0"})
    check("empty_before_scale", expected)
    write("empty_before_stain", **integer, stains=["", "CD8", "CD3"], extra={"$SRC": "", "$P1S": "CD4"})
    check("empty_before_stain", COUNTS, markers=["CD4", "CD8", "CD3"], notes=["keywords without values: $P1S"])
    write("empty_before_par", **integer, drop=["$PAR"], extra={"$SRC": "", "$PAR": 3})
    check("empty_before_par", COUNTS)
    write("empty_last", **integer, extra={"$OP": ""})
    check("empty_last", COUNTS)
    write("escaped", **integer, stains=["a/b", "", "c/"], extra={"$OP": "", "NOTE": "//x/"})
    check("escaped", COUNTS, markers=["a/b", "FL1-H", "c/"])
    for k, tail in enumerate([b"\0" * 8, b"   ", b"\r\n", b"\1\377junk"]):
        path = write(f"tail{k}", stains=STAINS)
        text_begin, text_end, begin, end = header_of(path)
        data = path.read_bytes()
        # Moves DATA behind the tail. The keywords keep the offsets without it, so the header decides.
        fields = [text_begin, text_end + len(tail), begin + len(tail), end + len(tail)]
        head = data[:10] + b"".join(str(f).rjust(8).encode() for f in fields) + data[42:text_begin]
        path.write_bytes(head + data[text_begin:begin] + tail + data[begin:])
        check(f"tail{k}", CELLS, markers=["Time", "CD4", "CD8", "CD3"], notes=["of the header"])
    write("supplement", extra={"$BEGINSTEXT": 999999, "$ENDSTEXT": 1000000})
    check("supplement", CELLS, notes=["supplemental TEXT is ignored"])


def packed_bytes(values, widths, order):
    """Packs integers without gaps. Big-endian streams begin with the highest bits."""
    bits = []
    for row in values:
        for value, width in zip(row, widths):
            digits = [int(value) >> k & 1 for k in range(width)]
            bits += digits[::-1] if order == "big" else digits
    return np.packbits(np.array(bits, np.uint8), bitorder=order).tobytes()


def write_integers(name, values, widths, data, order, **options):
    """Writes integers of any width, whose bytes are given."""
    path = write(name, np.zeros((len(values), len(widths))), [f"c{j}" for j in range(len(widths))], datatype="I",
                 bits=[8] * len(widths), ranges=[2**w for w in widths], big=order == "big",
                 extra={f"$P{j + 1}B": w for j, w in enumerate(widths)}, **options)
    whole = path.read_bytes()
    begin = header_of(path)[2]
    path.write_bytes(whole[:26] + str(begin).rjust(8).encode() + str(begin + len(data) - 1).rjust(8).encode()
                     + whole[42:begin] + data)


def layouts():
    mixed = write("types", CELLS[:, :2], NAMES[:2], version="FCS3.2", extra={"$P1DATATYPE": "I"})
    begin = header_of(mixed)[2]
    raw = b"".join(np.uint32(i).tobytes() + np.float32(v).tobytes() for i, v in enumerate(CELLS[:, 1]))
    mixed.write_bytes(mixed.read_bytes()[:begin] + raw)
    check("types", np.c_[np.arange(200), CELLS[:, 1]])
    write("v3_2", version="FCS3.2")
    check("v3_2", CELLS)
    for order in ("little", "big"):
        widths = [10, 12, 3, 7]
        values = np.c_[COUNTS[:, 0], COUNTS[:, 1] * 4, COUNTS[:, :2] % [8, 128]][:, :4]
        write_integers(f"packed_{order}", values, widths, packed_bytes(values, widths, order), order)
        check(f"packed_{order}", values)
        write_integers(f"padded_{order}", COUNTS, [10] * 3,
                       COUNTS.astype("<u2" if order == "little" else ">u2").tobytes(), order)
        check(f"padded_{order}", COUNTS, notes=["stored in whole bytes"])
    write_integers("pdp", COUNTS, [32] * 3, (COUNTS << 16 | COUNTS >> 16).astype("<u4").tobytes(), "little")
    path = folder / "pdp.fcs"
    path.write_bytes(path.read_bytes().replace(b"$BYTEORD/1,2,3,4", b"$BYTEORD/3,4,1,2"))
    check("pdp", COUNTS)
    text = "\n".join(" ".join(str(v) for v in row) for row in COUNTS).encode()
    write_integers("ascii", COUNTS, [8] * 3, text, "little")
    data = (folder / "ascii.fcs").read_bytes().replace(b"$DATATYPE/I", b"$DATATYPE/A")
    for j in (1, 2, 3):
        data = data.replace(f"$P{j}B/8".encode(), f"$P{j}B/*".encode())
    (folder / "ascii.fcs").write_bytes(data)
    check("ascii", COUNTS)
    first = write("set1", version="FCS2.0", extra={"$NEXTDATA": f"{0:010d}"}).read_bytes()
    second = write("set2", CELLS[::-1]).read_bytes()
    first = first.replace(b"$NEXTDATA/0000000000", f"$NEXTDATA/{len(first):010d}".encode())
    (folder / "sets.fcs").write_bytes(first + second)
    check("sets", CELLS, notes=["data set 1 of 2 is imported"])
    check("sets", CELLS[::-1], "--data-set", "2", notes=["data set 2 of 2 is imported"])
    refuse("sets", "found 2 data sets, but --data-set asks for number 3", "--data-set", "3")


def channels():
    hole = CELLS.copy()
    hole[3, 0] = np.nan
    write("hole", hole, stains=STAINS)
    check("hole", CELLS[:, 1:], "--exclude-markers", "Time")
    check("hole", CELLS[:, [3, 1]], "--markers", "CD3,CD4")
    refuse("hole", "Time: event 4: found nan, which is no finite number: leave the channel out with --exclude-markers")
    write("twice", stains=["", "CD4", "CD4", "CD8"])
    both = ["CD4 (FL1-A)", "CD4 (FL1-H)"]
    note = "several channels are named CD4: CD4 (FL1-A), CD4 (FL1-H)"
    check("twice", CELLS, markers=["Time", *both, "CD8"], notes=[note])
    check("twice", CELLS[:, [2]], "--markers", "CD4 (FL1-H)", markers=[both[1]], notes=[note])
    check("twice", CELLS[:, [1, 3]], "--exclude-markers", "FL1-H,Time", markers=[both[0], "CD8"], notes=[note])
    check("twice", CELLS[:, [0, 3]], "--exclude-markers", "CD4", markers=["Time", "CD8"])
    refuse("twice", "CD4: found 2 channels of that name", "--markers", "CD4")
    spill = np.array([[1, 0.25], [0.5, 1]])
    for key in ("$SPILLOVER", "SPILL", "SPILLOVER"):
        measured = CELLS.astype(float)
        measured[:, 1:3] = measured[:, 1:3] @ spill
        write("spill", measured, extra={key: "2,FL1-A,FL1-H,1,0.25,0.5,1"})
        check("spill", CELLS, "--compensate", "yes", notes=[f"compensated with {key}"])
        write("singular", extra={key: "2,FL1-A,FL1-H,1,1,1,1"})
        refuse("singular", f"{key}: found a singular matrix", "--compensate", "yes")
    write("comp", extra={"$COMP": "4,0,-1,0,0,0,0,0,0,0,0,0,0,0,0,0,0"})
    refuse("comp", "$COMP: found percentages, which the instrument has already subtracted", "--compensate", "yes")
    hole[3, 0], hole[5, 1] = 0, np.inf
    write("spill_hole", hole, extra={"SPILL": "2,FL1-A,FL1-H,1,0,0,1"})
    refuse("spill_hole", "event 6: found inf, which is no finite number: the compensation needs it", "--compensate", "yes",
           "--markers", "FL1-H")


for part in (places, texts, layouts, channels):
    part()
print(f"{checks} imports")
