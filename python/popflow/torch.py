# SPDX-License-Identifier: MIT
"""Loads a trained popflow model into PyTorch. Needs only the run folder, torch, numpy and h5py.

    from popflow.torch import Run
    run = Run("runs/p21")
    run.model                                  # torch.nn.Module whose state_dict has the tensor names of the file
    x = run.normalise(raw)                     # raw values [n, d] in the order of run.markers -> normalised values
    h = run.embed(x, types)                    # embedding of the population
    y = run.predict(raw, "S", types=types)     # raw values, as `popflow predict` writes them

Reads `checkpoint.h5`, or `weights.h5` if the folder has no checkpoint. docs/files.md describes both layouts and
docs/method.md has the formulas and their sources. The networks are differentiable, can be trained further and can run on a
GPU (`Run(..., device="cuda")`).

    python3 -m popflow.torch RUN model.pt      # saves the networks as TorchScript (see export)

Symbols: n cells, d markers, h the context of a population, c the condition vector of a treatment, t the flow time in [0, 1].
"""
import json
import math
import os
import sys
from typing import List, Optional

import h5py
import numpy as np
import torch


class GraphEncoder(torch.nn.Module):
    """Encoder of a population: graph convolutions over the k-nearest-neighbour graph of its cells, then a mean over cells.

    Formula:
        h = r e / |e|,  e = mean over cells of G_L(... s(G_1(z)) ...),  G(z) = A z W^T + b,
        z = [x | cos 2 pi x B | sin 2 pi x B | one-hot cell type].
    A averages a cell with its k nearest neighbours by x, s is the activation and r is `norm`.

    Source: Atanackovic et al., Meta Flow Matching, arXiv 2408.14608.

    Args:
        inputs: width of z.
        hidden, layers, embedding: width of the hidden layers, number of layers, width of h.
        knn: number of neighbours k. 0 makes the encoder a DeepSet.
        norm: Euclidean norm r of h.
        activation: "relu" or "none".
        frequencies: B, shape [d, m].
    """

    def __init__(self, inputs, hidden, layers, embedding, knn, norm, activation, frequencies):
        super().__init__()
        widths = [inputs] + [hidden] * (layers - 1) + [embedding]
        self.conv = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
        self.knn, self.norm, self.activation = knn, norm, activation
        self.register_buffer("frequencies", frequencies, persistent=False)

    def neighbours(self, x, block: int = 256):
        """Returns the indices of the k nearest other cells of each cell.

        Equal distances are ordered by index. `block` cells are compared with all others at a time.

        Shapes: x [n, d], result [n, k].
        """
        near = []
        for first in range(0, len(x), block):
            some = x[first : first + block]
            squared = torch.cdist(some, x, compute_mode="donot_use_mm_for_euclid_dist")
            squared[:, first : first + block].fill_diagonal_(math.inf)
            near.append(torch.sort(squared, stable=True, dim=1)[1][:, : self.knn])
        return torch.cat(near)

    def forward(self, x, one_hot):
        """Returns the embedding h of a population.

        Shapes: x [n, d] normalised, one_hot [n, types], result [embedding].

        Raises:
            ValueError: if there are not more than `knn` cells.
        """
        if len(x) <= self.knn:
            raise ValueError("too few cells: the encoder needs more cells than it has neighbours (knn)")
        near = self.neighbours(x)
        angle = 2 * math.pi * x @ self.frequencies
        z = torch.cat([x, angle.cos(), angle.sin(), one_hot], 1)
        for layer, conv in enumerate(self.conv):
            if self.knn > 0:
                z = (z + z[near].sum(1)) / (self.knn + 1)
            z = conv(z)
            if layer + 1 < len(self.conv) and self.activation == "relu":
                z = torch.relu(z)
        e = z.mean(0)
        return self.norm * e / e.norm()


