# SPDX-License-Identifier: MIT
"""Writes the small input files of the reader tests. Usage: generate.py [FOLDER]

Needs anndata 0.8 and h5py. Run by hand. The files are committed.
"""

import pathlib
import sys

import anndata
import h5py
import numpy as np
import pandas as pd
import scipy.sparse
from anndata.experimental import write_elem

folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)


def headers():
    """Writes objects with more attributes than fit into the first block of their header, in the oldest and newest format."""
    for libver in ("earliest", "latest"):
        with h5py.File(folder / f"headers_{libver}.h5", "w", libver=libver) as file:
            creation = h5py.h5p.create(h5py.h5p.GROUP_CREATE)
            creation.set_attr_phase_change(1000, 900)  # keeps all attributes in the header
            if libver == "latest":
                creation.set_attr_creation_order(h5py.h5p.CRT_ORDER_TRACKED)
            group = h5py.Group(h5py.h5g.create(file.id, b"obs", gcpl=creation))
            for i in range(40):
                group.attrs[f"attribute-{i}"] = i


def h5py_types():
    """Writes types, links and storage layouts that other programs may use in a file."""
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


def chunks():
    """Writes chunked datasets of all kinds. Element i of a dataset is 37 i mod 251, except in the damaged and partial ones."""
    matrix = (37 * np.arange(300 * 7) % 251).reshape(300, 7)
    gzip = {"compression": "gzip", "shuffle": True}
    with h5py.File(folder / "chunks.h5", "w") as file:
        file.create_dataset("float32_gzip", data=matrix.astype("f4"), chunks=(32, 7), **gzip)
        file.create_dataset("float64_lzf", data=matrix.astype("f8"), chunks=(32, 3), compression="lzf", shuffle=True)
        file.create_dataset("uint16_gzip", data=matrix.astype("u2"), chunks=(50, 7), compression="gzip")
        file.create_dataset("int32_list", data=matrix.ravel().astype("i4"), chunks=(100,), **gzip)
        file.create_dataset("uint8_shuffled", data=matrix.astype("u1"), chunks=(20, 4), shuffle=True)
        file.create_dataset("summed", data=matrix.astype("f4"), chunks=(32, 7), fletcher32=True, **gzip)
        file.create_dataset("big_endian", data=matrix.astype(">f4"), chunks=(32, 7), **gzip)
        file.create_dataset("cube", data=matrix.reshape(100, 3, 7).astype("f4"), chunks=(10, 3, 7), **gzip)
        file.create_dataset("contiguous", data=matrix.astype("f4"))
        # Only rows 96 to 191 are written.
        part = file.create_dataset("part_of_it", shape=(300, 7), dtype="f4", chunks=(32, 7), fillvalue=5, **gzip)
        part[96:192] = matrix[96:192]
        # Some chunks have a filter mask and are stored unfiltered.
        some = file.create_dataset("some_filtered", data=matrix.astype("f4"), chunks=(30, 7), **gzip)
        for first in (60, 150):
            some.id.write_direct_chunk((first, 0), matrix[first : first + 30].astype("f4").tobytes(), filter_mask=3)
        # Rows 2 and 3 are stored unfiltered, and row 2 is too short.
        short = file.create_dataset("short", data=matrix.astype("f4"), chunks=(1, 7), **gzip)
        for row, count in ((2, 3), (3, 7)):
            short.id.write_direct_chunk((row, 0), matrix[row, :count].astype("f4").tobytes(), filter_mask=3)
        # The same for row 19 of an X, one of the rows that the fingerprint of a data file samples.
        x = file.create_dataset("screen/X", data=matrix.astype("f4"), chunks=(1, 7), **gzip)
        x.id.write_direct_chunk((19, 0), matrix[19, :3].astype("f4").tobytes(), filter_mask=3)
        # The gzip stream of the second chunk is damaged.
        damaged = file.create_dataset("damaged", data=matrix.astype("f4"), chunks=(32, 7), **gzip)
        mask, content = damaged.id.read_direct_chunk((32, 0))
        damaged.id.write_direct_chunk((32, 0), content[:40] + b"\x00" * 8 + content[48:], filter_mask=mask)


