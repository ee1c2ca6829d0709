#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the raster of the population density for `popflow simulate supply-demand --density` from its GeoTIFF.

    git clone https://github.com/geocompx/geocompy
    git -C geocompy checkout f63e1f09393ec2b76c35e8103dbed5249a9dcaf2
    population_density.py geocompy/data/gpw_v4_population_density_rev11_2020_15_min.tif density.h5

The output has the dataset `population_density` [720, 1440], people per square kilometre, from north to south and from 180 degrees
west. Cells without data get the density 0. Needs numpy, h5py and Pillow. README.md states the licence.
"""
import argparse

import h5py
import numpy as np
from PIL import Image, UnidentifiedImageError

from common import InputError, complete_file, run


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("raster")
    parser.add_argument("output")
    options = parser.parse_args()
    try:
        with Image.open(options.raster) as image:
            density = np.asarray(image)
    except UnidentifiedImageError:
        raise InputError(f"{options.raster}: is no image. Give the .tif file of the data set") from None
    if density.ndim != 2 or density.shape[1] != 2 * density.shape[0]:
        raise InputError(f"{options.raster}: has the shape {density.shape}, expected one band of N x 2 N cells, such as 720 x 1440")
    density = np.where(density > 0, density, 0).astype(np.float32)
    if not density.any():
        raise InputError(f"{options.raster}: has no cell with a density above 0. Give the file of the population density")
    with complete_file(options.output) as path, h5py.File(path, "w") as file:
        file.create_dataset("population_density", data=density, compression="gzip").attrs["unit"] = "people per square kilometre"
    print(f"{options.output}: {density.shape[0]} x {density.shape[1]} cells, {np.count_nonzero(density)} with people")


if __name__ == "__main__":
    run(main)