class FixedEncoder(torch.nn.Module):
    """Encoder without weights: the context is a fixed function of statistics of a population, computed in double precision.

    The standardisation z = (f - centre) / scale is 0 where the scale is 0.

    Formula:
        moments: z of f = [mean of each marker | log(standard deviation + offset) | share of each cell type].
        kernel-pca: K W - offset with K_i = exp(-|z - x_i|^2 / width), f = [means | shares], and the rows x_i of `points`.

    Source: Schoelkopf, Smola, Mueller, Nonlinear component analysis as a kernel eigenvalue problem, 1998.

    Args:
        constants: datasets of the group `model/encoder` of the file, by name.
    """

    is_kernel: torch.jit.Final[bool]

    def __init__(self, constants):
        super().__init__()
        self.is_kernel = "points" in constants
        for name in ("centre", "scale", "offset", "points", "width", "weights"):
            value = torch.from_numpy(constants.get(name, np.zeros((1, 1)))).to(torch.float64)
            self.register_buffer(name, value, persistent=False)
        self.size = int(self.weights.shape[1] if self.is_kernel else self.centre.shape[1])

    def _apply(self, function, *args):
        """Moves the constants to a device. They stay in double precision."""
        for name, value in self._buffers.items():
            self._buffers[name] = value.to(function(value).device)
        return self

    def forward(self, x, one_hot):
        """Returns the context h of a population.

        Shapes: x [n, d] normalised, one_hot [n, types], result [context].
        """
        cells = x.to(torch.float64)
        mean = cells.mean(0)
        shares = one_hot.to(torch.float64).mean(0)
        if self.is_kernel:
            features = torch.cat([mean, shares])
        else:
            deviation = ((cells - mean) ** 2).mean(0).sqrt() + self.offset[0, 0]
            logs = torch.where(deviation > 0, deviation.log(), torch.zeros_like(deviation))
            features = torch.cat([mean, logs, shares])
        scale = self.scale[0]
        used = scale > 0
        z = torch.where(used, (features - self.centre[0]) / torch.where(used, scale, torch.ones_like(scale)),
                        torch.zeros_like(features))
        if self.is_kernel:
            kernel = torch.exp(-((z - self.points) ** 2).sum(1) / self.width[0, 0])
            z = kernel @ self.weights - self.offset[0]
        return z.to(x.dtype)


class SkipMlp(torch.nn.Module):
    """MLP with skip connections: z = SELU(W z + b + z). The first layer has no skip, the last layer no SELU.

    The input of a cell is [before | its row | after], of which `before` and `after` are the same for all cells.
    """

    def __init__(self, inputs, hidden, layers, outputs):
        super().__init__()
        self.first = torch.nn.Linear(inputs, hidden)
        self.hidden = torch.nn.ModuleList(torch.nn.Linear(hidden, hidden) for _ in range(layers - 1))
        self.last = torch.nn.Linear(hidden, outputs)

    def forward(self, before, rows, after, scales: Optional[List[torch.Tensor]] = None):
        """Applies the network to each row.

        `scales` has one tensor for each layer but the last. It multiplies the product W z of that layer. In the first layer
        it multiplies only the part of the product that comes from `rows`.

        Shapes: before [a], rows [n, k], after [b] with a + k + b = inputs, scales [hidden] each, result [n, outputs].
        """
        n, k = len(before), rows.shape[1]
        w = self.first.weight
        shared = w[:, :n] @ before + w[:, n + k :] @ after
        own = rows @ w[:, n : n + k].T + self.first.bias
        z = torch.selu((own if scales is None else scales[0] * own) + shared)
        for layer, linear in enumerate(self.hidden):
            y = linear(z)
            z = torch.selu((y if scales is None else scales[layer + 1] * y) + z)
        return self.last(z)


class Modulation(torch.nn.Module):
    """FiLM modulation of the hidden layers by the context: the scales 1 + G_l h + c_l.

    Source: Perez et al., FiLM, AAAI 2018.
    """

    def __init__(self, context, hidden, layers):
        super().__init__()
        self.scale = torch.nn.ModuleList(torch.nn.Linear(context, hidden) for _ in range(layers))

    def forward(self, h):
        """Returns the scales of each layer. Shapes: h [context], each scale [hidden]."""
        scales = []
        for scale in self.scale:
            scales.append(1 + scale(h))
        return scales


