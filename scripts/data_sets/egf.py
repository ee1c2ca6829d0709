#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the EGF screens of Lun et al. 2017 from the repository of the paper.

    git clone https://github.com/BodenmillerGroup/Adnet && git -C Adnet checkout 5960a829aecc51892188361205c6d04eb5a4cc6f
    egf.py time_course Adnet EGF.h5ad
    egf.py tags Adnet EGF_tags.h5ad

A plate of the repository is a folder with the FCS files of its wells (gated/) and a key that gives the gene, the stimulus and
the minutes of each well. The script draws cells of each well at random, without replacement, with one seeded generator for all
wells in the order of their file names. It then prints the SHA-256 of X, and whether it is that of the file that our tables
used. Needs numpy, pandas and anndata. README.md describes the columns.
"""
import argparse
import csv
import dataclasses
import hashlib
import pathlib
import subprocess

import anndata
import numpy as np
import pandas as pd

from common import InputError, complete_file, run

COMMIT = "5960a829aecc51892188361205c6d04eb5a4cc6f"
SEED = 0
# Channels of both screens in the order of X. Left out are time, event length, barcodes, beads and DNA.
CHANNELS = (
    "La139Di Pr141Di Nd142Di Nd143Di Nd144Di Nd145Di Nd146Di Sm147Di Nd148Di Nd150Di Eu151Di Sm152Di Eu153Di Sm154Di Gd155Di "
    "Gd156Di Gd158Di Tb159Di Gd160Di Dy161Di Dy162Di Dy163Di Dy164Di Ho165Di Er166Di Er167Di Er168Di Tm169Di Er170Di Yb171Di "
    "Yb172Di Yb173Di Yb174Di Lu175Di Yb176Di I127Di"
).split()
# The tags screen spells some stains in another way. Its markers have the names of the time course.
STAIN_NAMES = {
    "pMEK": "pMEK1and2", "pMAPKAPK2": "pMAPAPK2", "pSMAD1&5": "pSMAD1and5and7", "pMKK3&6": "pMKK3andMKK6",
    "pSMAD2&3": "pSMAD2and3", "BCATENIN": "nonpBCAT", "CLEAVED-PARP&CASPASE3": "cleavedPARPandcleavedCASPASE3",
    "pMTOR": "mTOR", "E-CADHERIN": "ECAD",
}  # fmt: skip
# The keys number the negative controls: GFP-FLAG-1 and empty-1.
GENE_NAMES = {"GFP-FLAG-1": "GFP-FLAG", "empty-1": "empty"}


@dataclasses.dataclass(frozen=True)
class Screen:
    """A screen of the repository."""

    folder: str  # below example/data
    plates: tuple
    channels: tuple
    cells: int  # most cells of a well
    culture: str  # fixed culture, or "" if the key's column `perturbation` has it
    left_out: frozenset  # wells of the keys that are not read
    digest: str  # SHA-256 of X of the file that our tables used


SCREENS = {
    # The copy of the repository that our tables used lacked the file of well G5 (empty, 5 minutes).
    "time_course": Screen("experiment_main", ("20150406", "20150422"), tuple(CHANNELS), 2000, "GFP-fusion",
                          frozenset({"20150406_G5"}), "ee2413cce97e795e68d389a1c919e53c1647abff99178deffe9a2b8389cf8e7b"),
    # The key lists six wells "empty" for which the repository has no files.
    "tags": Screen("experiment_tags", tuple(f"GFP-FLAGc-FLAGn-BC{n}" for n in range(1, 5)), (*CHANNELS, "Sm149Di"), 1800, "",
                   frozenset(f"GFP-FLAGc-FLAGn-BC3_{row}7" for row in "BCDEFG"), "1a65a6d99f72d2ebb173de67fb68cbc44da1fe6892205b3c173554a000a156ff"),
}  # fmt: skip


def read_fcs(path):
    """Returns the values [events, channels], the names $PnN and the stains $PnS of an FCS file of floats.

    Reads the kind of FCS file that the repository holds. Its TEXT segment has a zero byte after the last delimiter.
    """
    content = path.read_bytes()
    if content[:3] != b"FCS":
        raise InputError(f"{path}: not an FCS file, check that the clone is complete")
    try:
        text = content[int(content[10:18]) : int(content[18:26]) + 1].decode("latin-1")
        words = text.rstrip("\0")[1:].split(text[0])
        keywords = dict(zip(words[::2], words[1::2]))
        events, channels = int(keywords["$TOT"]), int(keywords["$PAR"])
        if keywords["$MODE"] != "L" or keywords["$DATATYPE"] != "F":
            raise InputError(f"{path}: $MODE and $DATATYPE: allowed L and F, a list of floats")
        number = "<f4" if keywords["$BYTEORD"].startswith("1") else ">f4"
        x = np.frombuffer(content, number, events * channels, int(keywords["$BEGINDATA"])).reshape(events, channels)
        names = [keywords[f"$P{i}N"] for i in range(1, channels + 1)]
    except (ValueError, KeyError, IndexError) as error:
        raise InputError(f"{path}: damaged FCS file: {error}") from None
    return x, names, [keywords.get(f"$P{i}S", "") for i in range(1, channels + 1)]


def read_key(folder):
    """Returns {well: row of the key} of a plate."""
    path = folder / f"{folder.name}_barcode_key.csv"
    if not path.is_file():
        raise InputError(f"{path}: not found, allowed is a clone of github.com/BodenmillerGroup/Adnet")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = {"row", "column", "marker", "perturbation", "timepoint", "replicate"} - set(reader.fieldnames or ())
        if missing:
            raise InputError(f"{path}: without column {', '.join(sorted(missing))}")
        return {f"{line['row']}{line['column']}": line for line in reader}


def files_of_plate(screen, folder):
    """Returns [(well, row of the key, path)] of a plate, sorted by file name. The name is TEXT_WELL_TEXT.fcs."""
    key = read_key(folder)
    files = {}
    for path in sorted((folder / "gated").glob("*.fcs")):
        well = (path.name.split("_") + [""])[1]
        if well not in key:
            raise InputError(f"{path}: found well '{well}', which the key does not list")
        if well in files:
            raise InputError(f"{path}: second file of well {well}")
        files[well] = path
    left_out = {name.rpartition("_")[2] for name in screen.left_out if name.rpartition("_")[0] == folder.name}
    missing = set(key) - set(files) - left_out
    if missing:
        shown = ", ".join(sorted(missing)[:5]) + (", ..." if len(missing) > 5 else "")
        raise InputError(f"{folder / 'gated'}: no files of {len(missing)} wells ({shown}), check that the clone is complete")
    return [(well, key[well], path) for well, path in files.items() if well not in left_out]


def labels(screen, plate, well, row):
    """Returns the columns of obs that all cells of a well share."""
    try:
        minutes = int(row["timepoint"])
    except (TypeError, ValueError):
        raise InputError(f"key of plate {plate}, well {well}: timepoint: found '{row['timepoint']}', allowed a number") from None
    gene = row["marker"]
    return {
        "patient": GENE_NAMES.get(gene, gene),
        "culture": screen.culture or row["perturbation"],
        "treatment": f"EGF_{minutes}min" if minutes else "control",
        "concentration": "1" if minutes else "0",
        "replicate": row["replicate"],
        "plate": plate,
        "cell_type": "HEK293T",
        "well": well,
        "time_min": np.int32(minutes),
        "population": f"{plate}_{well}",
    }


def build(screen, clone):
    """Returns the screen as AnnData."""
    generator = np.random.default_rng(SEED)
    blocks, tables, markers = [], [], None
    for plate in screen.plates:
        for well, row, path in files_of_plate(screen, clone / "example" / "data" / screen.folder / plate):
            x, names, stains = read_fcs(path)
            absent = [channel for channel in screen.channels if channel not in names]
            if absent:
                raise InputError(f"{path}: without channel {', '.join(absent)}")
            columns = [names.index(channel) for channel in screen.channels]
            found = [STAIN_NAMES.get(stains[i], stains[i]) for i in columns]
            if markers is None:
                markers, first_stains, first = found, [stains[i] for i in columns], path
            elif found != markers:
                raise InputError(f"{path}: the stains differ from those of {first}")
            events = np.sort(generator.choice(len(x), min(screen.cells, len(x)), replace=False))
            blocks.append(x[events][:, columns].astype(np.float32))
            table = pd.DataFrame({"event_index": events.astype(np.int32)})
            shared = labels(screen, plate, well, row)
            tables.append(table.assign(**shared, source_file=path.name, n_events_in_file=str(len(x)))
                          [[*shared, "event_index", "source_file", "n_events_in_file"]])  # fmt: skip
    obs = pd.concat(tables, ignore_index=True)
    obs.index = "c" + obs.index.astype(str)
    data = anndata.AnnData(
        np.concatenate(blocks), obs=obs.astype({name: "category" for name in obs if name not in ("time_min", "event_index")}),
        var=pd.DataFrame({"channel": screen.channels, "fcs_name": first_stains}, index=markers),
    )  # fmt: skip
    data.uns = {
        "citation": "Lun X-K et al., Influence of node abundance on signaling network state and dynamics analyzed by mass "
        "cytometry, Nat Biotechnol 2017, doi:10.1038/nbt.3770",
        "control_label": "control",
        "licence": "MIT (repository LICENSE.txt, (c) Vito Zanotelli, University of Zurich)",
        "source": f"github.com/BodenmillerGroup/Adnet@{COMMIT}",
        "value_scale": "values exactly as stored in the debarcoded, gated FCS files; no arcsinh",
    }
    return data


def check_commit(clone):
    """Refuses a clone of another commit. An unpacked archive has no commit and is accepted."""
    if not clone.is_dir():
        raise InputError(f"{clone}: not a folder, allowed is a clone of github.com/BodenmillerGroup/Adnet")
    if not (clone / ".git").exists():
        return
    git = subprocess.run(["git", "-C", clone, "rev-parse", "HEAD"], capture_output=True, text=True)
    if git.returncode == 0 and git.stdout.strip() != COMMIT:
        raise InputError(f"{clone}: found commit {git.stdout.strip()}, run: git -C {clone} checkout {COMMIT}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("screen", choices=SCREENS)
    parser.add_argument("clone", type=pathlib.Path, help="clone of github.com/BodenmillerGroup/Adnet")
    parser.add_argument("output", type=pathlib.Path, help="AnnData file to write")
    options = parser.parse_args()
    screen = SCREENS[options.screen]
    check_commit(options.clone)
    data = build(screen, options.clone)
    with complete_file(options.output) as path:
        data.write_h5ad(path, compression="gzip")
    digest = hashlib.sha256(data.X.astype("<f4").tobytes()).hexdigest()
    print(f"{options.output}: {data.n_obs} cells, {data.n_vars} markers, {data.obs['population'].nunique()} wells")
    print(f"SHA-256 of X: {digest}, {'the same as' if digest == screen.digest else 'not that of'} the file of our tables")


if __name__ == "__main__":
    run(main)
