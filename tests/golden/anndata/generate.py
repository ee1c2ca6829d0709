# SPDX-License-Identifier: MIT
"""Writes the small files that the tests of reading read. Usage: generate.py [FOLDER]

Needs anndata 0.8 and h5py. Run by hand; the files are committed.
"""

import pathlib
import sys

import h5py
import numpy as np

folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)


def h5py_types():
    """Types, links and storage that other programs may leave in a file."""
    with h5py.File(folder / "h5py_types.h5", "w") as file:
        file["fixed"] = np.array([b"ab", b"", b"abcd"], dtype="S4")
        space = h5py.h5t.C_S1.copy()
        space.set_size(3)
        space.set_strpad(h5py.h5t.STR_SPACEPAD)
        padded = h5py.h5d.create(file.id, b"space_padded", space, h5py.h5s.create_simple((2,)))
        padded.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([b"a  ", b"b  "], dtype="S3"), mtype=space)
        file.create_dataset("ascii_vlen", data=["x", "yz"], dtype=h5py.string_dtype("ascii"))
        file["bools"] = np.array([True, False])
        file["big_endian"] = np.array([1, 258], dtype=">i4")
        file["half"] = np.array([0.5, -2], dtype=np.float16)
        compound = np.dtype([("n", "i2"), ("name", h5py.string_dtype()), ("fixed", "S3")])
        file["compound"] = np.array([(7, "a", b"x"), (8, "bc", b"yy")], dtype=compound)
        file.attrs["fixed"] = np.bytes_(b"ab")
        file.attrs["flag"] = np.bool_(True)
        file.attrs["target"] = file["fixed"].ref
        file["external_link"] = h5py.ExternalLink("dense.h5ad", "/X")
        file["soft_to_external"] = h5py.SoftLink("/external_link")
        file["dangling"] = h5py.SoftLink("/nowhere")
        file.create_dataset("external_storage", (2,), "f4", external=[("elsewhere.bin", 0, 8)])
        layout = h5py.VirtualLayout((2,), "f4")
        layout[:] = h5py.VirtualSource("dense.h5ad", "X", shape=(2,))
        file.create_virtual_dataset("virtual", layout)


if __name__ == "__main__":
    h5py_types()