class FlowMatching(torch.nn.Module):
    """Velocity v(x, t | h, c) of the methods fm, cgfm and mfm, with the encoder of mfm.

    Args:
        shape: attributes of the group `model` of the file.
        frequencies: B of the velocity's Fourier features, then of the encoder's, shape [d, m + m'].
        constants: constants of a fixed encoder of mfm, None for the learned one.
    """

    film: torch.jit.Final[bool]

    def __init__(self, shape, frequencies, constants=None):
        super().__init__()
        self.method = shape["method"]
        self.types = shape["cell_types"]
        self.pairs = shape["training_pairs"]
        self.context_size = {"fm": 0, "cgfm": self.pairs, "mfm": shape["embedding"]}[self.method]
        n_space, m, d = shape["space_frequencies"], shape["time_frequencies"], shape["markers"]
        self.register_buffer("frequencies", frequencies[:, :n_space].clone(), persistent=False)
        power = torch.arange(m, dtype=torch.float64) / max(m - 1, 1)
        angular = shape["time_highest"] * shape["time_max_period"] ** -power
        self.register_buffer("time_frequencies", angular.to(frequencies.dtype), persistent=False)
        if self.method == "mfm" and constants is not None:
            self.encoder = FixedEncoder(constants)
            self.context_size = self.encoder.size
        elif self.method == "mfm":
            self.encoder = GraphEncoder(
                d + 2 * shape["encoder_frequencies"] + self.types, shape["encoder_hidden"], shape["encoder_layers"],
                shape["embedding"], shape["knn"], shape["embedding_norm"], shape["encoder_activation"],
                frequencies[:, n_space:].clone())
        inputs = self.context_size + 2 * m + 2 * n_space + d + shape["conditions"]
        self.velocity = SkipMlp(inputs, shape["hidden"], shape["layers"], d)
        self.film = shape["modulation"] == "film" and self.context_size > 0
        if self.film:
            self.modulation = Modulation(self.context_size, shape["hidden"], shape["layers"])

    @torch.jit.export
    def context(self, x, types: Optional[torch.Tensor] = None):
        """Returns the context h of a population that the model was not trained on.

        fm has an empty context. cgfm has the mean 1/N of the one-hot vectors of its N training pairs. mfm has the embedding,
        or the context of its fixed encoder.
        For a pair that cgfm was trained on, popflow uses the one-hot vector of that pair instead.

        Shapes: x [n, d] normalised, types [n] integers, result [context].

        Raises:
            ValueError: if the encoder needs cell types and `types` is None.
            ValueError: if the encoder needs more cells.
        """
        if self.method == "fm":
            return torch.zeros([0], dtype=x.dtype, device=x.device)
        if self.method == "cgfm":
            return torch.full([self.pairs], 1 / self.pairs, dtype=x.dtype, device=x.device)
        one_hot = torch.zeros([len(x), self.types], dtype=x.dtype, device=x.device)
        if self.types > 0:
            if types is None:
                raise ValueError("types: missing. The model was trained on several cell types: give the type of each cell")
            # The code of an unknown type, -1, is zero.
            one_hot.scatter_(1, types.clamp(min=0)[:, None], (types >= 0).to(x.dtype)[:, None])
        if hasattr(self, "encoder"):
            return self.encoder(x, one_hot)
        return one_hot

    def forward(self, x, t, h, c):
        """Returns the velocity of each cell. Shapes: x [n, d], t [n], h [context], c [conditions], result [n, d]."""
        angle = t[:, None] * self.time_frequencies
        space = 2 * math.pi * x @ self.frequencies
        rows = torch.cat([angle.sin(), angle.cos(), space.cos(), space.sin(), x], 1)
        if self.film:
            return self.velocity(h, rows, c, self.modulation(h))
        return self.velocity(h, rows, c, None)

    def transport(self, x, h, c, tolerance=1e-4, times=()):
        """Integrates the flow from t = 0 to 1.

        Shapes: x [n, d], h [context], c [conditions].

        Returns:
            The cells at t = 1, shape [n, d], and a list of the cells at each of `times`.
        """
        return adams(lambda t, at: self(at, t, h, c), x, tolerance, times)


class Potential(torch.nn.Module):
    """Input-convex potential y(x | c). docs/method.md has the formula.

    Parameters have the names of the file: input_0.weight, hidden_1.weight, gate_x_0.weight and so on. A potential without
    gate_x_0 does not depend on c.

    Source: Amos et al., ICML 2017, and Bunne et al., NeurIPS 2022.
    """

    def __init__(self, tensors, layers):
        super().__init__()
        self.layers = layers
        for name, value in tensors.items():
            module, kind = name.rsplit(".", 1)
            if not hasattr(self, module):
                self.add_module(module, torch.nn.Module())
            getattr(self, module).register_parameter(kind, torch.nn.Parameter(value))

    def apply_map(self, name, u):
        """Returns W u + b of the named affine map. b is optional."""
        module = getattr(self, name)
        y = module.weight @ u
        return y + module.bias if hasattr(module, "bias") else y

    def forward(self, x, c):
        """Returns the potential of each cell. Shapes: x [n, d], c [conditions], result [n]."""
        leaky = lambda a: torch.nn.functional.leaky_relu(a, 0.2)
        conditional = hasattr(self, "gate_x_0")
        u, z = c, None
        for layer in range(self.layers + 1):
            own = getattr(self, f"input_{layer}")
            gated = x * self.apply_map(f"gate_x_{layer}", u) if conditional else x
            a = gated @ own.weight.T + own.bias
            if conditional:
                a = a + self.apply_map(f"shift_{layer}", u)
            if layer > 0:
                if conditional:
                    z = z * torch.nn.functional.softplus(self.apply_map(f"gate_z_{layer}", u))
                a = a + z @ getattr(self, f"hidden_{layer}").weight.T
            if layer == self.layers:
                return a[:, 0]
            z = leaky(a) ** 2 if layer == 0 else leaky(a)
            if conditional:
                u = leaky(self.apply_map(f"context_{layer}", u))