# The screen in all .h5ad files below: 2 patients x 2 replicates, each with these populations (treatment, concentration, number
# of cells), with the cells in random order. X[:, 0] is the number of the cell in sorted order. X[:, j] is (7 cell + 3 j) mod 11
# if that is above 4, else 0.
POPULATIONS = [("AH", 0, 2), ("DMSO", 0, 3), ("O", 1, 2), ("S", 0.5, 2), ("S", 10, 3)]
MARKERS = ["cell", "pERK", "CD90", "IdU", "pHH3"]


def small_screen():
    """Returns obs, X and var of the screen."""
    rows = []
    for patient in ("P1", "P2"):
        for replicate in ("A", "B"):
            for treatment, concentration, n in POPULATIONS:
                rows += [(patient, "PDO", treatment, concentration, replicate)] * n
    obs = pd.DataFrame(rows, columns=["patient", "culture", "treatment", "concentration", "replicate"])
    obs["cell_type"] = np.where(np.arange(len(obs)) % 3 == 0, "Fibs", "PDOs")
    cell = np.arange(len(obs))[:, None]
    x = (7 * cell + 3 * np.arange(len(MARKERS))) % 11
    x[x <= 4] = 0
    x[:, :1] = cell
    order = np.random.default_rng(1).permutation(len(obs))
    obs = obs.iloc[order].copy()
    obs.index = [f"c{i}" for i in order]
    return obs, x[order], pd.DataFrame(index=MARKERS)


def write(name, x, obs, var, **how):
    """Writes an AnnData file as write_h5ad() does, but keeps columns of strings as strings."""
    with h5py.File(folder / name, "w") as file:
        file.attrs["encoding-type"] = "anndata"
        file.attrs["encoding-version"] = "0.1.0"
        write_elem(file, "X", x, dataset_kwargs=how)
        write_elem(file, "obs", obs, dataset_kwargs=how)
        write_elem(file, "var", var, dataset_kwargs=how)


def x_encodings():
    """Writes files with dense, CSR and CSC X in several number types, chunk sizes and filters."""
    obs, x, var = small_screen()
    categorical = obs.astype({c: "category" for c in obs.columns})
    anndata.AnnData(x.astype(np.float32), categorical, var, dtype=np.float32).write_h5ad(folder / "dense.h5ad")
    anndata.AnnData(scipy.sparse.csr_matrix(x.astype(np.float32)), categorical, var, dtype=np.float32).write_h5ad(
        folder / "csr_float32.h5ad"
    )
    write("dense_float64_gzip.h5ad", x.astype(np.float64), categorical, var, compression="gzip", chunks=True)
    write("dense_uint16.h5ad", x.astype(np.uint16), categorical, var)
    write("csr_int64_gzip.h5ad", scipy.sparse.csr_matrix(x.astype(np.int64)), categorical, var, compression="gzip")
    write("csc_int32.h5ad", scipy.sparse.csc_matrix(x.astype(np.int32)), categorical, var)
    unsorted = scipy.sparse.coo_matrix(x.astype(np.float64))
    swap = np.random.default_rng(2).permutation(unsorted.nnz)
    swap = swap[np.argsort(unsorted.col[swap], kind="stable")]
    starts = np.searchsorted(unsorted.col[swap], np.arange(x.shape[1] + 1))
    parts = (unsorted.data[swap], unsorted.row[swap], starts)
    write("csc_unsorted.h5ad", scipy.sparse.csc_matrix(parts, shape=x.shape), categorical, var)
    with h5py.File(folder / "dense_int32_chunks.h5ad", "w") as file:
        file.create_dataset("X", data=x.astype(np.int32), chunks=(7, 2), shuffle=True, compression="gzip")
        write_elem(file, "obs", categorical)
        write_elem(file, "var", var)
    # Compresses names and categories too. For variable-length strings the filter parameters have no element size.
    write("all_lzf.h5ad", x.astype(np.float32), categorical, var, compression="lzf")
    with h5py.File(folder / "dense_lzf.h5ad", "w") as file:
        file.create_dataset("X", data=np.tile(x, 1).astype(np.float32), chunks=(20, 5), compression="lzf")
        write_elem(file, "obs", categorical)
        write_elem(file, "var", var)


