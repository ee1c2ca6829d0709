#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares what `popflow import` reads from FCS files with FlowIO, and with NumPy where FlowIO does not read a file.

Prints one line for each data set of each file: the result of popflow, the oracle, and the largest difference. The second
oracle, `by hand`, finds keywords with regular expressions and decodes DATA with NumPy. It shares no code with popflow.

Usage: compare_fcs.py POPFLOW FILE_OR_FOLDER... [--sources S.csv] [--csv OUT.csv]

  --compensate  imports with `--compensate yes`, and multiplies the values of the oracle by the inverse of the spillover matrix
  --sources  table with the columns repository, path, commit and file, which says where each file is from
  --csv      writes the results as a table

Needs h5py and NumPy, and FlowIO for its column: pip install flowio h5py. Exit code 1 if any value differs.
"""
import argparse
import csv
import pathlib
import re
import subprocess
import tempfile
import warnings

import h5py
import numpy as np

try:
    import flowio
except ImportError:
    flowio = None
warnings.filterwarnings("ignore")
FIELDS = ["repository", "path", "commit", "bytes", "data_set", "events", "channels", "oracle", "result", "difference", "notes"]


def keyword(text, name):
    """Returns the value of a keyword, or an empty text. `text` begins with the delimiter."""
    delimiter = re.escape(text[0])
    found = re.search(f"{delimiter}\\s*{re.escape(name)}\\s*{delimiter}([^{delimiter}]*)", text, re.IGNORECASE)
    return found.group(1).strip(" \0\r\n") if found else ""


def split_sets(data):
    """Returns the bytes from the begin of each data set on, with its header and its TEXT."""
    sets, base = [], 0
    while True:
        part = data[base:]
        offsets = [int(part[at : at + 8].strip(b" \0") or 0) for at in range(10, 42, 8)]
        text = part[offsets[0] : offsets[1] + 1].decode("latin-1")
        sets.append((part, offsets, text))
        following = keyword(text, "$NEXTDATA")
        base += int(following) if following.isdigit() else 0
        if not following.isdigit() or int(following) == 0 or data[base : base + 3] != b"FCS":
            return sets


def scale(values, text):
    """Undoes the logarithmic amplification of integers."""
    values = np.asarray(values, float)
    for j in range(values.shape[1]):
        decades, _, offset = keyword(text, f"$P{j + 1}E").partition(",")
        own_type = keyword(text, f"$P{j + 1}DATATYPE") or keyword(text, "$DATATYPE")
        if decades and float(decades) > 0 and own_type.upper() in "IA":
            values[:, j] = 10 ** (float(decades) * values[:, j] / float(keyword(text, f"$P{j + 1}R"))) * (float(offset) or 1)
    return values


def unpack(data, widths, big):
    """Unpacks integers of any width. Shape [values of DATA / values of an event, len(widths)]."""
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="big" if big else "little")
    events = len(bits) // sum(widths)
    bits = bits[: events * sum(widths)].reshape(events, -1).astype(np.uint64)
    columns, at = [], 0
    for width in widths:
        powers = np.arange(width, dtype=np.uint64)
        columns.append((bits[:, at : at + width] << (powers[::-1] if big else powers)).sum(1, dtype=np.uint64))
        at += width
    return np.stack(columns, 1)


def by_hand(part, offsets, text):
    """Decodes a data set with NumPy. Shape [events, channels]."""
    channels, total = int(keyword(text, "$PAR")), int(keyword(text, "$TOT"))
    kind, big = keyword(text, "$DATATYPE").upper(), keyword(text, "$BYTEORD").replace(" ", "") in ("4,3,2,1", "2,1")
    widths = [int(keyword(text, f"$P{j + 1}B")) for j in range(channels)]
    pairs = [tuple(offsets[2:])]
    if keyword(text, "$BEGINDATA").isdigit():
        pairs.append((int(keyword(text, "$BEGINDATA")), int(keyword(text, "$ENDDATA"))))

    def fits(pair, bits):
        spare = (pair[1] - pair[0] + 1) * 8 - total * sum(bits)
        in_text = pair[0] <= offsets[1] and pair[1] >= offsets[0] + 1
        return 0 <= spare < 16 and pair[0] >= 58 and not in_text and pair[1] <= len(part)

    layouts = [widths, [-(-w // 8) * 8 for w in widths]]
    chosen = [(pair, bits) for bits in layouts for pair in pairs if fits(pair, bits)]
    # DATA may be longer than the events, but then it must begin where both sources say.
    (begin, _), widths = chosen[0] if chosen else (pairs[0], widths)
    if not chosen and len({pair[0] for pair in pairs}) > 1:
        raise ValueError("no oracle for offsets that disagree")
    data = part[begin : begin + -(-total * sum(widths) // 8)]
    if kind in "FD":
        form = (">" if big else "<") + {"F": "f4", "D": "f8"}[kind]
        return np.frombuffer(data, form).reshape(-1, channels).astype(float)
    if not big and keyword(text, "$BYTEORD").replace(" ", "") not in ("1,2,3,4", "1,2"):
        raise ValueError("no oracle for this byte order")
    ordered = unpack(data, widths, big)
    for j in range(channels):
        limit = float(keyword(text, f"$P{j + 1}R"))
        mask = 2 ** int(np.ceil(np.log2(limit))) - 1 if limit > 1 else 2**64 - 1
        ordered[:, j] &= np.uint64(min(mask, 2**64 - 1))
    return ordered.astype(float)


def by_flowio(path, number, use_header_offsets=False):
    """Reads a data set with FlowIO. Shape [events, channels]."""
    options = dict(ignore_offset_error=True, ignore_offset_discrepancy=True, use_header_offsets=use_header_offsets)
    if number > 0:
        data = flowio.read_multiple_data_sets(str(path), **options)[number]
    else:
        try:
            data = flowio.FlowData(str(path), **options)
        except flowio.exceptions.MultipleDataSetsError:
            data = flowio.read_multiple_data_sets(str(path), **options)[0]
    return np.reshape(data.events, (-1, data.channel_count)).astype(float)


def compensate(values, text):
    """Multiplies the values by the inverse of the spillover matrix."""
    names = [keyword(text, f"$P{j + 1}N") for j in range(values.shape[1])]
    matrix = next(filter(None, (keyword(text, key) for key in ("$SPILLOVER", "SPILLOVER", "SPILL"))))
    size, *parts = [part.strip() for part in matrix.split(",")]
    size = int(size)
    columns = [names.index(part) if part in names else int(part) - 1 for part in parts[:size]]
    spill = np.array(parts[size:], float).reshape(size, size)
    values[:, columns] = values[:, columns].astype(np.float32).astype(float) @ np.linalg.inv(spill)
    return values


def difference(found, expected):
    """Returns the largest difference in single precision, relative to the value where that is larger than 1."""
    expected = expected.astype(np.float32).astype(float)
    return float((np.abs(found - expected) / np.maximum(1, np.abs(expected))).max()) if found.size else 0.0


def compare(popflow, path, number, should_compensate):
    """Imports one data set and compares it. Returns the fields of a row of the table."""
    row = {"bytes": path.stat().st_size, "data_set": number + 1, "oracle": "", "difference": ""}
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder) / "out.h5ad"
        found = subprocess.run([popflow, "import", "--cells", path, "--output", output, "--data-set", str(number + 1),
                                "--compensate", "yes" if should_compensate else "no"],
                               capture_output=True, text=True)
        row["notes"] = " | ".join(line.replace(f"{path}: ", "").replace("popflow: note: ", "")
                                  for line in found.stderr.splitlines() if line.startswith("popflow: "))
        if found.returncode != 0:
            return {**row, "result": "refused"}
        with h5py.File(output) as file:
            x = file["X"][:].astype(float)
    row.update(events=x.shape[0], channels=x.shape[1], result="no oracle")
    part, offsets, text = split_sets(path.read_bytes())[number]
    oracles = {"FlowIO": lambda: by_flowio(path, number), "by hand": lambda: by_hand(part, offsets, text)}
    # Where header and keywords disagree, an option of FlowIO chooses between them.
    begin = keyword(text, "$BEGINDATA")
    if begin.isdigit() and int(begin) != offsets[2] and "of the header, not" in row["notes"]:
        oracles["FlowIO"] = lambda: by_flowio(path, number, use_header_offsets=True)
    for name, read in oracles.items():
        try:
            expected = scale(read(), text)
            if should_compensate:
                expected = compensate(expected, text)
        except Exception as error:  # the oracle does not read the file
            row["notes"] += f" | {name}: {type(error).__name__}: {' '.join(str(error).split())[:80]}"
            continue
        same_shape = expected.shape == x.shape
        largest = difference(x, expected) if same_shape else float("inf")
        row["oracle"] += (" and " if row["oracle"] else "") + name
        row["difference"] = f"{max(largest, float(row['difference'] or 0)):.1e}"
        row["result"] = "same" if float(row["difference"]) < 1e-6 else "DIFFERENT"
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("popflow")
    parser.add_argument("paths", nargs="+", type=pathlib.Path)
    parser.add_argument("--compensate", action="store_true")
    parser.add_argument("--sources", type=pathlib.Path)
    parser.add_argument("--csv", type=pathlib.Path)
    options = parser.parse_args()
    sources = {}
    if options.sources:
        with open(options.sources, newline="") as file:
            sources = {row["file"]: row for row in csv.DictReader(file)}
    rows = []
    for given in options.paths:
        for path in sorted(given.iterdir()) if given.is_dir() else [given]:
            try:
                count = len(split_sets(path.read_bytes()))
            except (ValueError, IndexError):
                count = 1
            for number in range(count):
                row = compare(options.popflow, path, number, options.compensate)
                source = sources.get(path.name, {"path": path.name})
                row.update({k: source.get(k, "") for k in ("repository", "path", "commit")})
                rows.append(row)
                print(f"{row['result']:10} {row['difference']:8} {row['oracle']:18} {row.get('events', '')} x "
                      f"{row.get('channels', '')} {row['path']} [{row['data_set']}] {row['notes']}", flush=True)
    if options.csv:
        with open(options.csv, "w", newline="") as file:
            writer = csv.DictWriter(file, FIELDS, lineterminator="\n", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
    counts = {r: sum(row["result"] == r for row in rows) for r in ("same", "no oracle", "refused", "DIFFERENT")}
    print(", ".join(f"{n} {r}" for r, n in counts.items()))
    raise SystemExit(counts["DIFFERENT"] > 0)


main()
