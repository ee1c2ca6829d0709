#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds point clouds of the digits of the MNIST test set.

    git clone https://github.com/kelas/mnist && git -C mnist checkout 283b387221ab46655e600cfcc25d843bb14292b9
    digit_clouds.py mnist/t10k-images-idx3-ubyte.gz mnist/t10k-labels-idx1-ubyte.gz digit_clouds.h5ad

A cloud is an image: one point at a uniformly random place in each pixel above 127. The coordinates are x = (column - 14) / 10
and y = (14 - row) / 10, in steps of 1/128. obs has `population` (row of the image), `treatment` (`digit_0` to `digit_9`) and
`part`, the split of digits.py. Needs numpy, pandas and anndata. README.md states the licence.
"""

import numpy as np

from clouds import SEED, random_of, rounded, write_clouds
from common import InputError, run
from digits import parse_files, read_digits, split_of

THRESHOLD = 127
STEP = 1 / 128


def cloud_of(image, random):
    """Returns the points of an image (28, 28), in the order of its pixels."""
    row, column = np.nonzero(image > THRESHOLD)
    down, right = random.random((2, len(row)))
    return rounded(np.stack([column + right - 14, 14 - row - down], 1) / 10, STEP)


def main():
    options = parse_files(__doc__)
    images, labels = read_digits(options.images, options.labels)
    names = [f"{k:05}" for k in range(len(images))]
    clouds = [cloud_of(image, random_of("digit", name)) for image, name in zip(images, names)]
    empty = [name for name, cloud in zip(names, clouds) if not len(cloud)]
    if empty:
        raise InputError(f"{options.images}: image {empty[0]} has no pixel above {THRESHOLD}. Download the file again")
    columns = {"population": names, "treatment": [f"digit_{label}" for label in labels], "part": [split_of(k) for k in range(len(images))]}
    notes = {"source": "MNIST test set of Y. LeCun and C. Cortes", "licence": "CC BY-SA 3.0", "seed": str(SEED)}
    write_clouds(options.output, clouds, columns, "xy", notes)


if __name__ == "__main__":
    run(main)