class IcnnTransport(torch.nn.Module):
    """Map of the method icnn: a cell x moves to the gradient of the convex potential g at x.

    Source: Makkuva et al., ICML 2020, and Bunne et al., Nature Methods 2023.
    """

    def __init__(self, tensors, layers, conditions):
        super().__init__()
        part = lambda name: {k[2:]: v for k, v in tensors.items() if k.startswith(name + ".")}
        self.g, self.f = Potential(part("g"), layers), Potential(part("f"), layers)
        self.conditions = conditions

    def context(self, x, types=None):
        """Returns an empty context: the map does not depend on the population."""
        return x.new_zeros(0)

    def forward(self, x, c, create_graph=False):
        """Returns the gradient of g. Shapes: x [n, d], c [conditions], result [n, d]."""
        with torch.enable_grad():
            x = x if x.requires_grad else x.detach().requires_grad_(True)
            return torch.autograd.grad(self.g(x, c).sum(), x, create_graph=create_graph)[0]

    def transport(self, x, h, c, tolerance=1e-4, times=()):
        """Returns the cells at t = 1, shape [n, d], and a list of the cells at each of `times`.

        At a time t a cell is on the straight line from its start to its end. `h` and `tolerance` are not used.
        """
        end = self(x, c)
        return end, [(1 - t) * x + t * end for t in times]


def _predictor(age, h, a, b):
    """Returns the integrals over [0, h] of the polynomial through the velocities at t, t - a and t - b, by velocity. The first step
    has only the velocity at t, the second one those at t and t - a.

    Shapes: number of accepted steps `age`, h, a and b [m], result three times [m].
    """
    square, cube, zero = h**2 / 2, h**3 / 3, torch.zeros_like(h)
    third = (h + square * (1 / a + 1 / b) + cube / (a * b), -(cube + b * square) / (a * (b - a)),
             (cube + a * square) / (b * (b - a)))
    return [torch.where(age == 0, first, torch.where(age == 1, second, w))
            for first, second, w in zip((h, zero, zero), (h + square / a, -square / a, zero), third)]


def _corrector(age, h, a, x):
    """Returns the integrals over [0, x] of the polynomial through the velocities at t + h, t and t - a, by velocity. The first step
    has only the velocities at t + h and t.

    Shapes: number of accepted steps `age`, h, a and x [m], result three times [m].
    """
    square, cube = x**2 / 2, x**3 / 3
    first = (square / h, x - square / h, torch.zeros_like(h))
    later = ((cube + a * square) / (h * (h + a)), x - (cube + (a - h) * square) / (h * a), (cube - h * square) / (a * (a + h)))
    return [torch.where(age == 0, f, w) for f, w in zip(first, later)]


def _weighted_sum(weights, velocities):
    return sum(w[:, None].to(v) * v for w, v in zip(weights, velocities))


