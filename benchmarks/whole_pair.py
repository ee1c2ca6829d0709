#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One whole pair of an evaluation: prediction of 5000 cells of 43 markers, then W1, W2, MMD and r2, against the peers.

    whole_pair.py BUILD/benchmarks/time_metrics BUILD/benchmarks/step_bench [--rounds 3] [--cells 5000]

Prediction is 100 velocities of all cells by the organoid network in fp32, ours (step_bench) and PyTorch's; the scores are
ours (time_metrics) and POT's, scikit-learn's and pandas'. All in turn; the table has medians by the clock, and of CPU.
The peers need OpenBLAS (libopenblas0-pthread): with the reference BLAS their products are some forty times slower.
Debian packages: python3-torch python3-pot python3-sklearn python3-pandas python3-scipy.
"""
import argparse
import statistics
import time

from programs import run_step_bench  # isort: skip (before NumPy and PyTorch)
from compare_pot import normal_cells, time_ours, time_theirs

import numpy as np
import torch

MARKERS, TREATMENTS, HIDDEN, LAYERS, EMBED, TIMES, SPACE, EVALUATIONS = 43, 11, 512, 7, 128, 64, 128, 100


class Velocity(torch.nn.Module):
    """The organoid network of compare_torch.py."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(EMBED + 2 * TIMES + 2 * SPACE + MARKERS + TREATMENTS, HIDDEN)
        self.hidden = torch.nn.ModuleList(torch.nn.Linear(HIDDEN, HIDDEN) for _ in range(LAYERS - 1))
        self.last = torch.nn.Linear(HIDDEN, MARKERS)
        self.register_buffer("space", 0.01 * torch.randn(MARKERS, SPACE))
        self.register_buffer("frequency", 10000.0 ** (-torch.arange(TIMES) / (TIMES - 1)))

    def forward(self, h, t, x, c):
        angle = t[:, None] * self.frequency
        space = 2 * torch.pi * x @ self.space
        row = [h.expand(len(x), -1), angle.sin(), angle.cos(), space.cos(), space.sin(), x, c.expand(len(x), -1)]
        z = torch.selu(self.first(torch.cat(row, 1)))
        for layer in self.hidden:
            z = torch.selu(layer(z) + z)
        return self.last(z)


def timed(work):
    clock, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - cpu


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("time_metrics")
    parser.add_argument("step_bench")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cells", type=int, default=5000)
    options = parser.parse_args()
    x, y = (a.astype(np.float32) for a in normal_cells(options.cells, options.cells, MARKERS))
    threads = torch.get_num_threads()
    velocity = Velocity()
    cells, t = torch.randn(5000, MARKERS), torch.full((5000,), 0.5)
    h, c = torch.nn.functional.normalize(torch.randn(1, EMBED)), torch.eye(TREATMENTS)[3:4]

    def predict():
        with torch.no_grad():
            for _ in range(EVALUATIONS):
                velocity(h, t, cells, c)

    rounds = {"ours": [], "peer": []}
    for _ in range(options.rounds):
        ((clock, cpu),) = run_step_bench(options.step_bench, f"^predict.*/fp32/threads:{threads}/").values()
        ours = time_ours(options.time_metrics, x, y, "w1_and_w2", "mmd", "r2")
        rounds["ours"].append({"predict": (clock / 1e3, cpu / 1e3), **{k: ours[k][1:] for k in ("w1_and_w2", "mmd", "r2")}})
        theirs = time_theirs(x, y, scipy=False)
        rounds["peer"].append({"predict": timed(predict), **{k: theirs[k][1:] for k in ("w1_and_w2", "mmd", "r2")}})
    median = {who: {k: [statistics.median(r[k][l] for r in runs) for l in (0, 1)] for k in runs[0]} for who, runs in rounds.items()}
    for parts in median.values():
        scores = [parts[k] for k in ("w1_and_w2", "mmd", "r2")]
        parts["scores"] = [sum(p[l] for p in scores) for l in (0, 1)]
        parts["whole pair"] = [parts["predict"][l] + parts["scores"][l] for l in (0, 1)]
    print("| part | popflow, s (CPU) | peer, s (CPU) | ratio (CPU) |\n|---|---|---|---|")
    for name in median["ours"]:
        a, b = median["ours"][name], median["peer"][name]
        print(f"| {name} | {a[0]:.3f} ({a[1]:.3f}) | {b[0]:.3f} ({b[1]:.3f}) | {b[0] / a[0]:.1f} ({b[1] / a[1]:.1f}) |")


if __name__ == "__main__":
    main()
