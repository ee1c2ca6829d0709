# SPDX-License-Identifier: MIT
"""Functions that the scripts for point clouds share: Debian packages, random numbers, and the AnnData file of clouds."""
import hashlib
import os
import pathlib
import shlex
import subprocess
import tempfile

import h5py
import numpy as np

from anndata_file import create_frame, describe, write_labels, write_markers, write_names, write_notes
from common import InputError, complete_file

# Seed of the points that are drawn from letters, digits and shapes.
SEED = 0
CHUNK = 16384  # rows of a chunk of X


def unpacked_package(folder, name, should_download):
    """Returns FOLDER/NAME, the unpacked Debian package. Downloads and unpacks it there first if it is missing and
    `should_download` is set. Nothing is installed."""
    target = pathlib.Path(folder) / name
    if target.is_dir():
        return target
    if not should_download:
        raise InputError(f"{target}: not found. Give --download, or unpack the Debian package there with dpkg-deb -R")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{name}.") as temporary:
            for command in (["apt-get", "download", "-qq", name], ["sh", "-c", "exec dpkg-deb -R ./*.deb unpacked"]):
                done = subprocess.run(command, cwd=temporary, capture_output=True, text=True)
                if done.returncode:
                    raise InputError(f"{name}: {shlex.join(command)} failed: {done.stderr.strip()}")
            os.replace(pathlib.Path(temporary) / "unpacked", target)
    except FileNotFoundError as error:
        raise InputError(f"{name}: cannot run {error.filename}. --download needs Debian's apt-get and dpkg-deb") from None
    return target


def package_version(folder):
    """Returns the version of a package that `dpkg-deb -R` unpacked, or "unknown" of one that `dpkg-deb -x` unpacked."""
    control = pathlib.Path(folder) / "DEBIAN/control"
    lines = control.read_text().splitlines() if control.is_file() else []
    return next((line.split(": ", 1)[1] for line in lines if line.startswith("Version: ")), "unknown")


def random_of(*key):
    """Returns a generator that depends on SEED and on the key only, not on the order of the calls."""
    digest = hashlib.sha256("\n".join(map(str, key)).encode()).digest()
    return np.random.default_rng([SEED, *np.frombuffer(digest, "<u4").tolist()])


def rounded(points, step):
    """Returns the points in multiples of `step`, as float32. They compress to less than half of the size."""
    return (np.round(points / step) * step).astype(np.float32)


def write_clouds(output, clouds, columns, axes, notes):
    """Writes point clouds as AnnData, a row a point, and prints their numbers.

    @param clouds   arrays (points, dimensions) of float32
    @param columns  columns of obs: {name: one value for each cloud}. `part` is one of them
    @param axes     names of the dimensions
    @param notes    entries of uns: source, licence, versions
    """
    sizes = [len(cloud) for cloud in clouds]
    count = sum(sizes)
    with complete_file(output) as path, h5py.File(path, "w") as file:
        describe(file, "anndata", "0.1.0")
        x = file.create_dataset("X", data=np.concatenate(clouds), chunks=(min(count, CHUNK), len(axes)), compression="gzip", shuffle=True)
        describe(x, "array", "0.2.0")
        obs = create_frame(file, "obs", columns)
        write_names(obs, count)
        for name, values in columns.items():
            write_labels(obs, name, np.repeat(np.array(values, dtype=object), sizes))
        write_markers(file, axes)
        write_notes(file, notes)
    parts = ", ".join(f"{list(columns['part']).count(part)} {part}" for part in ("train", "validation", "test"))
    print(f"{output}: {len(sizes)} clouds ({parts}), {count} points")
