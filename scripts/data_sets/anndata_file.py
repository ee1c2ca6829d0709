# SPDX-License-Identifier: MIT
"""Parts of an AnnData file that scripts write with h5py, so that the names of millions of rows stay small."""
import h5py
import numpy as np
import pandas as pd

BLOCK = 65536  # rows that are converted at a time
TEXT = h5py.string_dtype("utf-8")


def describe(item, kind, version):
    item.attrs.update({"encoding-type": kind, "encoding-version": version})


def write_labels(group, name, column):
    """Writes a column of obs as a categorical of texts. A number and its text are one category, missing values have none."""
    codes, values = pd.factorize(column)
    texts = [str(value) for value in values]
    categories = sorted(set(texts))
    # The last entry is for the code -1 of a missing value.
    position = np.array([*map(categories.index, texts), -1], dtype=np.int32)
    kind = next(kind for kind in (np.int8, np.int16, np.int32) if len(categories) <= np.iinfo(kind).max)
    item = group.create_group(name)
    describe(item, "categorical", "0.2.0")
    item.attrs["ordered"] = False
    describe(item.create_dataset("categories", data=np.array(categories, dtype=object), dtype=TEXT), "string-array", "0.2.0")
    item.create_dataset("codes", data=position.astype(kind)[codes], chunks=(min(len(codes), 1 << 20),), compression="gzip")
    describe(item["codes"], "array", "0.2.0")


def write_names(group, count):
    """Writes the row numbers as names of the cells, in fixed length, which reads faster than variable length."""
    kind = h5py.string_dtype("utf-8", len(str(count - 1)))
    names = group.create_dataset("_index", (count,), kind, chunks=(min(count, BLOCK),), compression="gzip", shuffle=True)
    describe(names, "string-array", "0.2.0")
    for begin in range(0, count, BLOCK):
        end = min(begin + BLOCK, count)
        names[begin:end] = np.arange(begin, end).astype(f"S{kind.itemsize}").astype(kind)


def create_frame(file, name, columns):
    """Creates the group of a DataFrame and returns it. The caller writes its index and its columns."""
    group = file.create_group(name)
    describe(group, "dataframe", "0.2.0")
    group.attrs.update({"_index": "_index", "column-order": np.array(list(columns), dtype=TEXT)})
    return group


def write_markers(file, names):
    """Writes var with the names of the columns of X."""
    var = create_frame(file, "var", [])
    describe(var.create_dataset("_index", data=np.array(list(names), dtype=object), dtype=TEXT), "string-array", "0.2.0")


def write_notes(file, notes):
    """Writes uns, {name: text or list of texts}."""
    uns = file.create_group("uns")
    describe(uns, "dict", "0.1.0")
    for name, value in notes.items():
        is_list = isinstance(value, list)
        item = uns.create_dataset(name, data=np.array(value, dtype=object) if is_list else value, dtype=TEXT)
        describe(item, "string-array" if is_list else "string", "0.2.0")
