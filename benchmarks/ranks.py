#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Training steps per second on 1 and 2 ranks (1 thread each) and on 1 rank with 2 threads, in turn; medians and ratios.

The organoid configuration (512 wide, 7 layers, 100 neighbours) on the sample of data/, 4 pairs of 1000 cells a step.
Usage: ranks.py build/release/popflow [--rounds 5] [--steps 40]
"""
import argparse
import os
import re
import statistics
import subprocess
import tempfile

p = argparse.ArgumentParser()
p.add_argument("popflow")
p.add_argument("--rounds", type=int, default=5)
p.add_argument("--steps", type=int, default=40)
a = p.parse_args()
SHAPES = {"1 rank x 1 thread": (1, 1), "2 ranks x 1 thread": (2, 1), "1 rank x 2 threads": (1, 2)}


def steps_per_second(ranks, threads, folder):
    env = dict(os.environ, OMP_NUM_THREADS=str(threads), OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    command = ["mpirun", "--bind-to", "none", "--oversubscribe", "-n", str(ranks), a.popflow, "train"]
    command += ["--data", "data/egf_sample.h5ad", "--pair-by", "patient,culture,plate", "--split", "patient:SRC"]
    command += ["--cells", "1000", "--batch-pairs", "4", "--knn", "100", "--steps", str(a.steps), "--output", folder]
    log = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stderr
    return float(re.findall(rf"train {a.steps}/{a.steps}.*?([0-9.]+)/s", log)[-1])


speeds = {name: [] for name in SHAPES}
with tempfile.TemporaryDirectory() as folder:
    for _ in range(a.rounds):
        for name, (ranks, threads) in SHAPES.items():
            speeds[name].append(steps_per_second(ranks, threads, folder))
base = statistics.median(speeds["1 rank x 1 thread"])
for name, values in speeds.items():
    print(f"{name}: {statistics.median(values):.3g} steps/s (median of {a.rounds}), {statistics.median(values) / base:.2f}x")
