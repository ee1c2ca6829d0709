#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds point clouds of airplanes or of furniture from the 3-D models of two Debian packages.

    shapes3d.py airplanes PACKAGES airplanes.h5ad --download
    shapes3d.py furniture PACKAGES furniture.h5ad --download

PACKAGES is a folder with the unpacked packages, PACKAGES/flightgear-data-ai and PACKAGES/sweethome3d-furniture. --download
fetches and unpacks them there, without installing them. Without it, use `apt-get download` and `dpkg-deb -R`.

A cloud has 2048 points that are uniform on the surface of the model, z up. Its box is centred and its longest side is 2. The
coordinates are multiples of 1/256. The noses of airplanes are at -x. obs has `population`, `treatment` (the class), `patient`
(the model), `name`, `culture` (its catalogue), `creator`, `licence` and `part`. The models of shapes3d_test.txt are the test
part. Needs numpy, pandas and h5py. README.md states the licences: the airplanes are GPL-2+.
"""
import argparse
import collections
import pathlib
import re
import zipfile

import numpy as np

from clouds import SEED, package_version, random_of, rounded, unpacked_package, write_clouds
from common import InputError, run

POINTS = 2048
STEP = 1 / 256
TEST_LIST = pathlib.Path(__file__).with_name("shapes3d_test.txt")

# A model is a copy of an earlier one if the histograms of their clouds differ by less than COPY_DISTANCE in L1.
COPY_BINS = 8
COPY_DISTANCE = 0.15

# Files of flightgear-data-ai that are not an airplane, and objects that are not part of one: lights, discs and blur of turning
# propellers, flames, condensation, wheel chocks.
NOT_AIRPLANES = re.compile(r"^(balloon|ferry)/|/(lights?|refueling)/|/(light-|whitelight|toggle|banner|tank|wheels|exhaust|droptank)"
                           r"|/(lights|omspods|ssme)$", re.I)
NOT_PARTS = re.compile(r"light|lampe?|luz|beacon|strobe|halo|flare|glow|^(left|right|rear|tail|white)?nav|condens|flame|chock|(?<!dou)blur"
                       r"|prop(eller)?.?dis[ck]|prplr-disk|disquehelice|girohelice|propeller.fast|fastprop|_left_fast|_right_fast", re.I)

# Catalogues of sweethome3d-furniture. Reallusion has people only.
CATALOGUES = {"BlendSwap-CC-0": "CC0", "BlendSwap-CC-BY": "CC BY 3.0", "KatorLegaz": "CC BY 3.0 US", "Scopia": "CC BY 3.0"}

# Class of a model by its English name: the first pattern that is found. A class of None is left out.
CLASSES = [(None, r"\bfan$|\bbat$|\bshutter$|\bblind$"), ("lamp", r"\blamp\b|lamppost|spotlight"),
           ("chair", r"chair\b|\bstool\b|\bbench\b|\bseat$"), ("table", r"\btable\b|\bdesk\b"), ("sofa", r"\bsofa\b|\bcouch\b"),
           ("bed", r"\bbed\b|\bcrib\b"), ("shelf", r"bookcase|shelves|cabinet|wardrobe|cupboard|dresser"),
           ("window", r"\bwindow\b"), ("door", r"\bdoor\b"), ("plant", r"\bplant\b|\btree\b|\bflowers?\b|\bbush\b")]  # fmt: skip

Shape = collections.namedtuple("Shape", "treatment patient name culture creator licence group triangles")


def read_ac(path):
    """Returns [(object, triangles (number, 3, 3))] of an AC3D file, in the axes of the file. Lines are left out."""
    text = path.read_text(encoding="latin-1").replace("\r", "\n")
    lines = iter([line.strip() for line in text.split("\n") if line.strip()])
    found = []

    def read_object(to_world):
        rotation, location, name, vertices, triangles, kind = np.eye(3), np.zeros(3), "", np.zeros((0, 3)), [], 0
        for line in lines:
            word, _, rest = line.partition(" ")
            if word == "name":
                name = rest.strip('"')
            elif word == "rot":
                rotation = np.array(rest.split(), float).reshape(3, 3)
            elif word == "loc":
                location = np.array(rest.split(), float)
            elif word == "data":
                length = int(rest)
                while length > 0:
                    length -= len(next(lines)) + 1
            elif word == "numvert":
                vertices = np.array([next(lines).split()[:3] for _ in range(int(rest))], float).reshape(-1, 3)
            elif word == "SURF":
                kind = int(rest, 16) & 15
            elif word == "refs":
                corners = [int(next(lines).split()[0]) for _ in range(int(rest))]
                if kind == 0:
                    triangles += fan(corners)
            elif word == "kids":
                place = lambda points: to_world(points @ rotation + location)
                if triangles:
                    found.append((name, place(vertices)[np.array(triangles)]))
                for _ in range(int(rest)):
                    # Some files announce more children than they have.
                    if next(lines, None) is None:
                        return
                    read_object(place)
                return

    if not next(lines, "").startswith("AC3D"):
        raise InputError(f"{path}: is no AC3D file. Unpack the package again")
    try:
        for line in lines:
            if line.startswith("OBJECT"):
                read_object(lambda points: points)
    except (ValueError, IndexError, StopIteration):
        raise InputError(f"{path}: is a damaged AC3D file. Unpack the package again") from None
    return found


def read_obj(text, where):
    """Returns the triangles (number, 3, 3) of the text of an OBJ file, in the axes of the file. `where` names it in errors."""
    vertices, triangles = [], []
    try:
        for line in text.splitlines():
            word, *rest = line.split() or [""]
            if word == "v":
                vertices.append(rest[:3])
            elif word == "f":
                corners = [int(corner.split("/")[0]) for corner in rest]
                triangles += fan([corner - 1 if corner > 0 else len(vertices) + corner for corner in corners])
        return np.array(vertices, float).reshape(-1, 3)[np.array(triangles, int).reshape(-1, 3)]
    except (ValueError, IndexError):
        raise InputError(f"{where}: is a damaged OBJ file. Unpack the package again") from None


def fan(corners):
    """Returns the triangles of a convex polygon."""
    return [(corners[0], a, b) for a, b in zip(corners[1:], corners[2:])]


def z_up(triangles):
    """Returns points with z up, of points with y up."""
    return np.stack([triangles[..., 0], -triangles[..., 2], triangles[..., 1]], -1)


def cloud_of(triangles, random):
    """Returns POINTS points that are uniform on the triangles. Their box is centred, and its longest side is 2."""
    origin, side_1, side_2 = triangles[:, 0], triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    area = np.cumsum(np.linalg.norm(np.cross(side_1, side_2), axis=1))
    chosen = np.minimum(np.searchsorted(area, random.random(POINTS) * area[-1], side="right"), len(area) - 1)
    u, v = random.random((2, POINTS, 1))
    is_outside = u + v > 1
    u, v = np.where(is_outside, 1 - u, u), np.where(is_outside, 1 - v, v)
    points = origin[chosen] + u * side_1[chosen] + v * side_2[chosen]
    low, high = points.min(0), points.max(0)
    return rounded((points - (low + high) / 2) * 2 / (high - low).max(), STEP)


def histogram_of(cloud):
    """Returns the share of the points in each of COPY_BINS^3 cells of the cube from -1 to 1."""
    return np.histogramdd(cloud, bins=COPY_BINS, range=[(-1, 1)] * 3)[0] / len(cloud)


def find_file(path):
    if not path.exists():
        raise InputError(f"{path}: not found in the package. Use the package of Debian 12")
    return path


def airplanes(folder):
    """Yields the airplanes of flightgear-data-ai."""
    root = find_file(folder / "usr/share/games/flightgear/AI/Aircraft")
    for path in sorted(root.rglob("*.ac")):
        name = path.relative_to(root).with_suffix("").as_posix()
        if NOT_AIRPLANES.search(name):
            continue
        parts = [triangles for part, triangles in read_ac(path) if not NOT_PARTS.search(part)]
        group = name.split("/")[0]
        yield Shape("airplane", f"{group}/{path.stem}", path.stem, "flightgear-data-ai", "FlightGear contributors", "GPL-2+",
                    f"airplane/{group}", z_up(np.concatenate(parts or [np.zeros((0, 3, 3))])))  # fmt: skip


def class_of(name):
    """Returns the class of a model by its English name, or None."""
    return next((kind for kind, pattern in CLASSES if re.search(pattern, name, re.I)), None)


def read_catalogue(archive):
    """Returns the entries of a catalogue, {property: value}, in its order."""
    entries = {}
    for line in archive.read("PluginFurnitureCatalog.properties").decode("latin-1").splitlines():
        if match := re.match(r"(\w+)#(\d+)=(.*)", line):
            entries.setdefault(int(match[2]), {})[match[1]] = match[3].strip()
    return [entries[number] for number in sorted(entries)]


def furniture(folder):
    """Yields the furniture of the four catalogues, in their true proportions."""
    root = find_file(folder / "usr/share/sweethome3d/furniture")
    for catalogue, licence in CATALOGUES.items():
        path = find_file(root / f"{catalogue}.sh3f")
        try:
            with zipfile.ZipFile(path) as archive:
                for entry in read_catalogue(archive):
                    if class_of(entry["name"]):
                        yield furniture_shape(archive, path, entry, catalogue, licence)
        except (zipfile.BadZipFile, KeyError) as error:
            raise InputError(f"{path}: is a damaged catalogue: {error}. Unpack the package again") from None


def furniture_shape(archive, path, entry, catalogue, licence):
    """Returns the model of an entry of a catalogue."""
    model = entry["model"].lstrip("/")
    triangles = read_obj(archive.read(model).decode("latin-1"), f"{path}, {model}")
    rotation = np.array(entry.get("modelRotation", "1 0 0 0 1 0 0 0 1").split(), float).reshape(3, 3)
    triangles = triangles @ rotation.T
    if len(triangles):
        extent = np.ptp(triangles.reshape(-1, 3), axis=0)
        size = np.array([entry["width"], entry["height"], entry["depth"]], float)
        triangles = triangles * np.where(extent > 0, size / np.where(extent > 0, extent, 1), 1)
    name = f"{catalogue}/{entry['id'].partition('#')[2]}"
    return Shape(class_of(entry["name"]), name, entry["name"], f"sweethome3d/{catalogue}", entry["creator"], licence, name, z_up(triangles))


SOURCES = {"airplanes": ("flightgear-data-ai", airplanes), "furniture": ("sweethome3d-furniture", furniture)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=SOURCES)
    parser.add_argument("packages", help="folder of the unpacked packages")
    parser.add_argument("output", help="AnnData file to write")
    parser.add_argument("--download", action="store_true", help="fetch and unpack the package if it is missing")
    options = parser.parse_args()
    package, shapes_of = SOURCES[options.kind]
    folder = unpacked_package(options.packages, package, options.download)
    tests = set(TEST_LIST.read_text().split("\n"))
    kept, clouds, histograms, copies = [], [], [], []
    for shape in shapes_of(folder):
        if not len(shape.triangles):
            raise InputError(f"{folder}: model {shape.patient} has no surface. Unpack the package again")
        # The same random numbers for all models: a copy has exactly the same points.
        histogram = histogram_of(cloud_of(shape.triangles, random_of("copies")))
        original = next((k for k, other in enumerate(histograms) if np.abs(histogram - other).sum() < COPY_DISTANCE), None)
        if original is not None:
            copies.append(f"{shape.patient} of {kept[original].patient}")
            continue
        histograms.append(histogram)
        clouds.append(cloud_of(shape.triangles, random_of("shape", shape.patient)))
        kept.append(shape._replace(triangles=None))
    if not kept:
        raise InputError(f"{folder}: has no model of {options.kind}. Use the package of Debian 12")
    if copies:
        print(f"left out {len(copies)} copies: {', '.join(copies)}")
    columns = {"population": [f"{shape.treatment}/{shape.patient}" for shape in kept]}
    columns |= {name: [getattr(shape, name) for shape in kept] for name in Shape._fields[:6]}
    columns["part"] = ["test" if shape.group in tests else "train" for shape in kept]
    notes = {"source": f"Debian package {package} {package_version(folder)}", "licence": ", ".join(sorted({shape.licence for shape in kept})),
             "seed": str(SEED)}  # fmt: skip
    write_clouds(options.output, clouds, columns, "xyz", notes)


if __name__ == "__main__":
    run(main)
