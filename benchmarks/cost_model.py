#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a training step costs on 1 to 1024 ranks: a model of measured terms, and the measured points on it.

    cost_model.py POPFLOW EXCHANGE_BENCH [--rounds 3] [--steps 30] [--latency 2e-6] [--bandwidth 3e9] [--slots 64]

    t(R) = slots / R * a + P / R * b                                                      products; sum, clipping, Adam
         + 2 (R - 1) latency + 9 bytes * P * (R - 1) / R / bandwidth                      sums and weights, part by part
         + log2(R) (latency + 8 bytes * told / bandwidth),  told = slots + 4 + P / 2^14   losses, flags, squares

P parameters. `a` (seconds of a slot) and `b` (of a parameter) are fitted to steps of this machine on 1 rank with 1, 2
and 4 slots: once alone, for the points measured so, and once with all cores busy with trainings that exchange
nothing, for all else, since cores share caches, memory and clock; latency and bandwidth to the exchange of the step
(exchange_bench) on 2 ranks of this machine, and the latency of `told` likewise. For another network --latency
(seconds of a message) and --bandwidth (bytes a second of a rank) are given; the defaults are a 100 Gbit/s network
card that four ranks share. 9 bytes: an element's sum is packed into 5, its new weight a float of 4; each rank
sends its share of both to all others. That products hide some of it is not counted.
"""
import argparse
import json
import math
import statistics

from ranks import CORES, mpirun, train, train_side_by_side  # isort: skip (before NumPy binds a thread)

import numpy as np

SLOTS = (1, 2, 4)
BLOCK = 2**14  # elements whose squares are summed to one number


def exchange(program, ranks):
    return [json.loads(line) for line in mpirun(ranks, 1, [program]).stdout.splitlines()]


def sides(rows):
    """Messages one after the other, and bytes, of each row of exchange_bench."""
    for row in rows:
        r, n = row["ranks"], row["elements"]
        if row["what"] == "parts":
            yield 2 * (r - 1), 9 * n * (r - 1) / r
        else:
            yield math.log2(r), 8 * n * math.log2(r)


def fit(rows):
    """Latency and seconds a byte, by least squares of the relative differences."""
    seconds = np.array([row["seconds"] for row in rows])
    known = np.array(list(sides(rows))) / seconds[:, None]
    (latency, inverse), *_ = np.linalg.lstsq(known, np.ones(len(rows)), rcond=None)
    return max(latency, 0), max(inverse, 0)


class Model:
    def __init__(self, parameters, slot, update, latency, inverse, told_latency):
        self.parameters, self.slot, self.update = parameters, slot, update
        self.latency, self.inverse, self.told_latency = latency, inverse, told_latency

    def terms(self, ranks, slots):
        """Seconds of the products, the update, the exchange of parts and what all are told."""
        parts = 2 * (ranks - 1) * self.latency + 9 * self.parameters * (ranks - 1) / ranks * self.inverse
        told = 8 * (slots + 4 + math.ceil(self.parameters / BLOCK))
        return (math.ceil(slots / ranks) * self.slot, self.update / ranks, parts,
                math.log2(ranks) * (self.told_latency + told * self.inverse))

    def step(self, ranks, slots):
        return sum(self.terms(ranks, slots))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("popflow")
    parser.add_argument("exchange_bench")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--slots", type=int, default=64, help="pairs of a step of the prediction")
    parser.add_argument("--latency", type=float, default=2e-6)
    parser.add_argument("--bandwidth", type=float, default=3e9)
    options = parser.parse_args()

    measured = {}
    for _ in range(options.rounds):
        for shape in ((1, 1), (1, 2), (1, 4), (2, 2), (2, 4), (2, 8), (4, 4), (4, 8)):
            if shape[0] <= len(CORES):
                speed, parameters = train(options.popflow, shape[0], 1, shape[1], options.steps)
                measured.setdefault(shape, []).append(1 / speed)
        for slots in SLOTS:
            speed = train_side_by_side(options.popflow, slots, options.steps)
            measured.setdefault(("busy", slots), []).append(1 / speed)
    measured = {shape: statistics.median(values) for shape, values in measured.items()}
    rows = exchange(options.exchange_bench, 2)
    parts, told = ([row for row in rows if row["what"] == what] for what in ("parts", "told"))
    # Of messages as long as those of the step: short ones are in the caches.
    latency, inverse = fit([row for row in parts if row["elements"] <= BLOCK or row["elements"] >= parameters / 2])
    told_latency, _ = fit(told)
    work = {}
    for who in (1, "busy"):
        slot, update = np.polyfit(SLOTS, [measured[who, slots] for slots in SLOTS], 1)
        work[who] = (slot, max(update, 0))
    alone, here = (Model(parameters, *work[who], latency, inverse, told_latency) for who in (1, "busy"))
    print(f"{parameters} parameters; a slot takes {alone.slot * 1e3:.1f} ms and the update {alone.update * 1e3:.1f} "
          f"alone, {here.slot * 1e3:.1f} and {here.update * 1e3:.1f} with all {len(CORES)} cores busy; exchange here: "
          f"{latency * 1e6:.1f} us a message, {1e-9 / inverse:.1f} GB/s, {told_latency * 1e6:.2f} us to tell all\n")
    print("| ranks | slots | measured, ms | model, ms | difference |\n|---|---|---|---|---|")
    for (ranks, slots), seconds in measured.items():
        if ranks == "busy":
            continue
        model = (here if ranks == len(CORES) else alone).step(ranks, slots)
        print(f"| {ranks} | {slots} | {seconds * 1e3:.1f} | {model * 1e3:.1f} | {model / seconds - 1:+.1%} |")
    if len(CORES) < 4:
        print(f"\n4 ranks are not measured on {len(CORES)} cores.")
    print("\n| what 2 ranks exchange | elements | measured, ms | model, ms |\n|---|---|---|---|")
    for row, (messages, size) in zip(rows, sides(rows)):
        model = messages * (latency if row["what"] == "parts" else told_latency) + size * inverse
        print(f"| {row['what']} | {row['elements']} | {row['seconds'] * 1e3:.4f} | {model * 1e3:.4f} |")

    there = Model(parameters, *work["busy"], options.latency, 1 / options.bandwidth, options.latency)
    print(f"\nOver a network: {options.latency * 1e6:g} us, {options.bandwidth * 1e-9:g} GB/s a rank; {options.slots} "
          "slots a step, and 4 slots a rank\n")
    print("| ranks | products, ms | update, ms | parts, ms | told, ms | step, ms | efficiency | 4 slots a rank: step, "
          "ms | efficiency |\n|---|---|---|---|---|---|---|---|---|")
    for ranks in (2**k for k in range(11)):
        weak = there.step(ranks, 4 * ranks)
        strong = [""] * 6
        if ranks <= options.slots:
            step = there.step(ranks, options.slots)
            times = [1e3 * t for t in (*there.terms(ranks, options.slots), step)]
            strong = [f"{t:.3g}" if t < 1000 else f"{t:.0f}" for t in times]
            strong.append(f"{there.step(1, options.slots) / step / ranks:.0%}")
        print("| " + " | ".join([str(ranks), *strong, f"{weak * 1e3:.0f}", f"{there.step(1, 4) / weak:.0%}"]) + " |")


if __name__ == "__main__":
    main()
