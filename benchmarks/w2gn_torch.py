#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Times a step of W2GN between two clouds of 1,024 of 4,000 cells in PyTorch, for colour_transfer.py.

    w2gn_torch.py THREADS

Both potentials have 128 softplus units and a quadratic term, and three inputs. Their maps are in closed form, so that a step needs one
backward pass. Prints the version of PyTorch and the seconds of a step.
"""
import sys
import time

import torch
from torch.nn.functional import softplus

UNITS, BATCH, DIMENSIONS = 128, 1024, 3


def torch_steps(threads, steps=300):
    """Returns the seconds of a step."""
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    sizes = [UNITS * DIMENSIONS, UNITS, UNITS, DIMENSIONS, DIMENSIONS * DIMENSIONS]
    parameters = [(0.3 * torch.randn(sum(sizes))).requires_grad_() for _ in range(2)]
    optimiser = torch.optim.Adam(parameters, lr=1e-3, betas=(0.8, 0.9))
    source, target = torch.randn(4000, DIMENSIONS), torch.randn(4000, DIMENSIONS)

    def value_and_map(theta, x):
        A, b, w, a, L = torch.split(theta, sizes)
        A, L, weight = A.view(UNITS, DIMENSIONS), L.view(DIMENSIONS, DIMENSIONS), softplus(w)
        z, linear = torch.addmm(b, x, A.T), x @ L.T
        value = softplus(z) @ weight + x @ a + linear.square().sum(1)
        return value, torch.sigmoid(z) * weight @ A + a + 2 * linear @ L

    def step():
        x, y = source[torch.randperm(4000)[:BATCH]], target[torch.randperm(4000)[:BATCH]]
        D, E = parameters
        value_x, there = value_and_map(D, x)
        _, back = value_and_map(E, y)
        _, returned_y = value_and_map(D, back)
        _, returned_x = value_and_map(E, there)
        constant = back.detach()
        value_back, _ = value_and_map(D, constant)
        loss = value_x.mean() + ((constant * y).sum(1) - value_back).mean()
        loss = loss + 3 * ((returned_y - y).square().mean() + (returned_x - x).square().mean())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    for _ in range(20):
        step()
    begin = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - begin) / steps


if __name__ == "__main__":
    print(torch.__version__, min(torch_steps(int(sys.argv[1])) for _ in range(3)))
