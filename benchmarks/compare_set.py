#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares training steps of the set transformer with PyTorch, eager and compiled, and prints a table.

    compare_set.py BUILD/benchmarks/step_bench [--rounds 3] [--threads 2] [--cases CASE...] [--training BUILD/popflow]

Run it in the environment of make_environment.sh. torch.compile needs g++.

Cases:
  set_small   16 clouds of 256 points in 2 markers, width 128, 4 blocks, 4 heads
  set_large   8 clouds of 2048 points in 3 markers, width 512, 6 blocks, 4 heads

A step is the forward pass, the backward pass and Adam, in both programs. PyTorch has scaled_dot_product_attention and a fused
torch.optim.Adam. bf16 is torch.autocast, and is compared only on CPUs with instructions for it.

popflow and PyTorch run in turn on the same cores. Times are medians over the rounds, each round the mean of a few steps, as
elapsed time and, in brackets, CPU time of all threads.

--training also compares whole training steps: draws, outer coupling by Chamfer distance within halves of the batch, inner coupling,
gradients and Adam. PyTorch's inner coupling is POT's exact plan, or 200 iterations of Sinkhorn's method in the log domain with the
weight 0.002 of the largest cost, for all clouds together. Its outer coupling uses torch.cdist and SciPy's assignment. popflow's
step is the difference between two trainings of different lengths.

Compilation happens in the warm-up and does not count. The faster of
eager and compiled counts for the ratio. peer_speed.py refuses ratios if PyTorch's plain products are slow.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from programs import all_cores, measured_run, run  # isort: skip (before PyTorch)
from torch_rounds import compare_rounds

CASES = {  # clouds, points, width, blocks, markers, and steps of a round, the same number as in step_bench
    "set_small": (16, 256, 128, 4, 2, 5),
    "set_large": (8, 2048, 512, 6, 3, 1),
}
HEADS, CLOUD_INPUTS = 4, 32

options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("step_bench")
options.add_argument("--rounds", type=int, default=3)
options.add_argument("--threads", type=int, default=2)
options.add_argument("--cases", nargs="+", choices=[*CASES], default=[*CASES])
options.add_argument("--training", metavar="POPFLOW", help="also compare whole training steps")
options.add_argument("--no-compile", action="store_true", help="skip torch.compile")
arguments = options.parse_args()
# A spinning thread takes the time of the thread that it waits for, and counts as CPU time. Unbound threads may share a core
# while another core is idle.
os.environ.update(OMP_NUM_THREADS=str(arguments.threads), OMP_WAIT_POLICY="passive", OMP_PROC_BIND="true", OMP_PLACES="cores")

import numpy  # noqa: E402
import torch  # noqa: E402: after the settings for its threads
from torch.nn import LayerNorm, Linear, functional  # noqa: E402

torch.set_num_threads(arguments.threads)
torch.manual_seed(0)


