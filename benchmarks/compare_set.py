#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares training steps of the set transformer with PyTorch, eager and compiled, and prints a table.

    compare_set.py BUILD/benchmarks/step_bench [--rounds 3] [--threads 2] [--cases CASE...]

Run it in the environment of make_environment.sh. torch.compile needs g++.

Cases:
  set_small   16 clouds of 256 points in 2 markers, width 128, 4 blocks, 4 heads
  set_large   8 clouds of 2048 points in 3 markers, width 512, 6 blocks, 4 heads

A step is the forward pass, the backward pass and Adam, in both programs. PyTorch has scaled_dot_product_attention and a fused
torch.optim.Adam. bf16 is torch.autocast, and is compared only on CPUs with instructions for it.

popflow and PyTorch run in turn on the same cores. Times are medians over the rounds, each round the mean of a few steps, as
elapsed time and, in brackets, CPU time of all threads. Compilation happens in the warm-up and does not count. The faster of
eager and compiled counts for the ratio. peer_speed.py refuses ratios if PyTorch's plain products are slow.
"""
import argparse
import os
import sys
import time

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
options.add_argument("--no-compile", action="store_true", help="skip torch.compile")
arguments = options.parse_args()
# A spinning thread takes the time of the thread that it waits for, and counts as CPU time. Unbound threads may share a core
# while another core is idle.
os.environ.update(OMP_NUM_THREADS=str(arguments.threads), OMP_WAIT_POLICY="passive", OMP_PROC_BIND="true", OMP_PLACES="cores")

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


def make_step(case, precision, compiled):
    """Returns a function that does one training step of its own network."""
    clouds, points, width, blocks, markers, _ = CASES[case]
    net = SetTransformer(width, blocks, markers)
    x, target, cloud = (torch.randn(clouds, points, markers), torch.randn(clouds, points, markers),
                        torch.randn(clouds, CLOUD_INPUTS))
    adam = torch.optim.Adam(net.parameters(), 1e-4, fused=True)

    def loss():
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
            y = net(x, cloud)
        return ((y.float() - target) ** 2).sum(2).mean()

    evaluate = torch.compile(loss, dynamic=False) if compiled else loss

    def step():
        adam.zero_grad()
        evaluate().backward()
        adam.step()

    return step


def timed(step, count):
    """Returns elapsed and CPU milliseconds of a step."""
    start, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        step()
    return 1e3 * (time.perf_counter() - start) / count, 1e3 * (time.process_time() - cpu) / count


def main():
    def make_work(case, precision, compiled):
        return make_step(case, precision, compiled), CASES[case][-1]

    return compare_rounds(arguments, make_work, lambda step: step(), timed, "|".join(f"step/{case}" for case in arguments.cases))


if __name__ == "__main__":
    sys.exit(main())
