#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Models the cost of a training step on 1 to 1024 ranks from measured terms, and compares the model with measurements.

    cost_model.py POPFLOW EXCHANGE_BENCH [--rounds 3] [--steps 30] [--latency 2e-6] [--bandwidth 3e9] [--slots 64]

    t(R) = slots / R * a + P / R * b                                                      products, then sum, clipping, Adam
         + 2 (R - 1) latency + 9 bytes * P * (R - 1) / R / bandwidth                      parts: gradient sums and weights
         + log2(R) (latency + 8 bytes * S / bandwidth),  S = slots + 4 + P / 2^14         summary: losses, flags, squares

P is the number of parameters. The rest is fitted to measurements on this machine:
  * `a` (seconds per slot) and `b` (seconds per parameter) to steps on 1 rank with 1, 2 and 4 slots. Once with one training
    alone, for the rows with 1 rank. Once with independent trainings on all cores, for everything else, because cores share
    caches, memory and clock.
  * latency and bandwidth to the exchange of parts on 2 ranks (exchange_bench), and another latency to that of the summary.
For another network, --latency (seconds per message) and --bandwidth (bytes per second and rank) are used. The defaults are a
100 Gbit/s network card that four ranks share. The 9 bytes per parameter are 5 for the packed sum of its gradient and 4 for
its new weight. Each rank sends its part of both to all others. The model does not count that the exchange overlaps with the
backward pass.
"""
import argparse
import json
import math
import statistics

from ranks import CORES, mpirun, train, train_side_by_side  # isort: skip (before NumPy binds a thread)

import numpy as np

SLOTS = (1, 2, 4)
BLOCK = 2**14  # number of elements whose squares are summed to one number of the summary


def exchange(program, ranks):
    """Returns the rows of exchange_bench."""
    return [json.loads(line) for line in mpirun(ranks, 1, [program]).stdout.splitlines()]


def message_counts(rows):
    """Yields the number of consecutive messages and of bytes of each row of exchange_bench."""
    for row in rows:
        r, n = row["ranks"], row["elements"]
        if row["what"] == "parts":
            yield 2 * (r - 1), 9 * n * (r - 1) / r
        else:
            yield math.log2(r), 8 * n * math.log2(r)


def fit(rows):
    """Returns latency and seconds per byte, by least squares of the relative differences."""
    seconds = np.array([row["seconds"] for row in rows])
    known = np.array(list(message_counts(rows))) / seconds[:, None]
    (latency, inverse), *_ = np.linalg.lstsq(known, np.ones(len(rows)), rcond=None)
    return max(latency, 0), max(inverse, 0)


class Model:
    """Cost of a step with the constants of one machine and network."""

    def __init__(self, parameters, slot, update, latency, inverse, summary_latency):
        self.parameters, self.slot, self.update = parameters, slot, update
        self.latency, self.inverse, self.summary_latency = latency, inverse, summary_latency

    def terms(self, ranks, slots):
        """Returns seconds of the products, the update, the exchange of parts and that of the summary."""
        parts = 2 * (ranks - 1) * self.latency + 9 * self.parameters * (ranks - 1) / ranks * self.inverse
        summary = 8 * (slots + 4 + math.ceil(self.parameters / BLOCK))
        return (math.ceil(slots / ranks) * self.slot, self.update / ranks, parts,
                math.log2(ranks) * (self.summary_latency + summary * self.inverse))

    def step(self, ranks, slots):
        return sum(self.terms(ranks, slots))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("popflow")
    parser.add_argument("exchange_bench")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--slots", type=int, default=64, help="pairs per step in the table for many ranks")
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
    parts, summaries = ([row for row in rows if row["what"] == what] for what in ("parts", "summary"))
    # Short messages for the latency, and messages of the size of a step's. Those in between stay in the caches.
    latency, inverse = fit([row for row in parts if row["elements"] <= BLOCK or row["elements"] >= parameters / 2])
    summary_latency, _ = fit(summaries)
    work = {}
    for who in (1, "busy"):
        slot, update = np.polyfit(SLOTS, [measured[who, slots] for slots in SLOTS], 1)
        work[who] = (slot, max(update, 0))
    alone, here = (Model(parameters, *work[who], latency, inverse, summary_latency) for who in (1, "busy"))
    print(f"{parameters} parameters. A slot takes {alone.slot * 1e3:.1f} ms and the update {alone.update * 1e3:.1f} ms alone, "
          f"{here.slot * 1e3:.1f} and {here.update * 1e3:.1f} with all {len(CORES)} cores busy. Exchange on this machine: "
          f"{latency * 1e6:.1f} us per message, {1e-9 / inverse:.1f} GB/s, {summary_latency * 1e6:.2f} us for the summary.\n")
    print("| ranks | slots | measured, ms | model, ms | difference |\n|---|---|---|---|---|")
    for (ranks, slots), seconds in measured.items():
        if ranks == "busy":
            continue
        model = (here if ranks == len(CORES) else alone).step(ranks, slots)
        print(f"| {ranks} | {slots} | {seconds * 1e3:.1f} | {model * 1e3:.1f} | {model / seconds - 1:+.1%} |")
    if len(CORES) < 4:
        print(f"\n4 ranks are not measured on {len(CORES)} cores.")
    print("\n| exchange of 2 ranks | elements | measured, ms | model, ms |\n|---|---|---|---|")
    for row, (messages, size) in zip(rows, message_counts(rows)):
        model = messages * (latency if row["what"] == "parts" else summary_latency) + size * inverse
        print(f"| {row['what']} | {row['elements']} | {row['seconds'] * 1e3:.4f} | {model * 1e3:.4f} |")

    there = Model(parameters, *work["busy"], options.latency, 1 / options.bandwidth, options.latency)
    print(f"\nOver a network with {options.latency * 1e6:g} us and {options.bandwidth * 1e-9:g} GB/s per rank, with "
          f"{options.slots} slots per step, and with 4 slots per rank:\n")
    print("| ranks | products, ms | update, ms | parts, ms | summary, ms | step, ms | efficiency | 4 slots per rank: step, "
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