@torch.no_grad()
def adams(field, x, tolerance=1e-4, times=()):
    """Solves dx/dt = field(t, x) from t = 0 to 1 by the Adams methods of order 3, as `popflow predict` does.

    Each cell has its own step size, and each step takes one velocity. docs/method.md has the formulas.

    Source: Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, section III.5.

    Args:
        field: function of t [m] and x [m, d] that returns the velocities [m, d].
        x: cells at t = 0, shape [n, d].
        tolerance: both the relative and the absolute tolerance of a step.
        times: flow times in [0, 1] of further outputs.

    Returns:
        The cells at t = 1, shape [n, d], and a list of the cells at each of `times`.

    Raises:
        ArithmeticError: if a cell needs more than 60,000 steps, or its step size becomes 0.
    """
    def error_norm(difference, start, end):
        tolerated = tolerance + tolerance * torch.maximum(start.double().abs(), end.double().abs())
        return (difference.double() / tolerated).square().mean(1).sqrt()

    out, at_times = x.clone(), [x.clone() for _ in times]
    cell = torch.arange(len(x), device=x.device)  # indices of the cells that have not reached t = 1
    y, t = x.clone(), x.new_zeros(len(x), dtype=torch.float64)
    past = [field(t.to(x.dtype), y)] + [torch.zeros_like(x)] * 2  # velocities at t and at the two points before
    norm = error_norm(past[0], y, y)
    h = torch.where(norm < 20, torch.full_like(norm, 0.1), (0.2 / norm).sqrt())
    a, b = torch.ones_like(h), torch.full_like(h, 2)  # times since these two points
    age = torch.zeros_like(cell)  # number of accepted steps
    for _ in range(60000):
        if len(cell) == 0:
            return out, at_times
        predicted = y + _weighted_sum(_predictor(age, h, a, b), past)
        velocity = field((t + h).to(x.dtype), predicted)
        points = [velocity, past[0], past[1]]
        at = y + _weighted_sum(_corrector(age, h, a, h), points)
        error = error_norm(at - predicted, y, at)
        accepted = error <= 1
        finished = accepted & (t + h >= 1 - 1e-12)
        for time, state in zip(times, at_times):
            inside = accepted & (t <= time) & ((time < t + h) | finished)
            if inside.any():
                since = torch.minimum(time - t, h)
                between = y + _weighted_sum(_corrector(age, h, a, since), points)
                state[cell[inside]] = (at if time >= 1 else between)[inside]
        out[cell[finished]] = at[finished]
        order = age.clamp(max=2) + 1
        factor = (0.9 * error.clamp(min=1e-10) ** (-1 / (order + 1))).clamp(0.3, 2)
        factor = torch.where(error.isfinite(), torch.where(accepted, factor, factor.clamp(max=0.9)), torch.full_like(h, 0.3))
        pick = accepted[:, None]
        past = [torch.where(pick, new, old) for new, old in zip((velocity, past[0], past[1]), past)]
        y, t, age = torch.where(pick, at, y), torch.where(accepted, t + h, t), age + accepted
        a, b = torch.where(accepted, h, a), torch.where(accepted, h + a, b)
        h = torch.minimum(h * factor, 1 - t)
        active = ~finished
        cell, y, t, h, a, b, age = (v[active] for v in (cell, y, t, h, a, b, age))
        past = [v[active] for v in past]
        if not bool((t + h > t).all()):
            raise ArithmeticError("the step size of a cell became 0: its values or velocities are not finite")
    raise ArithmeticError("a cell needs more than 60000 steps: use a larger tolerance")


def _shape(file):
    """Returns method, sizes and settings of a checkpoint or weights file of format 1 or 2, by name with underscores."""
    plain = lambda attributes: {k.replace("-", "_"): v.item() if isinstance(v, np.generic) else v
                                for k, v in attributes.items()}
    shape = plain(file["model"].attrs)
    if "settings" in file["model"]:
        shape.update(plain(file["model/settings"].attrs))
        shape["icnn_conditions"] = shape["conditions"] if shape.get("condition") == "treatment" else 0
    else:
        shape.setdefault("encoder_activation", "relu")
        shape.update({"icnn_" + k: v for k, v in plain(file["icnn"].attrs).items()} if "icnn" in file else {})
    return shape