class Block(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.cloud = Linear(CLOUD_INPUTS, width)
        self.attention_norm, self.mlp_norm = LayerNorm(width), LayerNorm(width)
        self.qkv, self.projection = Linear(width, 3 * width), Linear(width, width)
        self.up, self.down = Linear(width, width), Linear(width, width)

    def forward(self, h, cloud):
        clouds, points, width = h.shape
        qkv = self.qkv(self.attention_norm(h + self.cloud(cloud)[:, None]))
        q, k, v = qkv.view(clouds, points, 3, HEADS, width // HEADS).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(clouds, points, width)
        h = h + self.projection(mixed)
        return h + self.down(functional.leaky_relu(self.up(self.mlp_norm(h)), 0.01))


class SetTransformer(torch.nn.Module):
    """Transformer on clouds x of equal size, [clouds, points, markers], with inputs that a cloud shares."""

    def __init__(self, width, blocks, markers):
        super().__init__()
        self.input, self.norm, self.output = Linear(markers, width), LayerNorm(width), Linear(width, markers)
        self.blocks = torch.nn.ModuleList(Block(width) for _ in range(blocks))

    def forward(self, x, cloud):
        h = self.input(x)
        for block in self.blocks:
            h = block(h, cloud)
        return self.output(self.norm(h))


def make_step(case, precision, compiled, draw=None):
    """Returns a function that does one training step of its own network. draw() returns points and velocities, or both are fixed."""
    clouds, points, width, blocks, markers, _ = CASES[case]
    net = SetTransformer(width, blocks, markers)
    fixed = torch.randn(clouds, points, markers), torch.randn(clouds, points, markers)
    cloud = torch.randn(clouds, CLOUD_INPUTS)
    adam = torch.optim.Adam(net.parameters(), 1e-4, fused=True)

    def loss(x, target):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
            y = net(x, cloud)
        return ((y.float() - target) ** 2).sum(2).mean()

    evaluate = torch.compile(loss, dynamic=False) if compiled else loss

    def step():
        adam.zero_grad()
        evaluate(*(draw() if draw else fixed)).backward()
        adam.step()

    return step


def exact_partners(x, y):
    """Returns y in the order of its partners in x, by POT's exact plan of each cloud."""
    import ot

    uniform = numpy.full(x.shape[1], 1 / x.shape[1])
    costs = torch.cdist(x, y).square().double().numpy()
    order = numpy.stack([ot.emd(uniform, uniform, cost).argmax(1) for cost in costs])
    return torch.take_along_dim(y, torch.from_numpy(order)[..., None], 1)


def sinkhorn_partners(x, y):
    """Returns the most likely partner of each point after 200 iterations of Sinkhorn's method."""
    cost = torch.cdist(x, y).square()
    kernel = -cost / (0.002 * cost.amax((1, 2), keepdim=True))
    f, g = torch.zeros(*x.shape[:2], 1), torch.zeros(x.shape[0], 1, x.shape[1])
    for _ in range(200):
        f = -torch.logsumexp(kernel + g, 2, keepdim=True)
        g = -torch.logsumexp(kernel + f, 1, keepdim=True)
    return torch.take_along_dim(y, (kernel + g).argmax(2)[..., None], 1)


def couple_clouds(x, y):
    """Permutes the clouds of y within the halves of the batch by an assignment with Chamfer distances."""
    from scipy.optimize import linear_sum_assignment

    parts = []
    for a, b in zip(x.chunk(2), y.chunk(2)):
        cost = torch.empty(len(a), len(b))
        for i in range(len(a)):
            distance = torch.cdist(a[i][None], b).square()
            cost[i] = distance.amin(1).mean(1) + distance.amin(2).mean(1)
        parts.append(b[linear_sum_assignment(cost.numpy())[1]])
    return torch.cat(parts)


def training_step(case, partners):
    """Returns a function that does a whole training step in PyTorch."""
    clouds, points, _, _, markers, _ = CASES[case]
    data = torch.randn(64, points, markers) * torch.rand(64, 1, markers)

    def draw():
        y = data[torch.randint(len(data), (clouds,))]
        x = torch.randn(clouds, points, markers) * torch.rand(clouds, 1, markers)
        y = partners(x, couple_clouds(x, y))
        t = torch.rand(clouds, 1, 1)
        return (1 - t) * x + t * y, y - x

    return make_step(case, "fp32", False, draw)


def popflow_training_step(program, case, folder):
    """Returns elapsed and CPU milliseconds of a training step of popflow."""
    clouds, points, width, blocks, markers, count = CASES[case]
    data = folder / f"{case}.h5ad"
    if not data.exists():
        run([program, "simulate", "shapes", "rings" if markers == 2 else "superquadrics", "--output", data, "--populations", "64",
             "--test-populations", "2", "--cells", str(points)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    times = []
    for steps in (count, 3 * count):
        out = folder / f"{case}_{steps}"
        shutil.rmtree(out, ignore_errors=True)
        with all_cores():
            times.append(measured_run([program, "train", "--method", "wfm", "--data", data, "--population", "population", "--split", "column:split",
                                       "--min-cells", 10, "--transform", "none", "--steps", steps, "--batch-pairs", 2, "--populations-per-slot", clouds // 2,
                                       "--cells", points, "--attention-width", width, "--attention-blocks", blocks, "--attention-heads", HEADS,
                                       "--precision", "fp32", "--output", out]))
    return [1e3 * (long - short) / (2 * count) for short, long in zip(*(t[:2] for t in times))]


def compare_training():
    """Prints a table of whole training steps."""
    with tempfile.TemporaryDirectory() as folder:
        rounds = {}
        steps = {(case, partners): training_step(case, partners) for case in arguments.cases for partners in (exact_partners, sinkhorn_partners)}
        for step in steps.values():
            step()
        for _ in range(arguments.rounds):
            for (case, partners), step in steps.items():
                rounds.setdefault((case, partners), []).append(timed(step, CASES[case][-1]))
            for case in arguments.cases:
                rounds.setdefault((case, None), []).append(popflow_training_step(arguments.training, case, Path(folder)))
    median = {key: [statistics.median(v) for v in zip(*values)] for key, values in rounds.items()}
    print("\n| whole step | popflow | PyTorch with exact plans | PyTorch with Sinkhorn | ratio exact (CPU) | ratio Sinkhorn (CPU) |")
    print("|---|---|---|---|---|---|")
    for case in arguments.cases:
        own, exact, sinkhorn = (median[case, who] for who in (None, exact_partners, sinkhorn_partners))
        texts = [f"{t[0]:.0f} ({t[1]:.0f})" for t in (own, exact, sinkhorn)]
        ratios = [f"{t[0] / own[0]:.2f} ({t[1] / own[1]:.2f})" for t in (exact, sinkhorn)]
        print("|", " | ".join([case, *texts, *ratios]), "|")


def timed(step, count):
    """Returns elapsed and CPU milliseconds of a step."""
    start, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        step()
    return 1e3 * (time.perf_counter() - start) / count, 1e3 * (time.process_time() - cpu) / count


def main():
    def make_work(case, precision, compiled):
        return make_step(case, precision, compiled), CASES[case][-1]

    status = compare_rounds(arguments, make_work, lambda step: step(), timed, "|".join(f"step/{case}" for case in arguments.cases))
    if arguments.training:
        compare_training()
    return status


if __name__ == "__main__":
    sys.exit(main())
