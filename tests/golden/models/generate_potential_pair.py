#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes potential_pair.h5: loss and gradients of pairs of convex potentials, computed by PyTorch in float64.

Each case has the parameters of D and E in the order A, b, w, a, L, a batch, the maps of the batch, the loss of W2GN with
the cycle term in both directions, and its gradients, with second derivatives by autograd.

Debian packages: python3-torch python3-h5py. Run: generate_potential_pair.py potential_pair.h5
"""
import sys

import h5py
import torch

CYCLE = 3.0
CASES = {"small": dict(d=3, hidden=7, n=20, m=13), "wide": dict(d=11, hidden=6, n=150, m=9)}


def softplus(z):
    return torch.nn.functional.softplus(z, threshold=700)


def value(theta, d, hidden, x):
    A, b, w, a, L = torch.split(theta, [hidden * d, hidden, hidden, d, d * d])
    units = softplus(x @ A.reshape(hidden, d).T + b)
    return units @ softplus(w) + x @ a + (x @ L.reshape(d, d).T).square().sum(1)


def transport(theta, d, hidden, x):
    if not x.requires_grad:
        x = x.clone().requires_grad_()
    return torch.autograd.grad(value(theta, d, hidden, x).sum(), x, create_graph=True)[0]


def main(path):
    torch.manual_seed(5)
    torch.set_default_dtype(torch.float64)
    with h5py.File(path, "w") as file:
        for name, case in CASES.items():
            d, hidden = case["d"], case["hidden"]
            size = hidden * d + 2 * hidden + d + d * d
            D = (0.5 * torch.randn(size)).float().double().requires_grad_()
            E = (0.5 * torch.randn(size)).float().double().requires_grad_()
            x = torch.randn(case["n"], d).float().double()
            y = (1 + 0.5 * torch.randn(case["m"], d)).float().double()
            mapped = transport(D, d, hidden, x)
            back = transport(E, d, hidden, y)
            constant = back.detach()
            loss = value(D, d, hidden, x).mean() + ((constant * y).sum(1) - value(D, d, hidden, constant)).mean()
            loss = loss + CYCLE * ((transport(D, d, hidden, back) - y).square().mean()
                                   + (transport(E, d, hidden, mapped) - x).square().mean())
            dD, dE = torch.autograd.grad(loss, [D, E])
            group = file.create_group(name)
            group.attrs.update(inputs=d, hidden=hidden, cycle=CYCLE, loss=loss.item())
            for key, array in dict(source=D, target=E, x=x, y=y, mapped=mapped, back=back, d_source=dD,
                                   d_target=dE).items():
                group[key] = array.detach().numpy()


if __name__ == "__main__":
    main(sys.argv[1])
