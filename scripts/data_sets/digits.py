#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the file of MNIST digits for `popflow ot` from the files of the MNIST test set.

    git clone https://github.com/kelas/mnist && git -C mnist checkout 283b387221ab46655e600cfcc25d843bb14292b9
    digits.py mnist/t10k-images-idx3-ubyte.gz mnist/t10k-labels-idx1-ubyte.gz digits.h5ad

A row is one of 10,000 images of 28 x 28 pixels, and a column is a pixel, row by row from the top left. obs has the digit and a
split: rows 0 to 3999 and 5000 to 8999 train, 4000 to 4499 and 9000 to 9499 validation, the others test, because the first half
of the set is cleaner than the second. varm has the positions of the pixels: `position` on the unit square (x = column / 27,
y = 1 - row / 27), and `position_1d` on a line (k / 783), where the figures published for Meta OT place them. Needs numpy, pandas
and anndata. README.md states the licence.
"""
import argparse
import gzip

import anndata
import numpy as np
import pandas as pd

from common import InputError, complete_file, run

SIDE = 28


def read_idx(path, dimensions):
    """Returns the array of an IDX file of bytes, compressed by gzip."""
    try:
        with gzip.open(path) as file:
            data = file.read()
    except (gzip.BadGzipFile, EOFError):
        raise InputError(f"{path}: is not compressed by gzip. Give the .gz file of the data set") from None
    shape = tuple(int.from_bytes(data[4 + 4 * k:8 + 4 * k], "big") for k in range(dimensions))
    if data[:4] != bytes([0, 0, 8, dimensions]) or len(data) != 4 + 4 * dimensions + int(np.prod(shape)):
        raise InputError(f"{path}: is no IDX file of bytes with {dimensions} dimensions. Download it again")
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def split_of(row):
    """Returns the part of an image."""
    return "train" if row % 5000 < 4000 else "validation" if row % 5000 < 4500 else "test"


def read_digits(images_path, labels_path):
    """Returns the images (number, 28, 28) and their digits."""
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if images.shape[1:] != (SIDE, SIDE):
        raise InputError(f"{images_path}: has images of {images.shape[1]} x {images.shape[2]} pixels, expected {SIDE} x {SIDE}")
    if len(images) != len(labels):
        raise InputError(f"{labels_path}: has {len(labels)} labels for {len(images)} images. Give the files of one set")
    return images, labels


def parse_files(description):
    """Returns the command line: images, labels and output."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images")
    parser.add_argument("labels")
    parser.add_argument("output")
    return parser.parse_args()


def main():
    options = parse_files(__doc__)
    images, labels = read_digits(options.images, options.labels)
    obs = pd.DataFrame({"digit": pd.Categorical(labels.astype(str)), "split": pd.Categorical([split_of(k) for k in range(len(images))])},
                       index=[f"d{k:05}" for k in range(len(images))])
    row, column = np.divmod(np.arange(SIDE**2), SIDE)
    var = pd.DataFrame(index=[f"p{k:03}" for k in range(SIDE**2)])
    adata = anndata.AnnData(images.reshape(len(images), -1).astype(np.float32), obs=obs, var=var)
    adata.X = adata.X.astype(np.uint8)
    adata.varm["position"] = np.stack([column / (SIDE - 1), 1 - row / (SIDE - 1)], 1)
    adata.varm["position_1d"] = np.arange(SIDE**2)[:, None] / (SIDE**2 - 1)
    with complete_file(options.output) as path:
        adata.write_h5ad(path, compression="gzip")
    print(f"{options.output}: {len(images)} images")


if __name__ == "__main__":
    run(main)
