#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes flow_matching.h5: reference results of PyTorch and SciPy for small FM, CGFM and MFM models.

Each case has a model (weights, frequencies), one batch, the embedding, the velocities, the loss, the gradient of every
parameter, the losses and the weights of ten Adam steps on the batch, and the cells moved from t = 0 to 1.

Debian packages: python3-torch python3-scipy python3-h5py. Run: generate.py flow_matching.h5
"""
import math
import sys

import h5py
import numpy as np
import scipy
import torch
from scipy.integrate import solve_ivp

N, D, TYPES, TREATMENTS, PAIRS = 24, 5, 2, 3, 4
HIDDEN, LAYERS, TIME, SPACE, EMBED, ENCODER = 16, 4, 3, 4, 6, 8
CASES = {
    "fm": dict(method="fm", knn=0, encoder_layers=2),
    "cgfm": dict(method="cgfm", knn=0, encoder_layers=2),
    "mfm_k0": dict(method="mfm", knn=0, encoder_layers=2),
    "mfm_k5": dict(method="mfm", knn=5, encoder_layers=2),
    "mfm_k5_deep": dict(method="mfm", knn=5, encoder_layers=3),
    "mfm_fourier": dict(method="mfm", knn=5, encoder_layers=3, encoder_frequencies=3, time_highest=30.0),
    "mfm_film": dict(method="mfm", knn=0, encoder_layers=2, film=1, embedding_norm=2.5),
    "cgfm_film": dict(method="cgfm", knn=0, encoder_layers=2, film=1),
}


class Reference(torch.nn.Module):
    """The model of docs/method.md in plain PyTorch."""

    def __init__(self, method, knn, encoder_layers, encoder_frequencies=0, time_highest=1.0,
                 film=0, embedding_norm=1.0):
        super().__init__()
        self.method, self.knn, self.time_highest = method, knn, time_highest
        self.embedding_norm = embedding_norm
        context = {"fm": 0, "cgfm": PAIRS, "mfm": EMBED}[method]
        inputs = context + 2 * TIME + 2 * SPACE + D + TREATMENTS
        self.register_buffer("frequencies", 0.3 * torch.randn(D, SPACE + encoder_frequencies))
        self.first = torch.nn.Linear(inputs, HIDDEN)
        self.hidden = torch.nn.ModuleList(torch.nn.Linear(HIDDEN, HIDDEN) for _ in range(LAYERS - 1))
        self.last = torch.nn.Linear(HIDDEN, D)
        if method == "mfm":
            widths = [D + 2 * encoder_frequencies + TYPES] + [ENCODER] * (encoder_layers - 1) + [EMBED]
            self.conv = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in zip(widths, widths[1:]))

        if film:  # the initial values of PyTorch, to which velocity() adds 1
            self.scale = torch.nn.ModuleList(torch.nn.Linear(context, HIDDEN) for _ in range(LAYERS))
        self.film = film
        self.context_size = context

    def names(self):
        """Yields the parameters with the names that popflow gives them."""
        for name, p in self.named_parameters():
            part = {"conv": "encoder", "scale": "modulation"}.get(name.split(".")[0], "velocity")
            yield part + "." + name, p

    def embed(self, x, one_hot):
        space = 2 * math.pi * x @ self.frequencies[:, SPACE:]
        z = torch.cat([x, space.cos(), space.sin(), one_hot], 1)
        n = len(x)
        adjacency = torch.eye(n)
        if self.knn:
            distance = torch.cdist(x, x)
            distance.fill_diagonal_(math.inf)
            near = distance.topk(self.knn, largest=False).indices
            adjacency[torch.arange(n)[:, None], near] = 1
        mean = adjacency / (self.knn + 1)
        for i, conv in enumerate(self.conv):
            z = mean @ conv(z)
            if i + 1 < len(self.conv):
                z = torch.relu(z)
        z = z.mean(0)
        return self.embedding_norm * z / z.norm()

    def context(self, batch):
        if self.method == "fm":
            return torch.zeros(0)
        if self.method == "cgfm":
            return torch.nn.functional.one_hot(torch.tensor(batch["pair"]), PAIRS).double()
        return self.embed(batch["control"], batch["one_hot"])

    def velocity(self, h, c, t, x):
        frequency = self.time_highest * 10000.0 ** (-torch.arange(TIME) / (TIME - 1))
        angle = t[:, None] * frequency
        space = 2 * math.pi * x @ self.frequencies[:, :SPACE]
        row = [h.expand(len(x), -1), angle.sin(), angle.cos(), space.cos(), space.sin(), x, c.expand(len(x), -1)]
        scale = [1 + s(h) for s in self.scale] if self.film else [1] * LAYERS
        n, k, w = len(x), self.context_size, self.first.weight
        rows = torch.cat(row[1:-1], 1)
        part = rows @ w[:, k : k + rows.shape[1]].T + self.first.bias
        shared = h @ w[:, :k].T + c @ w[:, k + rows.shape[1] :].T
        z = torch.selu(scale[0] * part + shared)
        for s, layer in zip(scale[1:], self.hidden):
            z = torch.selu(s * layer(z) + z)
        return self.last(z)

    def loss(self, batch):
        t = batch["t"]
        x = (1 - t[:, None]) * batch["x0"] + t[:, None] * batch["x1"]
        v = self.velocity(self.context(batch), batch["condition"], t, x)
        return ((v - (batch["x1"] - batch["x0"])) ** 2).sum(1).mean(), v


def make_batch(generator):
    normal = lambda *shape: torch.from_numpy(generator.normal(size=shape).astype(np.float32)).double()
    control_type = generator.integers(0, TYPES, N)
    return {
        "x0": normal(N, D),
        "x1": normal(N, D) + 1,
        "t": torch.from_numpy(generator.uniform(size=N).astype(np.float32)).double(),
        "control": normal(N, D),
        "type": control_type,
        "one_hot": torch.nn.functional.one_hot(torch.from_numpy(control_type), TYPES).double(),
        "condition": torch.tensor([0.0, 1.0, 0.5]),
        "pair": 2,
    }


def transport(model, batch):
    """Solves the flow from t = 0 to 1 with a much smaller error than the tolerance of the comparison."""
    with torch.no_grad():
        h = model.context(batch)
        shape = batch["x0"].shape

        def field(t, y):
            x = torch.from_numpy(y.reshape(shape))
            return model.velocity(h, batch["condition"], torch.full((len(x),), t), x).numpy().ravel()

        y = solve_ivp(field, (0, 1), batch["x0"].numpy().ravel(), method="DOP853", rtol=1e-10, atol=1e-10).y[:, -1]
        return y.reshape(shape)


def write_case(group, options, seed):
    torch.manual_seed(seed)
    model = Reference(**options)
    for p in model.parameters():  # rounds the weights to single precision, so that popflow reads them exactly
        p.data = p.data.float().double()
    model.frequencies = model.frequencies.float().double()
    batch = make_batch(np.random.default_rng(seed))
    group.attrs.update(options)
    group["frequencies"] = model.frequencies.numpy()
    for name, value in batch.items():
        if name not in ("pair", "one_hot"):
            group["batch/" + name] = np.asarray(value)
    for name, p in model.names():
        group["weights/" + name] = np.atleast_2d(p.detach().numpy())
    loss, v = model.loss(batch)
    loss.backward()
    group["loss"], group["velocity"] = loss.item(), v.detach().numpy()
    group["context"] = model.context(batch).detach().numpy()
    for name, p in model.names():
        group["gradients/" + name] = np.atleast_2d(p.grad.numpy())
    group["transported"] = transport(model, batch)
    adam = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(10):
        adam.zero_grad()
        loss, _ = model.loss(batch)
        loss.backward()
        adam.step()
        losses.append(loss.item())
    group["adam_losses"] = losses
    for name, p in model.names():
        group["adam_weights/" + name] = np.atleast_2d(p.detach().numpy())


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    with h5py.File(sys.argv[1], "w", track_order=False) as file:
        file.attrs.update(format=1, torch=str(torch.__version__), scipy=scipy.__version__, numpy=np.__version__)
        file.attrs.update(n=N, markers=D, cell_types=TYPES, conditions=TREATMENTS, training_pairs=PAIRS, pair=2)
        file.attrs.update(hidden=HIDDEN, layers=LAYERS, time_frequencies=TIME, space_frequencies=SPACE)
        file.attrs.update(embedding=EMBED, encoder_hidden=ENCODER, rate=1e-2)
        for i, (name, options) in enumerate(CASES.items()):
            write_case(file.create_group(name), options, seed=i + 1)
    print("torch", torch.__version__, "scipy", scipy.__version__, "numpy", np.__version__)
