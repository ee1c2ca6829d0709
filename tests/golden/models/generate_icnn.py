#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes icnn.h5: reference results of PyTorch for small pairs of convex potentials, without and with a treatment.

Each case has the weights of f and g, one batch, the map grad g, both losses with the gradient of every parameter (second
derivatives by autograd), and the losses and final weights of ten alternating Adam steps.

Debian packages: python3-torch python3-h5py. Run: generate_icnn.py icnn.h5
"""
import sys

import h5py
import numpy as np
import torch
from torch.nn.functional import leaky_relu, linear, softplus

N, D, TREATMENTS, HIDDEN, LAYERS, INNER = 20, 5, 3, 8, 3, 4
CASES = {"none": 0, "treatment": TREATMENTS}
RATE, BETAS = 1e-2, (0.5, 0.9)


def make_potential(name, context):
    """Returns the parameters of one potential with the names that popflow gives them."""
    p = {}

    def add(what, rows, cols, scale, mean=0.0, bias=None):
        p[f"{name}.{what}.weight"] = mean + scale * torch.randn(rows, cols)
        if bias is not None:
            p[f"{name}.{what}.bias"] = bias + 0.2 * torch.randn(rows)

    for l in range(LAYERS + 1):
        out = HIDDEN if l < LAYERS else 1
        add(f"input_{l}", out, D, 0.5, bias=0.0)
        if l > 0:
            add(f"hidden_{l}", out, HIDDEN, 0.2, mean=0.1)
    if context:
        for l in range(LAYERS + 1):
            out = HIDDEN if l < LAYERS else 1
            width = context if l == 0 else HIDDEN
            add(f"gate_x_{l}", D, width, 0.5, bias=1.0)
            add(f"shift_{l}", out, width, 0.5)
            if l > 0:
                add(f"gate_z_{l}", HIDDEN, width, 0.5, bias=0.5)
            if l < LAYERS:
                add(f"context_{l}", HIDDEN, width, 0.7, bias=0.0)
    if name == "f":  # its weights are clamped after each update
        for key in p:
            if ".hidden_" in key:
                p[key].clamp_(min=0)
    return {k: v.float().double().requires_grad_() for k, v in p.items()}


def potential(p, name, x, c):
    """Returns y(x | c), in the form of the papers: each layer is a sum of its input paths."""
    u, z = c, None
    for l in range(LAYERS + 1):
        get = lambda what: p[f"{name}.{what}_{l}.weight"]
        bias = lambda what: p[f"{name}.{what}_{l}.bias"]
        if len(c):
            a = linear(x * linear(u, get("gate_x"), bias("gate_x")), get("input"), bias("input"))
            a = a + linear(u, get("shift"))
        else:
            a = linear(x, get("input"), bias("input"))
        if l > 0:
            gated = z * softplus(linear(u, get("gate_z"), bias("gate_z"))) if len(c) else z
            a = a + linear(gated, get("hidden"))
        if l == LAYERS:
            return a
        z = leaky_relu(a, 0.2)
        z = z * z if l == 0 else z
        if len(c):
            u = leaky_relu(linear(u, get("context"), bias("context")), 0.2)


def transport(g, x, c):
    """Returns the gradient of g at x."""
    x = x.clone().requires_grad_()
    return torch.autograd.grad(potential(g, "g", x, c).sum(), x, create_graph=True)[0]


def g_loss(f, g, batch):
    moved = transport(g, batch["x0"], batch["condition"])
    penalty = sum(torch.relu(-w).norm() for key, w in g.items() if ".hidden_" in key)
    return (potential(f, "f", moved, batch["condition"])[:, 0] - (batch["x0"] * moved).sum(1)).mean() + penalty


def f_loss(f, g, batch):
    c = batch["condition"]
    moved = transport(g, batch["x0"], c).detach()
    return potential(f, "f", batch["x1"], c).mean() - potential(f, "f", moved, c).mean()


def zero_gradients(*potentials):
    for p in potentials:
        for w in p.values():
            w.grad = None


def write_parameters(group, name, *potentials, what=lambda w: w.detach()):
    for p in potentials:
        for key, w in p.items():
            group[f"{name}/{key}"] = np.atleast_2d(what(w).numpy())


def write_case(group, context, seed):
    torch.manual_seed(seed)
    f, g = make_potential("f", context), make_potential("g", context)
    generator = np.random.default_rng(seed)
    normal = lambda *shape: torch.from_numpy(generator.normal(size=shape).astype(np.float32)).double()
    batch = {"x0": normal(N, D), "x1": normal(N, D) + 0.5, "condition": torch.tensor([0.0, 1.0, 0.5])[:context]}
    group["batch/x0"], group["batch/x1"] = batch["x0"].numpy(), batch["x1"].numpy()
    group.attrs["conditions"] = context
    write_parameters(group, "weights", f, g)
    group["moved"] = transport(g, batch["x0"], batch["condition"]).detach().numpy()
    for name, loss_of, own in (("g", g_loss, g), ("f", f_loss, f)):
        zero_gradients(f, g)
        loss = loss_of(f, g, batch)
        loss.backward()
        group[f"{name}_loss"] = loss.item()
        write_parameters(group, "gradients", own, what=lambda w: torch.zeros_like(w) if w.grad is None else w.grad)

    adam = {"g": torch.optim.Adam(g.values(), lr=RATE, betas=BETAS), "f": torch.optim.Adam(f.values(), lr=RATE, betas=BETAS)}
    losses = []
    for step in range(10):
        name = "f" if step % (INNER + 1) == INNER else "g"
        zero_gradients(f, g)
        loss = (f_loss if name == "f" else g_loss)(f, g, batch)
        loss.backward()
        adam[name].step()
        if name == "f":
            with torch.no_grad():
                for key, w in f.items():
                    if ".hidden_" in key:
                        w.clamp_(min=0)
        losses.append(loss.item())
    group["adam_losses"] = losses
    write_parameters(group, "adam_weights", f, g)


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    with h5py.File(sys.argv[1], "w", track_order=False) as file:
        file.attrs.update(format=1, torch=str(torch.__version__), numpy=np.__version__)
        file.attrs.update(markers=D, hidden=HIDDEN, layers=LAYERS, inner_steps=INNER, rate=RATE)
        for i, (name, context) in enumerate(CASES.items()):
            write_case(file.create_group(name), context, seed=i + 1)
    print("torch", torch.__version__, "numpy", np.__version__)
