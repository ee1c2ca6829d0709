#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Times a training step and prediction against PyTorch on the same cores, in turn, and prints a table.

    compare_torch.py BUILD/benchmarks/step_bench [--rounds 3] [--threads 2]

Debian packages: python3-torch libopenblas0-openmp (libopenblas0-pthread starts threads that all share one core).

The PyTorch model is the organoid one in plain modules: the graph layers gather and scatter-add as graph libraries do,
the decoder takes the concatenated inputs, the optimiser is torch.optim.Adam; bf16 is torch.autocast. `flow` has a
cached embedding, `joint` builds the graph of 1024 cells and trains the encoder too. Our step draws its cells, sums
gradients exactly and keeps the mean of the weights besides. Both are given by clock and by CPU time of all threads
(medians of rounds, each the mean of 5 steps); on a machine that others use, compare the latter. PyTorch's fp32
products are those of OpenBLAS with the kernels of this CPU.
"""
import argparse
import math
import os
import re
import statistics
import time
from pathlib import Path

from programs import blas_kernels, run_step_bench  # isort: skip (before PyTorch)

options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("step_bench")
options.add_argument("--rounds", type=int, default=3)
options.add_argument("--threads", type=int, default=2)
options.add_argument("--no-prediction", action="store_true")
arguments = options.parse_args()
# A thread that spins takes the time of the one it waits for, and counts as CPU time; threads that are not bound may
# share a core while others are busy.
os.environ.update(OMP_NUM_THREADS=str(arguments.threads), OMP_WAIT_POLICY="passive", OMP_PROC_BIND="true",
                  OMP_PLACES="cores", OPENBLAS_NUM_THREADS=str(arguments.threads))

import torch  # noqa: E402: after the settings of its threads

torch.set_num_threads(arguments.threads)
torch.manual_seed(0)
MARKERS, TREATMENTS, TYPES, HIDDEN, LAYERS, EMBED, TIMES, SPACE, CELLS = 43, 11, 2, 512, 7, 128, 64, 128, 1024


class Decoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        inputs = EMBED + 2 * TIMES + 2 * SPACE + MARKERS + TREATMENTS
        self.first = torch.nn.Linear(inputs, HIDDEN)
        self.hidden = torch.nn.ModuleList(torch.nn.Linear(HIDDEN, HIDDEN) for _ in range(LAYERS - 1))
        self.last = torch.nn.Linear(HIDDEN, MARKERS)
        self.register_buffer("space", 0.01 * torch.randn(MARKERS, SPACE))
        self.register_buffer("frequency", 10000.0 ** (-torch.arange(TIMES) / (TIMES - 1)))

    def forward(self, h, t, x, c):
        angle = t[:, None] * self.frequency
        space = 2 * math.pi * x @ self.space
        row = [h.expand(len(x), -1), angle.sin(), angle.cos(), space.cos(), space.sin(), x, c.expand(len(x), -1)]
        z = torch.selu(self.first(torch.cat(row, 1)))
        for layer in self.hidden:
            z = torch.selu(layer(z) + z)
        return self.last(z)


class NeighbourMean(torch.autograd.Function):
    """Mean over each cell and its neighbours, edge by edge."""

    @staticmethod
    def forward(context, z, columns):
        context.save_for_backward(columns)
        n, k = columns.shape
        rows = torch.arange(n).repeat_interleave(k)
        return torch.zeros_like(z).index_add_(0, rows, z[columns.reshape(-1)]) / k

    @staticmethod
    def backward(context, gradient):
        (columns,) = context.saved_tensors
        n, k = columns.shape
        each = (gradient / k).repeat_interleave(k, 0)
        return torch.zeros_like(gradient).index_add_(0, columns.reshape(-1), each), None


class Encoder(torch.nn.Module):
    def __init__(self, knn):
        super().__init__()
        self.knn = knn
        self.conv = torch.nn.ModuleList([torch.nn.Linear(MARKERS + TYPES, 128), torch.nn.Linear(128, EMBED)])

    def forward(self, x, one_hot):
        z = torch.cat([x, one_hot], 1)
        if self.knn:
            distance = torch.cdist(x, x)
            distance.fill_diagonal_(math.inf)
            near = distance.topk(self.knn, largest=False).indices
            columns = torch.cat([torch.arange(len(x))[:, None], near], 1)
        for i, conv in enumerate(self.conv):
            z = conv(z).float()
            z = NeighbourMean.apply(z, columns) if self.knn else z
            z = torch.relu(z) if i == 0 else z
        e = z.mean(0, keepdim=True)
        return e / e.norm()


decoder = Decoder()
encoders = {k: Encoder(k) for k in (0, 10, 100)}
x0, x1 = torch.randn(CELLS, MARKERS), torch.randn(CELLS, MARKERS)
one_hot = torch.eye(TYPES)[torch.zeros(CELLS, dtype=torch.long)]
treatment = torch.eye(TREATMENTS)[3:4]
embedding = torch.nn.functional.normalize(torch.randn(1, EMBED))
adam = {k: torch.optim.Adam([*decoder.parameters(), *e.parameters()], 1e-4) for k, e in encoders.items()}
adam[None] = torch.optim.Adam(decoder.parameters(), 1e-4)


def step(knn, precision):
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
        h = embedding if knn is None else encoders[knn](x0, one_hot)
        t = torch.rand(CELLS)
        v = decoder(h, t, (1 - t[:, None]) * x0 + t[:, None] * x1, treatment)
    loss = ((v.float() - (x1 - x0)) ** 2).sum(1).mean()
    adam[knn].zero_grad()
    loss.backward()
    adam[knn].step()


def predict(precision, evaluations=10):
    """A tenth of 100 velocities of 5000 cells."""
    x = torch.randn(5000, MARKERS)
    t = torch.full((5000,), 0.5)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
        for _ in range(evaluations):
            decoder(embedding, t, x, treatment)


STEPS = 5  # of each kind in a round, as step_bench has
times = {}  # (who, case, precision) -> [(clock ms, CPU ms)]


def time_torch(case, precision, work, count=1, scale=1):
    clock, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        work()
    times.setdefault(("torch", case, precision), []).append(
        (1e3 * scale / count * (time.perf_counter() - clock), 1e3 * scale / count * (time.process_time() - cpu)))


cases = {"flow": None, "joint_k0": 0, "joint_k10": 10, "joint_k100": 100}
# Without such products PyTorch takes minutes for a step in bf16, and popflow has none.
precisions = ("fp32", "bf16") if re.search(r"avx512_bf16|amx_bf16", Path("/proc/cpuinfo").read_text()) else ("fp32",)
for precision in precisions:
    for knn in cases.values():
        for _ in range(2):
            step(knn, precision)
    predict(precision, 1)
for _ in range(arguments.rounds):
    for case, knn in cases.items():
        for precision in precisions:
            time_torch(case, precision, lambda: step(knn, precision), STEPS)
    if not arguments.no_prediction:
        for precision in precisions:
            time_torch("predict_5000x100", precision, lambda: predict(precision), scale=10)
    groups = "step" if arguments.no_prediction else "step|predict"
    rows = run_step_bench(arguments.step_bench, f"^({groups}).*/threads:{arguments.threads}/")
    for (case, precision), row in rows.items():
        times.setdefault(("ours", case, precision), []).append(row)

median = {key: [statistics.median(v) for v in zip(*values)] for key, values in times.items()}
print(f"torch {torch.__version__}, OpenBLAS kernels: {blas_kernels()}, {arguments.threads} threads; ms by the clock "
      f"(CPU of all threads), medians of {arguments.rounds} rounds\n")
print("| case | ours fp32 | ours bf16 | torch fp32 | torch bf16 | fp32 / fp32 | bf16 / bf16 | torch fp32 / ours bf16 "
      "| faster torch / ours bf16 |")
print("|---|---|---|---|---|---|---|---|---|")
for case in [*cases, "letters", "predict_5000x100"]:
    cell = [median.get((who, case, p)) for who in ("ours", "torch") for p in ("fp32", "bf16")]
    texts = [f"{v[0]:.1f} ({v[1]:.1f})" if v else "-" for v in cell]
    ours32, ours16, torch32, torch16 = cell

    def ratio(a, b):
        return f"{a[0] / b[0]:.2f} ({a[1] / b[1]:.2f})" if a and b else "-"

    faster = min(torch32, torch16) if torch32 and torch16 else None
    ratios = [ratio(torch32, ours32), ratio(torch16, ours16), ratio(torch32, ours16), ratio(faster, ours16)]
    print("|", " | ".join([case, *texts, *ratios]), "|")
