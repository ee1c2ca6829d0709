#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the organoid screen of Ramos Zapatero et al. 2023 from its file at Mendeley Data.

    organoids.py Metadata_PDO_CAF_screening.zip organoids.h5ad

Download the file from https://data.mendeley.com/datasets/hc8gxwks3p. The input is the zip file or the file
Metadata_final_paper inside it, a pandas pickle. A pickle can run code, so load it only from that source.

Loading the pickle needs memory for the whole table, more than 10 GB. From there the script needs little more: it converts and
writes one block of rows at a time, and one column of obs at a time. Needs numpy, pandas and h5py.
"""
import argparse
import contextlib
import pathlib
import pickle
import zipfile

import h5py
import numpy as np
import pandas as pd

from anndata_file import BLOCK, create_frame, describe, write_labels, write_markers, write_names, write_notes
from common import InputError, complete_file, run

MEMBER = "Metadata_final_paper"
MARKERS = (
    "pHH3 RFP mCHERRY Vimentin EpCAM CK18 Pan_CK GFP IdU pPDK1 cCaspase_3 Geminin pMEK1_2 pNDRG pMKK4_SEK1 pBTK pSRC p4EBP1 "
    "pRB pAKT308 pCREB pSMAD1_5_9 pAKT473 pNF_kB pMKK3_MKK6 pP38 pMAPKAPK pAMPKa pBAD pHistone_H2A p90RSK pP120_catenin "
    "Beta_catenin_active pGSK pERK1_2 pSMAD2_3 PLK CHGA pDNAPK pS6 CD90 cPARP pCHK1 Cyclin_B1"
).split()
# Column of the pickle: column of obs. pPKCa, which most cells lack, is not a marker of the file.
LABELS = {
    "Patient": "patient", "Culture": "culture", "Treatment": "treatment", "Concentration": "concentration",
    "Replicate": "replicate", "Plate": "plate", "Cell_type": "cell_type", "Date": "date", "Batch": "batch",
}  # fmt: skip
CHUNK = 4096  # rows of a chunk of X


def read_table(path):
    """Returns the pickled DataFrame. A zip file is read without unpacking it on the disk."""
    with contextlib.ExitStack() as stack:
        if zipfile.is_zipfile(path):
            archive = stack.enter_context(zipfile.ZipFile(path))
            members = [name for name in archive.namelist() if pathlib.PurePosixPath(name).name == MEMBER]
            if len(members) != 1:
                raise InputError(f"{path}: found {len(members)} files {MEMBER}, allowed 1")
            stream = stack.enter_context(archive.open(members[0]))
        else:
            stream = stack.enter_context(open(path, "rb"))
        try:
            table = pd.read_pickle(stream, compression=None)
        except (pickle.UnpicklingError, EOFError, ValueError, AttributeError, ImportError, IndexError, KeyError, TypeError,
                zipfile.BadZipFile) as error:  # fmt: skip
            raise InputError(f"{path}: not a pickle that pandas {pd.__version__} can read: {error}") from None
    if not isinstance(table, pd.DataFrame):
        raise InputError(f"{path}: found a pickled {type(table).__name__}, allowed a pandas DataFrame")
    missing = [name for name in (*MARKERS, *LABELS) if name not in table]
    if missing:
        raise InputError(f"{path}: without column {', '.join(missing)}")
    if not len(table):
        raise InputError(f"{path}: found 0 rows, allowed 1 or more")
    texts = [name for name in MARKERS if not pd.api.types.is_numeric_dtype(table[name])]
    if texts:
        raise InputError(f"{path}: column {', '.join(texts)}: allowed numbers")
    return table


def write(table, path):
    """Writes the file and returns the number of missing values of each marker."""
    count = len(table)
    missing = np.zeros(len(MARKERS), dtype=np.int64)
    with h5py.File(path, "w") as file:
        describe(file, "anndata", "0.1.0")
        x = file.create_dataset("X", (count, len(MARKERS)), "<f4", chunks=(min(count, CHUNK), len(MARKERS)))
        describe(x, "array", "0.2.0")
        where = [table.columns.get_loc(name) for name in MARKERS]
        for begin in range(0, count, BLOCK):
            rows = table.iloc[begin : begin + BLOCK, where].to_numpy(np.float32)
            missing += np.isnan(rows).sum(axis=0)
            x[begin : begin + len(rows)] = rows
        obs = create_frame(file, "obs", LABELS.values())
        write_names(obs, count)
        for source, name in LABELS.items():
            write_labels(obs, name, table[source])
        write_markers(file, MARKERS)
        write_notes(file, {"source": "Mendeley Data, doi:10.17632/hc8gxwks3p", "value_scale": "raw ion counts, no arcsinh"})
    return missing


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", type=pathlib.Path, help=f"zip file of Mendeley Data, or {MEMBER} inside it")
    parser.add_argument("output", type=pathlib.Path, help="AnnData file to write")
    options = parser.parse_args()
    table = read_table(options.input)
    with complete_file(options.output) as path:
        missing = write(table, path)
    print(f"{options.output}: {len(table)} cells, {len(MARKERS)} markers, columns {', '.join(LABELS.values())}")
    for name, number in zip(MARKERS, missing):
        if number:
            print(f"note: {name}: {number} missing values. Leave it out with --exclude-markers {name}")


if __name__ == "__main__":
    run(main)