def obs_encodings():
    """Writes files whose obs columns are strings, and of other types with missing values."""
    obs, x, var = small_screen()
    x = x.astype(np.float32)
    write("obs_strings.h5ad", x, obs, var)  # concentration as float64
    typed = obs.copy()
    typed["patient"] = typed["patient"].str[1:].astype(np.int16)
    typed["replicate"] = typed["replicate"] == "A"
    typed["concentration"] = typed["concentration"].astype(np.float32).astype("category")
    typed["plate"] = pd.array(np.arange(len(typed)) * 0 + 7, dtype="Int64")
    typed.loc[typed.index[3], "plate"] = pd.NA
    typed.loc[typed.index[5], "treatment"] = np.nan
    typed["treatment"] = typed["treatment"].astype("category")
    write("obs_typed.h5ad", x, typed, var)


def fixed_length(column):
    """Returns a column as fixed-length strings."""
    return column.astype(str).to_numpy().astype("S")


def old_layouts():
    """Writes the layouts of anndata 0.6 and 0.7."""
    obs, x, var = small_screen()
    with h5py.File(folder / "layout_0_7.h5ad", "w") as file:
        matrix = scipy.sparse.csr_matrix(x.astype(np.float32))
        group = file.create_group("X")
        group.attrs["encoding-type"] = "csr_matrix"
        group.attrs["encoding-version"] = "0.1.0"
        group.attrs["shape"] = matrix.shape
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(matrix, name)
        for name, table in (("obs", obs), ("var", var)):
            group = file.create_group(name)
            group.attrs["encoding-type"] = "dataframe"
            group.attrs["encoding-version"] = "0.1.0"
            group.attrs["_index"] = "names"
            group.attrs["column-order"] = np.array(list(table.columns), dtype=h5py.string_dtype())
            group.create_dataset("names", data=list(table.index), dtype=h5py.string_dtype())
            for column in table.columns:
                category = table[column].astype("category").cat
                values = category.categories.to_numpy()
                text = values.dtype == object
                stored = group.create_dataset(
                    "__categories/" + column, data=values, dtype=h5py.string_dtype() if text else None
                )
                stored.attrs["ordered"] = False
                group[column] = category.codes.to_numpy()
                group[column].attrs["categories"] = stored.ref
    with h5py.File(folder / "layout_0_6.h5ad", "w") as file:
        matrix = scipy.sparse.csr_matrix(x.astype(np.float32))
        group = file.create_group("X")
        group.attrs["h5sparse_format"] = "csr"
        group.attrs["h5sparse_shape"] = matrix.shape
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(matrix, name)
        columns = [fixed_length(obs.index.to_series())]
        types = [("index", columns[0].dtype)]
        for column in obs.columns:
            if column == "treatment":
                category = obs[column].astype("category").cat
                file["uns/treatment_categories"] = category.categories.to_numpy().astype("S")
                columns.append(category.codes.to_numpy())
            else:
                columns.append(obs[column].to_numpy() if column == "concentration" else fixed_length(obs[column]))
            types.append((column, columns[-1].dtype))
        file["obs"] = np.array(list(zip(*columns)), dtype=types)
        file["var"] = np.array([(m.encode(),) for m in MARKERS], dtype=[("index", "S8")])


if __name__ == "__main__":
    print("anndata", anndata.__version__, "h5py", h5py.__version__, "numpy", np.__version__)
    headers()
    h5py_types()
    chunks()
    x_encodings()
    obs_encodings()
    old_layouts()
