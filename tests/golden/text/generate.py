# SPDX-License-Identifier: MIT
"""Writes files with variable-length strings in all forms that HDF5 allows. Usage: generate.py [FOLDER]

Needs h5py. Run by hand. The files are committed.
"""

import pathlib
import sys

import h5py
import numpy as np

folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
text = h5py.string_dtype()
names = ["a", "", "a longer one", "é"]


def fill(file):
    """Writes a dataset, an attribute and a compound dataset with strings."""
    file.create_dataset("names", data=names, dtype=text)
    file.attrs.create("labels", names, dtype=text)
    compound = np.dtype([("n", "i2"), ("name", text), ("note", text), ("x", "f8")])
    file["compound"] = np.array([(i, name, "note " + name, i / 2) for i, name in enumerate(names)], dtype=compound)


def small_sizes(path):
    """Creates a file with addresses and lengths of 4 bytes."""
    properties = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    properties.set_sizes(4, 4)  # bytes of an address, bytes of a length
    return h5py.File(h5py.h5f.create(str(path).encode(), h5py.h5f.ACC_TRUNC, properties))


def unwritten(file):
    """Writes datasets that are empty or only partly written."""
    file.create_dataset("nothing", (3,), dtype=text)
    file.create_dataset("nothing_in_chunks", (3,), dtype=text, chunks=(2,))
    file.create_dataset("fill", (3,), dtype=text, fillvalue="none")
    file.create_dataset("fill_in_chunks", (3,), dtype=text, chunks=(2,), fillvalue="none")
    file.create_dataset("part", (4,), dtype=text, chunks=(2,))[0] = "x"
    file.create_dataset("part_and_fill", (4,), dtype=text, chunks=(2,), fillvalue="none")[0] = "x"
    grown = file.create_dataset("grown", data=["p", "q"], dtype=text, chunks=(2,), maxshape=(None,))
    grown.resize((5,))
    early = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    early.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    kind = h5py.h5t.py_create(text, logical=True)
    h5py.h5d.create(file.id, b"early", kind, h5py.h5s.create_simple((3,)), early)
    file.create_dataset("compound", (3,), dtype=np.dtype([("n", "i4"), ("name", text)]))
    h5py.h5a.create(file.id, b"labels", kind, h5py.h5s.create_simple((2,)))


with h5py.File(folder / "plain.h5", "w") as file:
    fill(file)
with h5py.File(folder / "userblock.h5", "w", userblock_size=512) as file:
    fill(file)
with small_sizes(folder / "small_sizes.h5") as file:
    fill(file)
with h5py.File(folder / "newest.h5", "w", libver="latest") as file:
    fill(file)
with h5py.File(folder / "unwritten.h5", "w") as file:
    unwritten(file)
