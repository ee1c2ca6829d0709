#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes set_transformer.h5: outputs and gradients of a small transformer on point clouds, computed by PyTorch in float64.

Each case has clouds of different sizes, the parameters with popflow's names, the output y, and the gradient of every
parameter for the loss sum(y * weight).

Debian packages: python3-torch python3-h5py. Run: generate_set_transformer.py set_transformer.h5
"""
import sys

import h5py
import numpy as np
import torch
from torch.nn.functional import layer_norm, leaky_relu, linear

POINT_INPUTS, WIDTH, BLOCKS, OUTPUTS = 3, 16, 2, 3
SIZES = (1, 5, 40, 290)
# Heads, cloud inputs, and whether these modulate each block (adaptive layer normalisation).
CASES = {"heads_1": (1, 6, False), "heads_4": (4, 6, False), "no_cloud_inputs": (4, 0, False), "modulation": (4, 6, True)}


def attention(q, k, v):
    """Scaled dot-product attention, [heads, points, head width]. PyTorch before 2.0 has no function for it."""
    if hasattr(torch.nn.functional, "scaled_dot_product_attention"):
        return torch.nn.functional.scaled_dot_product_attention(q, k, v)
    return torch.softmax(q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5, -1) @ v


def make_parameters(cloud_inputs, modulation):
    p = {}

    def add_linear(name, inputs, outputs):
        p[f"net.{name}.weight"] = torch.randn(outputs, inputs) / inputs ** 0.5
        p[f"net.{name}.bias"] = 0.3 * torch.randn(outputs)

    def add_norm(name):
        p[f"net.{name}.weight"] = 1 + 0.3 * torch.randn(WIDTH)
        p[f"net.{name}.bias"] = 0.3 * torch.randn(WIDTH)

    add_linear("input", POINT_INPUTS, WIDTH)
    if modulation:
        add_linear("condition", cloud_inputs, WIDTH)
    for b in range(BLOCKS):
        if modulation:
            add_linear(f"block_{b}.modulation", WIDTH, 6 * WIDTH)
        elif cloud_inputs:
            add_linear(f"block_{b}.cloud", cloud_inputs, WIDTH)
        add_norm(f"block_{b}.attention.norm")
        add_linear(f"block_{b}.attention.in", WIDTH, 3 * WIDTH)
        add_linear(f"block_{b}.attention.out", WIDTH, WIDTH)
        add_norm(f"block_{b}.mlp.norm")
        add_linear(f"block_{b}.mlp.first", WIDTH, WIDTH)
        add_linear(f"block_{b}.mlp.second", WIDTH, WIDTH)
    add_norm("norm")
    add_linear("output", WIDTH, OUTPUTS)
    return {name: value.requires_grad_() for name, value in p.items()}


def forward(p, x, cloud, heads, modulation):
    """Returns the outputs of the points x of one cloud with inputs `cloud`."""

    def apply(name, z):
        return linear(z, p[f"net.{name}.weight"], p[f"net.{name}.bias"])

    def norm(name, z, scale=0, shift=0):
        """Layer normalisation, with scale and shift before its gain and bias."""
        return ((1 + scale) * layer_norm(z, (WIDTH,)) + shift) * p[f"net.{name}.weight"] + p[f"net.{name}.bias"]

    h = apply("input", x)
    condition = leaky_relu(apply("condition", cloud), 0.01) if modulation else None
    for b in range(BLOCKS):
        z = h + apply(f"block_{b}.cloud", cloud) if len(cloud) and not modulation else h
        scale_1, shift_1, gate_1, scale_2, shift_2, gate_2 = apply(f"block_{b}.modulation", condition).split(WIDTH) if modulation else 6 * [0]
        qkv = apply(f"block_{b}.attention.in", norm(f"block_{b}.attention.norm", z, scale_1, shift_1))
        q, k, v = qkv.view(len(x), 3, heads, WIDTH // heads).permute(1, 2, 0, 3)
        mixed = attention(q, k, v).transpose(0, 1).reshape(len(x), WIDTH)
        h = h + (1 + gate_1) * apply(f"block_{b}.attention.out", mixed)
        z = leaky_relu(apply(f"block_{b}.mlp.first", norm(f"block_{b}.mlp.norm", h, scale_2, shift_2)), 0.01)
        h = h + (1 + gate_2) * apply(f"block_{b}.mlp.second", z)
    return apply("output", norm("norm", h))


def write_case(group, heads, cloud_inputs, modulation, seed):
    torch.manual_seed(seed)
    p = make_parameters(cloud_inputs, modulation)
    x = torch.randn(sum(SIZES), POINT_INPUTS)
    shared = torch.randn(len(SIZES), cloud_inputs)
    weight = torch.randn(sum(SIZES), OUTPUTS)
    y = torch.cat([forward(p, points, cloud, heads, modulation) for points, cloud in zip(x.split(SIZES), shared)])
    (y * weight).sum().backward()
    group.attrs.update(heads=heads, cloud_inputs=cloud_inputs, modulation=int(modulation))
    group.update({"x": x.numpy(), "y": y.detach().numpy(), "dy": weight.numpy()})
    if cloud_inputs:
        group["shared"] = shared.numpy()
    for name, value in p.items():
        group[f"weights/{name}"] = np.atleast_2d(value.detach().numpy())
        group[f"gradients/{name}"] = np.atleast_2d(value.grad.numpy())


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    with h5py.File(sys.argv[1], "w", track_order=False) as file:
        file.attrs.update(format=1, torch=str(torch.__version__), numpy=np.__version__)
        file.attrs.update(point_inputs=POINT_INPUTS, width=WIDTH, blocks=BLOCKS, outputs=OUTPUTS)
        file["bounds"] = np.cumsum((0, *SIZES)).astype(np.float64)
        for i, (name, case) in enumerate(CASES.items()):
            write_case(file.create_group(name), *case, seed=i + 1)
    print("torch", torch.__version__, "numpy", np.__version__)
