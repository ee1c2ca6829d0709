#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds point clouds of the 26 capitals of hundreds of typefaces.

    font_letters.py PACKAGES letters_fonts.h5ad --download

PACKAGES is a folder with the unpacked font packages of Debian 12, PACKAGES/NAME. --download fetches and unpacks the missing
ones there, without installing them. Without it, use `apt-get download` and `dpkg-deb -R`.

font_faces.tsv lists the faces: package, version, file, face and part. The test faces are whole packages. A package has at most 8
faces. Copies, and faces that do not look like Latin capitals, are not in the list. --faces gives another list.

A cloud has 256 points that are uniform on the filled pixels of a letter, rendered at 160 pixels: a random pixel, and a random
place in it. The median height of the capitals of a face is 2. The box of each letter is centred. The coordinates are
multiples of 1/128. Letters without a glyph are left out. obs has `population` (letter and face), `treatment` (the letter), `patient` (the face), `culture` (the
package) and `part`. Needs numpy, pandas, h5py and Pillow.
"""
import argparse
import csv
import pathlib
import string
import sys

import numpy as np
from PIL import ImageFont, features

from clouds import SEED, package_version, random_of, rounded, unpacked_package, write_clouds
from common import InputError, run

LETTERS = string.ascii_uppercase
PIXELS = 160
POINTS = 256
STEP = 1 / 128
NO_CHARACTER = "\uffff"  # drawn as the glyph of a missing character
FACES = pathlib.Path(__file__).with_name("font_faces.tsv")
COLUMNS = ["package", "version", "file", "face", "part"]


def read_faces(path):
    """Returns the rows of the list of faces as dictionaries."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    if not rows or any(list(row) != COLUMNS or None in row.values() for row in rows):
        raise InputError(f"{path}: is no list of faces. The columns must be {', '.join(COLUMNS)}, separated by tabs")
    bad = [row["part"] for row in rows if row["part"] not in ("train", "test")]
    if bad:
        raise InputError(f"{path}: column part: found '{bad[0]}', allowed are train and test")
    if len({row["face"] for row in rows}) < len(rows):
        raise InputError(f"{path}: column face: a face is listed twice. Remove one of the rows")
    return rows


def pixels_of(font, letter):
    """Returns the filled pixels (rows, columns) of a letter."""
    mask = font.getmask(letter, mode="L")
    return np.array(mask, np.uint8).reshape(mask.size[::-1]) > 127


def filled_pixels(path, face, letters=LETTERS):
    """Returns {letter: filled pixels} of a font file, whose name must be `face`, without the letters that have no glyph."""
    try:
        # Without Raqm: the glyphs do not depend on the libraries of the machine for complex scripts.
        font = ImageFont.truetype(str(path), PIXELS, layout_engine=ImageFont.Layout.BASIC)
    except OSError:
        raise InputError(f"{path}: not found or no font. Use the version of the package in {FACES.name}") from None
    found = " ".join(map(str, font.getname()))
    if found != face:
        raise InputError(f"{path}: has face '{found}', expected '{face}'. Use the version of the package in {FACES.name}")
    missing = pixels_of(font, NO_CHARACTER)
    pixels = {letter: pixels_of(font, letter) for letter in letters}
    return {letter: mask for letter, mask in pixels.items() if mask.any() and not np.array_equal(mask, missing)}


def height_of(pixels):
    """Returns the height of the filled pixels."""
    return np.ptp(np.nonzero(pixels.any(1))[0]) + 1


def cloud_of(pixels, scale, random):
    """Returns POINTS points on the filled pixels, in units of `scale` a pixel, with the box of the pixels centred."""
    row, column = np.nonzero(pixels)
    middle = np.array([column.min() + column.max() + 1, row.min() + row.max() + 1]) / 2
    chosen = random.integers(len(row), size=POINTS)
    points = np.stack([column[chosen], row[chosen]], 1) + random.random((POINTS, 2)) - middle
    return rounded(points * [scale, -scale], STEP)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", help="folder of the unpacked packages")
    parser.add_argument("output", help="AnnData file to write")
    parser.add_argument("--download", action="store_true", help="fetch and unpack packages that are missing")
    parser.add_argument("--faces", default=FACES, help="list of faces (default: font_faces.tsv)")
    options = parser.parse_args()
    faces = read_faces(options.faces)
    folders = {row["package"]: unpacked_package(options.packages, row["package"], options.download) for row in faces}
    versions = {package: package_version(folder) for package, folder in folders.items()}
    for package, version in sorted({(row["package"], row["version"]) for row in faces}):
        if version != versions[package]:
            print(f"{package}: version {versions[package]} instead of {version}: the letters can differ", file=sys.stderr)
    clouds, missing = {}, []
    for row in faces:
        face = row["face"]
        pixels = filled_pixels(folders[row["package"]] / "usr/share" / row["file"], face)
        missing += [f"{letter} {face}" for letter in LETTERS if letter not in pixels]
        if not pixels:
            raise InputError(f"{options.faces}: face '{face}' has no capitals. Remove it from the list")
        scale = 2 / np.median([height_of(mask) for mask in pixels.values()])
        for letter, mask in pixels.items():
            clouds[letter, face] = cloud_of(mask, scale, random_of("letter", row["package"], face, letter))
    if missing:
        print(f"left out {len(missing)} letters without a glyph: {', '.join(missing)}")
    of_face = {row["face"]: row for row in faces}
    keys = sorted(clouds)
    columns = {"population": [f"{letter} {face}" for letter, face in keys], "treatment": [letter for letter, _ in keys],
               "patient": [face for _, face in keys], "culture": [of_face[face]["package"] for _, face in keys],
               "part": [of_face[face]["part"] for _, face in keys]}  # fmt: skip
    notes = {"source": "font packages of Debian 12", "licence": "of each package: PACKAGE/usr/share/doc/PACKAGE/copyright", "seed": str(SEED),
             "packages": [f"{package} {version}" for package, version in sorted(versions.items())],
             "freetype": features.version("freetype2")}  # fmt: skip
    write_clouds(options.output, [clouds[key] for key in keys], columns, "xy", notes)


if __name__ == "__main__":
    run(main)
