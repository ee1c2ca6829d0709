# SPDX-License-Identifier: MIT
"""The organoid network in plain PyTorch modules, for compare_torch.py and whole_pair.py.

The graph layers gather and scatter-add like graph libraries do. The decoder takes the concatenated inputs.
"""
import math

import torch

MARKERS, TREATMENTS, CELL_TYPES, HIDDEN, LAYERS, EMBEDDING, TIMES, SPACE = 43, 11, 2, 512, 7, 128, 64, 128


class Decoder(torch.nn.Module):
    """Velocity of cells x at times t, given a population embedding h and a treatment c."""

    def __init__(self):
        super().__init__()
        inputs = EMBEDDING + 2 * TIMES + 2 * SPACE + MARKERS + TREATMENTS
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
    """Embedding of a population: two layers with means over `knn` neighbours, then the normalised mean over the cells."""

    def __init__(self, knn):
        super().__init__()
        self.knn = knn
        self.conv = torch.nn.ModuleList([torch.nn.Linear(MARKERS + CELL_TYPES, 128), torch.nn.Linear(128, EMBEDDING)])

    def forward(self, x, one_hot):
        z = torch.cat([x, one_hot], 1)
        if self.knn:
            columns = torch.cdist(x, x).topk(self.knn + 1, largest=False).indices  # each cell is its own nearest
        for i, conv in enumerate(self.conv):
            z = conv(z).float()
            z = NeighbourMean.apply(z, columns) if self.knn else z
            z = torch.relu(z) if i == 0 else z
        e = z.mean(0, keepdim=True)
        return e / e.norm()


def random_condition():
    """Returns a random embedding of length one and the one-hot code of a treatment, one row each."""
    return torch.nn.functional.normalize(torch.randn(1, EMBEDDING)), torch.eye(TREATMENTS)[3:4]


def make_prediction(decoder, precision, evaluations):
    """Returns a function that evaluates the velocity of 5000 cells repeatedly."""
    embedding, treatment = random_condition()
    x, t = torch.randn(5000, MARKERS), torch.full((5000,), 0.5)

    def predict():
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
            for _ in range(evaluations):
                decoder(embedding, t, x, treatment)

    return predict
