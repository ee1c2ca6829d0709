#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a training step costs on 1 to 1024 ranks: a model of three measured terms, and the measured points on it.

    t(R) = slots / R * a + parameters / R * b + (R - 1) * latency * 2 + 12 bytes * parameters * (R - 1) / R / bandwidth

`a` (seconds of a slot) and `b` (seconds to sum, clip and update one parameter) are fitted to steps of this machine on
1 rank with 1, 2 and 4 slots; latency and bandwidth to the exchange of the step (benchmarks/exchange_bench.cpp) on 2 and 4
ranks of this machine, or are given for another network. 12 bytes: an element's sum is an integer of 8, its new weight a
float of 4; each rank sends its share of both to all others.

Usage: cost_model.py POPFLOW EXCHANGE_BENCH [--rounds 3] [--steps 30] [--latency 2e-6] [--bandwidth 12e9] [--slots 64]
    --latency, --bandwidth: seconds of a message and bytes a second of a rank, of the network that the ranks share;
    default: 2 us and 3 GB/s, a 100 Gbit/s network card shared by four ranks
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile

import numpy as np

p = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
p.add_argument("popflow")
p.add_argument("exchange_bench")
p.add_argument("--rounds", type=int, default=3)
p.add_argument("--steps", type=int, default=30)
p.add_argument("--slots", type=int, default=64, help="pairs of a step of the prediction")
p.add_argument("--latency", type=float, default=2e-6)
p.add_argument("--bandwidth", type=float, default=3e9)
a = p.parse_args()
ENV = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
# A rank that waits in MPI gives its core away where there are more ranks than cores.
MPIRUN = ["mpirun", "--bind-to", "none", "--oversubscribe", "--mca", "mpi_yield_when_idle", "1", "-n"]


def seconds_per_step(ranks, slots):
    """A step of the organoid network, `slots` pairs of 1000 cells, on ranks of one thread; and its parameters."""
    with tempfile.TemporaryDirectory() as folder:
        command = MPIRUN + [str(ranks), a.popflow, "train", "--data", "data/egf_sample.h5ad"]
        command += ["--pair-by", "patient,culture,plate", "--split", "patient:SRC", "--cells", "1000", "--knn", "100"]
        command += ["--batch-pairs", str(slots), "--steps", str(a.steps), "--output", folder]
        log = subprocess.run(command, env=ENV, check=True, capture_output=True, text=True).stderr
    speed = float(re.findall(rf"train {a.steps}/{a.steps}.*?([0-9.e+]+)/s", log)[-1])
    return 1 / speed, int(re.search(r"(\d+) parameters", log).group(1))


def exchange(ranks):
    out = subprocess.run(MPIRUN + [str(ranks), a.exchange_bench], env=ENV, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


measured = {}
for _ in range(a.rounds):
    for shape in ((1, 1), (1, 2), (1, 4), (2, 4), (2, 8)):
        seconds, parameters = seconds_per_step(*shape)
        measured.setdefault(shape, []).append(seconds)
measured = {shape: statistics.median(values) for shape, values in measured.items()}
slot, update = np.polyfit([1, 2, 4], [measured[1, slots] for slots in (1, 2, 4)], 1)
update = max(update, 0)
points = exchange(2)
rows = np.array([[2 * (r["ranks"] - 1), 12 * r["elements"] * (r["ranks"] - 1) / r["ranks"]] for r in points])
times = np.array([r["seconds"] for r in points])
(latency, inverse), *_ = np.linalg.lstsq(rows / times[:, None], np.ones(len(times)), rcond=None)


def model(ranks, slots, latency, bandwidth):
    most = -(-slots // ranks)  # of the rank that has most
    wire = 2 * (ranks - 1) * latency + 12 * parameters * (ranks - 1) / ranks / bandwidth
    return most * slot, update / ranks, wire, most * slot + update / ranks + wire


print(f"{parameters} parameters; slot {slot * 1e3:.1f} ms, update {update * 1e3:.1f} ms; exchange on this machine: "
      f"{latency * 1e6:.1f} us a message, {1e-9 / inverse:.1f} GB/s")
print("| ranks | slots | measured, ms | model, ms |\n|---|---|---|---|")
for (ranks, slots), seconds in measured.items():
    print(f"| {ranks} | {slots} | {seconds * 1e3:.1f} | {model(ranks, slots, latency, 1 / inverse)[3] * 1e3:.1f} |")
print(f"\nOver a network: {a.latency * 1e6:g} us, {a.bandwidth * 1e-9:g} GB/s a rank; {a.slots} slots a step, and 4 slots a rank")
print("| ranks | products, ms | update, ms | exchange, ms | step, ms | efficiency | 4 slots a rank: step, ms | efficiency |")
print("|---|---|---|---|---|---|---|---|")
one = model(1, a.slots, a.latency, a.bandwidth)[3]
one_weak = model(1, 4, a.latency, a.bandwidth)[3]
for ranks in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024):
    weak = model(ranks, 4 * ranks, a.latency, a.bandwidth)[3]
    strong = ["", "", "", "", ""]
    if ranks <= a.slots:
        work, updates, wire, step = model(ranks, a.slots, a.latency, a.bandwidth)
        strong = [f"{work * 1e3:.0f}", f"{updates * 1e3:.2f}", f"{wire * 1e3:.1f}", f"{step * 1e3:.0f}", f"{one / step / ranks:.0%}"]
    print("| " + " | ".join([str(ranks), *strong, f"{weak * 1e3:.0f}", f"{one_weak / weak:.0%}"]) + " |")
