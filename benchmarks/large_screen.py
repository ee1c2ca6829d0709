#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures time and peak memory of opening and training on a screen of about the published size.

    large_screen.py POPFLOW FOLDER [--steps 200] [--ranks 1] [--other POPFLOW]

Simulates FOLDER/large.h5ad if it does not exist (22 million cells with 43 markers, 4 GB, some minutes). Then runs `inspect`, a
training with all cells in memory and a training with a cache file per rank (--cache FOLDER), and compares the checkpoints.
--other measures a second program, for example an older version, after the first one in each row.
CPU time is that of all ranks. Memory is the largest resident set of one process, including pages of memory-mapped files.
"""
import argparse
import subprocess
from pathlib import Path

from programs import measured_run

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("popflow")
parser.add_argument("folder", type=Path)
parser.add_argument("--steps", type=int, default=200)
parser.add_argument("--ranks", type=int, default=1)
parser.add_argument("--other", help="second program to measure")
options = parser.parse_args()
data = options.folder / "large.h5ad"


def run(program, *words, ranks=1):
    """Returns elapsed seconds, CPU seconds and peak MiB."""
    launcher = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []
    return measured_run([*launcher, program, *words])


options.folder.mkdir(parents=True, exist_ok=True)
if not data.exists():
    run(options.popflow, "simulate", "screen", "--output", data, "--patients", 15, "--cells", "1000:30000", "--seed", 1)
programs = {"": options.popflow} | ({" (other)": options.other} if options.other else {})
print(f"{data.stat().st_size / 1e9:.1f} GB\n\n| what | s | CPU s | peak MiB |\n|---|---|---|---|")
for label, program in programs.items():
    print("| inspect{} | {:.1f} | {:.1f} | {:.0f} |".format(label, *run(program, "inspect", data)), flush=True)
train = ("train", "--data", data, "--split", "patient:21", "--steps", options.steps, "--log-every", options.steps)
for name, cache in (("memory", "memory"), ("file", options.folder)):
    for label, program in programs.items():
        run_folder = options.folder / (name + label.strip(" ()"))
        subprocess.run(["rm", "-rf", run_folder], check=True)
        print("| train, cells in {}{} | {:.1f} | {:.1f} | {:.0f} |".format(
            name, label, *run(program, *train, "--cache", cache, "--output", run_folder, ranks=options.ranks)), flush=True)
one, other = ((options.folder / name / "checkpoint.h5").read_bytes() for name in ("memory", "file"))
print("the checkpoints are equal" if one == other else "the checkpoints differ")
raise SystemExit(one != other)