class Run:
    """Trained model of a run.

    Args:
        path: run folder, or its checkpoint.h5 or weights.h5.
        weights: "average", the weights that popflow predicts with, or "weights", those of the last step.
        dtype: number type of the model. torch.float32 computes as popflow does.
        device: device of the model and of the tensors that the methods return.

    Attributes:
        model: FlowMatching or IcnnTransport.
        method, base: "fm", "cgfm", "mfm" or "icnn", and "source" or "gaussian".
        markers: names of the d columns of every matrix of cells, in this order.
        cell_types: labels of the cell types, in the order of the one-hot input of the encoder.
        treatments: labels of the treatments that the model was trained on, in the order of the one-hot vector.
        concentrations: for each treatment, the concentrations that it was trained on, ascending.
        doses: "highest", or "all" if the model takes a concentration.
        vectors: vector of each treatment of --treatment-vectors, else empty.
        mean, scale: normalisation x = (transformed - mean) / scale. mean has shape [d].
        latent: components, mean and scale of --latent, or None. The model then works on z = (x - mean) components^T / scale
            instead of x, and the d columns of x in the methods below are those of z. components has shape [N, markers].
        transform, cofactor: "arcsinh", "log1p" or "none", and the cofactor of arcsinh.
        size_factor: total of a cell after scaling (--size-factor), or None.
        config: options of the training, as text.

    Raises:
        OSError: if the file does not exist or cannot be opened.
        ValueError: if the file has another layout version, or does not have these weights.
    """

    def __init__(self, path, weights="average", dtype=torch.float32, device="cpu"):
        if os.path.isdir(path):
            folder, path = path, os.path.join(path, "checkpoint.h5")
            if not os.path.exists(path):
                path = os.path.join(folder, "weights.h5")
        if not os.path.exists(path):
            raise FileNotFoundError(f"{path}: no such file. Give a run folder of popflow train")
        with h5py.File(path, "r") as file:
            version = file.attrs.get("popflow_checkpoint", file.attrs.get("popflow_weights"))
            if version not in (1, 2):
                raise ValueError(f"{path}: popflow_checkpoint or popflow_weights: found {version}, but this script reads 1 and 2")
            if weights == "average" and "best" in file:
                weights = "best"  # those of --keep best, with which popflow predicts
            if weights not in file:
                raise ValueError(f"{path}: group {weights}: missing. A weights.h5 has only the group average")
            self.config = dict(line.split(" = ", 1) for line in file.attrs["config"].splitlines() if " = " in line)
            shape = _shape(file)
            self.method, self.base = shape["method"], shape.get("base", "source")
            self.markers = [str(v) for v in file["markers"].asstr()[()]]
            self.cell_types = [str(v) for v in file["cell_types"].asstr()[()]]
            self.mean = file["normalisation_mean"][()].astype(np.float64)
            self.scale = float(file.attrs["normalisation_scale"])
            self.latent = None
            if "latent" in file:
                latent = file["latent"]
                if latent.attrs["format"] != 1 or latent.attrs["kind"] != "pca":
                    raise ValueError(f"{path}: latent: found kind {latent.attrs['kind']} of format {latent.attrs['format']}, "
                                     "but this script reads pca of format 1")
                self.latent = (latent["components"][()].astype(np.float64), latent["mean"][()].astype(np.float64),
                               float(latent.attrs["scale"]))
            conditions = file["conditions"]
            self.doses = conditions.attrs["doses"]
            self.concentrations = {
                str(name): list(conditions.get(f"concentrations_{i}", ()))
                for i, name in enumerate(conditions["treatments"].asstr()[()])}
            self.vectors = dict(zip(map(str, conditions["vector_names"].asstr()[()]), conditions["vectors"][()])) \
                if "vectors" in conditions else {}
            tensors = {}
            for name, dataset in file[weights].items():
                value = torch.from_numpy(dataset[()]).to(dtype)
                tensors[name] = value[0] if name.endswith(".bias") else value
            if self.method == "icnn":
                self.model = IcnnTransport(tensors, shape["icnn_layers"], shape["icnn_conditions"])
            elif self.method in ("fm", "cgfm", "mfm"):
                frequencies = file["frequencies" if version == 1 else "model/constants/frequencies"][()]
                self.model = FlowMatching(shape, torch.from_numpy(frequencies).to(dtype), self._encoder(path, file, shape)).to(dtype)
                self.model.load_state_dict(tensors)
            else:
                raise ValueError(f"{path}: method: found {self.method!r}, but this script reads fm, cgfm, mfm and icnn")
        self.model.to(device)
        self.dtype, self.device = dtype, device
        self.treatments = list(self.concentrations)
        kind, _, cofactor = self.config["transform"].partition(":")
        self.transform, self.cofactor = kind, float(cofactor or 5)
        kind, _, target = self.config.get("size-factor", "none").partition(":")
        self.size_factor = None if kind == "none" else float(target or 1e4)

    @staticmethod
    def _encoder(path, file, shape):
        """Returns the constants of the fixed encoder of a file by name, None for a learned encoder.

        Raises:
            ValueError: if this script does not know the encoder or the version of its constants.
        """
        name = shape.get("encoder", "learned")
        if name == "learned":
            return None
        kind = name.partition(":")[0]
        if kind not in ("moments", "kernel-pca"):
            raise ValueError(f"{path}: encoder: found {name!r}, but this script reads learned, moments and kernel-pca")
        group = file["model/encoder"]
        if group.attrs["version"] != 1:
            raise ValueError(f"{path}: model/encoder: found version {group.attrs['version']}, but this script reads version 1")
        return {key: dataset[()] for key, dataset in group.items()}

    def normalise(self, raw, totals=None):
        """Returns normalised values: (transform(raw) - mean) / scale, or their coordinates z in the latent space.

        With a size factor, raw is first multiplied by size_factor / totals.

        Shapes: raw [n, d] with columns in the order of `markers`, totals [n], the sum of each cell over all columns of its
        matrix, result [n, d].
        Units: raw in the units of the data file, result in mean standard deviations of a marker.

        Raises:
            ValueError: for another number of columns, or if the run has a size factor and there are no totals of all cells.
        """
        x = np.asarray(raw, dtype=np.float64)
        if x.ndim != 2 or x.shape[1] != len(self.markers):
            raise ValueError(f"raw: found the shape {list(x.shape)}. Give cells in rows and the {len(self.markers)} markers in columns")
        if self.size_factor is not None:
            if totals is None:
                raise ValueError("totals: missing. The run was trained with --size-factor: pass the total counts of each cell")
            totals = np.asarray(totals, dtype=np.float64)
            if totals.shape != (len(x),):
                raise ValueError(f"totals: found the shape {list(totals.shape)}, but there are {len(x)} cells")
            x = x * (self.size_factor / np.where(totals > 0, totals, 1))[:, None]
            x = x.astype(np.float32).astype(np.float64)
        if self.transform == "arcsinh":
            x = np.arcsinh(x / self.cofactor)
        elif self.transform == "log1p":
            x = np.log1p(x)
        # Rounds the transformed values to single precision, as popflow does.
        x = (x.astype(np.float32) - self.mean.astype(np.float32)) / np.float32(self.scale)
        if self.latent is not None:
            components, centre, scale = self.latent
            x = (x - centre) @ components.T / scale
        return torch.as_tensor(x, dtype=self.dtype, device=self.device)

    def invert(self, x):
        """Returns raw values, as a NumPy array. Inverse of normalise(), except that size factors are not undone, and that a
        latent space has lost what lies outside its components. Negative values are not clipped.

        Shapes: x [n, d], result [n, d].
        """
        y = x.detach().cpu().numpy().astype(np.float64)
        if self.latent is not None:
            components, centre, scale = self.latent
            y = centre + scale * y @ components
        y = y * self.scale + self.mean
        if self.transform == "arcsinh":
            return self.cofactor * np.sinh(y)
        return np.expm1(y) if self.transform == "log1p" else y

    def condition(self, treatment, concentration=None):
        """Returns the condition vector c of a treatment.

        c is the one-hot vector of the treatment. If the run has treatment vectors, it is the vector of the treatment. A
        combination A+B that has no vector of its own has the sum of the vectors of A and B. With `doses` = "all", c is
        [c | c i / n] for the i-th of n concentrations. Between two of them i is interpolated in log concentration.

        Args:
            treatment: label of a treatment.
            concentration: dose in the units of the data file, for a run with `doses` = "all".

        Raises:
            ValueError: if the model does not know the treatment, or was not trained on that range of concentrations.
        """
        if concentration is not None and self.doses != "all":
            raise ValueError(f"concentration: the run was trained with doses {self.doses!r}. Leave it out")
        names = list(self.vectors) or self.treatments
        parts = [treatment] if treatment in names or not self.vectors else treatment.split("+")
        if not all(part in names for part in parts):
            raise ValueError(f"treatment: found {treatment!r}. Give one of {', '.join(names)}")
        if self.vectors:
            c = np.sum([self.vectors[part].astype(np.float32) for part in parts], axis=0)
        else:
            c = np.eye(len(names))[names.index(treatment)]
        if self.doses == "all":
            every = sorted({v for values in self.concentrations.values() for v in values})
            seen = every if self.vectors else self.concentrations[treatment]
            if concentration is None or not seen[0] <= concentration <= seen[-1]:
                raise ValueError(f"concentration: found {concentration}. Give a number from {seen[0]} to {seen[-1]}")
            logs = np.log(np.maximum(seen, 1e-300))
            level = np.interp(np.log(max(concentration, 1e-300)), logs, np.arange(1, len(seen) + 1))
            c = np.concatenate([c, c * (level / len(seen))])
        return torch.as_tensor(c, dtype=self.dtype, device=self.device)

    def type_numbers(self, labels):
        """Returns the indices of cell type labels in `cell_types`, shape [n].

        Returns None if `labels` is None or the model has fewer than two cell types, and so ignores them. A label that
        is not in `cell_types`, such as an empty one, has the index -1, and its one-hot code is zero.
        """
        if len(self.cell_types) < 2 or labels is None:
            return None
        index = {name: k for k, name in enumerate(self.cell_types)}
        numbers = [index.get(str(label), -1) for label in labels]
        return torch.as_tensor(numbers, dtype=torch.long, device=self.device)

    @torch.no_grad()
    def embed(self, x, types=None):
        """Returns the context h of a population, without a gradient. See FlowMatching.context.

        Shapes: x [n, d] normalised, types [n] labels of cell types, result [context].
        """
        if types is not None and (isinstance(types, str) or len(types) != len(x)):
            raise ValueError(f"types: found {types!r:.40}. Give a label for each of the {len(x)} cells")
        return self.model.context(x, self.type_numbers(types))

    def transport(self, x, treatment, concentration=None, context=None, types=None, tolerance=1e-4, times=()):
        """Moves normalised cells to a treatment.

        Args:
            x: normalised control cells, shape [n, d]. With a Gaussian base, the noise.
            treatment, concentration: see condition().
            context: context h. Default: embed(x, types). With a Gaussian base, pass that of the control cells.
            types: labels of the cell types, shape [n].
            tolerance: relative and absolute tolerance of the solver.
            times: flow times in [0, 1] of further outputs.

        Returns:
            The cells at t = 1, shape [n, d], and a list of the cells at each of `times`.

        popflow embeds a seeded draw of at most --max-cells cells. This method embeds all given cells.
        """
        if not tolerance > 0:
            raise ValueError(f"tolerance: found {tolerance}. Give a number above 0")
        c = self.condition(treatment, concentration)
        h = self.embed(x, types) if context is None else torch.as_tensor(context).to(x)
        if self.method == "icnn" and self.model.conditions == 0:
            c = c[:0]
        return self.model.transport(x, h, c, tolerance, times)

    def predict(self, raw, treatment, concentration=None, types=None, tolerance=1e-4, totals=None):
        """Returns predicted raw cells from the raw control cells of one population.

        Shapes: raw [n, d] with columns in the order of `markers`, types [n] labels, totals [n] as in normalise(), result
        [n, d], a NumPy array.

        Raises:
            ValueError: if the base is gaussian, or as normalise(), condition() and FlowMatching.context().
        """
        if self.base == "gaussian":
            raise ValueError(
                "predict() needs base source, found base gaussian: draw noise and call transport() with the context of the "
                "control cells")
        x = self.normalise(raw, totals)
        return self.invert(self.transport(x, treatment, concentration, types=types, tolerance=tolerance)[0])


