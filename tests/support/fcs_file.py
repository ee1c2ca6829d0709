# SPDX-License-Identifier: MIT
"""Writes FCS files as the standard describes them (FCS 3.1, Spidlen et al. 2010, and the differences of 2.0 and 3.0).

For tests only: any argument may be invalid on purpose.
"""
import numpy as np

CODES = {"I": "u", "F": "f", "D": "f"}


def write(path, values, names, *, version="FCS3.1", datatype="F", big=False, bits=None, ranges=None, stains=None,
          log=None, delimiter="/", in_text=False, extra=None, drop=(), header=None, supplement=None, tail=b""):
    """Writes one data set.

    Args:
        values: shape [events, parameters]. Integers are written as stored values.
        names: $PnN of each parameter.
        datatype: "I", "F" or "D".
        big: whether the byte order is big-endian.
        bits, ranges, stains: $PnB, $PnR and $PnS of each parameter.
        log: $PnE by index of the parameter.
        in_text: writes 0 for the offsets of DATA in the header.
        extra: keywords that are added or replaced.
        drop: keywords that are left out.
        header: offsets of the header that are replaced, by index.
        supplement: keywords of a supplemental TEXT segment after DATA.
        tail: bytes after the last segment.
    """
    n, d = values.shape
    bits = bits or [64 if datatype == "D" else 32] * d
    order = ">" if big else "<"
    columns = []
    for j in range(d):
        if bits[j] in (8, 16, 32, 64):
            column = values[:, j].astype(f"{order}{CODES[datatype]}{bits[j] // 8}")
            columns.append(column.view(np.uint8).reshape(n, -1))
        else:  # widths such as 24 bits
            wide = values[:, j].astype(">u8").view(np.uint8).reshape(n, 8)[:, 8 - bits[j] // 8:]
            columns.append(wide if big else wide[:, ::-1])
    data = np.concatenate(columns, 1).tobytes()
    order4 = "4,3,2,1" if big else "1,2,3,4"
    keywords = {"$PAR": d, "$TOT": n, "$MODE": "L", "$DATATYPE": datatype, "$BYTEORD": order4, "$NEXTDATA": 0}
    for j, name in enumerate(names, 1):
        keywords[f"$P{j}B"] = bits[j - 1]
        keywords[f"$P{j}N"] = name
        keywords[f"$P{j}R"] = ranges[j - 1] if ranges else 262144
        keywords[f"$P{j}E"] = (log or {}).get(j - 1, "0,0")
        if stains and stains[j - 1]:
            keywords[f"$P{j}S"] = stains[j - 1]
    for name in drop:
        del keywords[name]

    def text_of(pairs):
        escape = lambda v: str(v).replace(delimiter, 2 * delimiter)
        out = delimiter + "".join(f"{escape(k)}{delimiter}{escape(v)}{delimiter}" for k, v in pairs.items())
        return out.encode("utf-8" if version == "FCS3.1" else "latin-1")

    places = {"$BEGINDATA": 0, "$ENDDATA": 0}
    if version != "FCS2.0":
        places.update({"$BEGINSTEXT": 0, "$ENDSTEXT": 0, "$BEGINANALYSIS": 0, "$ENDANALYSIS": 0})
    supplemental = text_of(supplement) if supplement else b""
    for _ in range(2):  # all offsets have the same number of digits, so the second pass has the final ones
        padded = {k: f"{v:012d}" for k, v in places.items()}
        text = text_of({**keywords, **padded, **(extra or {})})
        begin = 256 + len(text)
        places["$BEGINDATA"], places["$ENDDATA"] = begin, begin + len(data) - 1
        if supplement:
            places["$BEGINSTEXT"], places["$ENDSTEXT"] = begin + len(data), begin + len(data) + len(supplemental) - 1
    fields = [256, 256 + len(text) - 1, 0 if in_text else begin, 0 if in_text else begin + len(data) - 1, 0, 0]
    for i, value in (header or {}).items():
        fields[i] = value
    head = version.encode() + b"    " + b"".join(str(f).rjust(8).encode() for f in fields)
    with open(path, "wb") as file:
        file.write(head.ljust(256) + text + data + supplemental + tail)
