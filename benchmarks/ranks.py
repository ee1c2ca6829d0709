#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures training steps per second for combinations of ranks and threads, and the speed-up over 1 rank with 1 thread.

    ranks.py BUILD/popflow [--rounds 5] [--steps 40] [--json FILE]

Trains the organoid configuration (512 wide, 7 layers, 100 neighbours) on the sample in data/ with 4 pairs of 1000 cells per
step. Combinations run in turn, the table has medians. The first 10 steps do not count. Each thread has its own core, and
combinations that need more cores than the machine has are skipped. Independent trainings that run at the same time show the
upper limit of the machine, whose cores share caches, memory and clock.
"""
import argparse
import csv
import json
import os
import re
import statistics
import subprocess
import tempfile
from pathlib import Path

import programs

SHAPES = ((1, 1), (2, 1), (1, 2), (4, 1), (2, 2), (1, 4))  # ranks, threads of each
SAMPLE = Path(__file__).parent.parent / "data/egf_sample.h5ad"
CORES = sorted(programs.CORES)


def environment(threads):
    return dict(os.environ, OMP_NUM_THREADS=str(threads), OMP_PROC_BIND="true", OMP_PLACES="cores",
                OMP_WAIT_POLICY="passive", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")


def mpirun(ranks, threads, command):
    """Runs a program on ranks whose threads are bound to their own cores. Returns the completed process."""
    start = ["mpirun", "--map-by", f"slot:PE={threads}", "--bind-to", "core", "--host", f"localhost:{ranks * threads}"]
    return programs.run([*start, "-n", str(ranks), *command], env=environment(threads), capture_output=True)


def training(popflow, pairs, steps, folder):
    command = [popflow, "train", "--data", SAMPLE, "--pair-by", "patient,culture,plate", "--split", "patient:SRC",
               "--cells", "1000", "--batch-pairs", pairs, "--knn", "100", "--hidden", "512", "--layers", "7",
               "--embedding", "128", "--coupling", "random", "--steps", steps, "--log-every", "10",
               "--output", folder]
    return [str(c) for c in command]


def steps_per_second(folder, steps):
    """Returns the speed of a run without its first 10 steps."""
    with open(Path(folder) / "training.csv") as file:
        seconds = {int(row["step"]): float(row["seconds"]) for row in csv.DictReader(file)}
    return (steps - 10) / (seconds[steps] - seconds[10])


def train(popflow, ranks, threads, pairs, steps):
    """Returns steps per second and the number of parameters."""
    with tempfile.TemporaryDirectory() as folder:
        log = mpirun(ranks, threads, training(popflow, pairs, steps, folder)).stderr
        return steps_per_second(folder, steps), int(re.search(r"(\d+) parameters", log).group(1))


def train_side_by_side(popflow, pairs, steps):
    """Runs one independent training per core at the same time. Returns their mean steps per second."""
    with tempfile.TemporaryDirectory() as folder:
        folders = [Path(folder) / str(core) for core in CORES]
        with programs.all_cores():
            running = [subprocess.Popen(["taskset", "-c", str(core), *training(popflow, pairs, steps, own)],
                                        env=environment(1), stderr=subprocess.DEVNULL)
                       for core, own in zip(CORES, folders)]
        if any([program.wait() for program in running]):
            raise RuntimeError("a training failed, see the command in training() of ranks.py")
        return statistics.mean(steps_per_second(own, steps) for own in folders)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("popflow")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--json")
    options = parser.parse_args()
    shapes = [shape for shape in SHAPES if shape[0] * shape[1] <= len(CORES)]
    speeds = {shape: [] for shape in shapes}
    apart = []
    for _ in range(options.rounds):
        for shape in shapes:
            speeds[shape].append(train(options.popflow, *shape, 4, options.steps)[0])
        apart.append(len(CORES) * train_side_by_side(options.popflow, 4, options.steps))
    base = statistics.median(speeds[1, 1])
    rows = {f"{ranks} x {threads}": values for (ranks, threads), values in speeds.items()}
    rows[f"{len(CORES)} independent trainings of 1 x 1, sum"] = apart
    print(f"| ranks x threads | steps per second (median of {options.rounds}) | range | speed-up over 1 x 1 |")
    print("|---|---|---|---|")
    for name, values in rows.items():
        speed = statistics.median(values)
        print(f"| {name} | {speed:.3g} | {min(values):.3g} to {max(values):.3g} | {speed / base:.2f} |")
    skipped = [f"{ranks} x {threads}" for ranks, threads in SHAPES if (ranks, threads) not in shapes]
    if skipped:
        print(f"\nNot measured on {len(CORES)} cores: {', '.join(skipped)}.")
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