def export(run, path):
    """Saves the encoder and the velocity network as TorchScript. torch.jit.load reads the file in Python or C++, without
    this module.

    `model.context(x, types)` returns h and `model(x, t, h, c)` the velocity. The file contains `popflow.json` (see
    `_extra_files` of torch.jit.load) with what is needed to compute x and c: x = (transformed - mean) / scale, c as in
    Run.condition(). With `latent`, x is (that x - latent mean) components^T / (latent scale).

    Args:
        run: Run of method fm, cgfm or mfm.
        path: file to write.

    Raises:
        ValueError: if the method is icnn, which has no velocity.
    """
    if run.method == "icnn":
        raise ValueError("method icnn: export() needs method fm, cgfm or mfm: convex potentials have no velocity")
    about = {"method": run.method, "base": run.base, "markers": run.markers, "cell_types": run.cell_types,
             "transform": run.config["transform"], "size_factor": run.size_factor, "mean": run.mean.tolist(), "scale": run.scale, "doses": run.doses,
             "treatments": run.treatments,
             "concentrations": {k: [float(v) for v in vs] for k, vs in run.concentrations.items()},
             "vectors": {name: vector.tolist() for name, vector in run.vectors.items()}}
    if run.latent is not None:
        components, centre, scale = run.latent
        about["latent"] = {"components": components.tolist(), "mean": centre.tolist(), "scale": scale}
    torch.jit.save(torch.jit.script(run.model.eval()), path, _extra_files={"popflow.json": json.dumps(about)})


def main(arguments):
    """Runs export() for the arguments of a command line, RUN and model.pt. Returns the exit code or an error message."""
    if len(arguments) != 3:
        return "usage: python3 -m popflow.torch RUN model.pt"
    try:
        export(Run(arguments[1]), arguments[2])
    except (OSError, ValueError) as error:
        return f"popflow.torch: {error}"
    print(f"{arguments[2]}: TorchScript of {arguments[1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
