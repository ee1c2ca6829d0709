# SPDX-License-Identifier: MIT
"""Scores between two populations."""
from __future__ import annotations

from typing import TYPE_CHECKING, Sequence

import numpy as np

from popflow import _core

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import ArrayLike


def array(name, x, what):
    """Returns an array, a sparse matrix or the X of an AnnData as a dense array of two axes. One axis is one marker.

    Raises:
        ValueError: if there are three or more axes, or the values are no numbers. `what` names the axes.
    """
    if hasattr(x, "obs_names"):
        x = x.X
    if hasattr(x, "toarray"):
        x = x.toarray()
    x = np.asarray(x)
    if x.dtype.kind not in "biuf":
        raise ValueError(f"{name}: found values of type {x.dtype}. Give an array of numbers [{what}]")
    if x.ndim == 1:
        x = x[:, None]
    if x.ndim != 2:
        raise ValueError(f"{name}: found {x.ndim} axes. Give an array [{what}]")
    return x


def cells(name, x):
    """Returns the cells of an array or an AnnData as a C-contiguous float32 array [n, d], without a copy if possible."""
    return np.ascontiguousarray(array(name, x, "cells, markers"), dtype=np.float32)


def _check_same_markers(populations, arrays):
    """Raises ValueError unless all populations have the same markers in the same order. Arrays have no names to compare."""
    first = next(iter(populations))
    x = populations[first]
    for name, y in populations.items():
        if arrays[name].shape[1] != arrays[first].shape[1]:
            raise ValueError(f"{name}: found {arrays[name].shape[1]} markers, where {first} has {arrays[first].shape[1]}. "
                             "Give the same markers")
        if hasattr(x, "var_names") and hasattr(y, "var_names") and list(x.var_names) != list(y.var_names):
            is_permuted = sorted(x.var_names) == sorted(y.var_names)
            raise ValueError(f"{name}: the markers are " + ("in another order than those" if is_permuted else "not those") +
                             f" of {first}. Give {name}[:, {first}.var_names]")


def check_finite(name, x):
    """Raises ValueError with the first value of an array [n, d] that is not finite."""
    is_finite = np.isfinite(x)
    if not is_finite.all():
        row, column = np.argwhere(~is_finite)[0]
        raise ValueError(f"{name}: row {row}, column {column}: found {x[row, column]}, but values must be finite")


def metrics(a: ArrayLike | AnnData, b: ArrayLike | AnnData, names: Sequence[str] | None = None,
            control: ArrayLike | AnnData | None = None) -> dict[str, float]:
    """Compares two populations, as `popflow metrics`.

    Args:
        a, b: predicted and real cells, shapes [n, d] and [m, d]: arrays, or AnnData whose X is taken as it is. Two AnnData
            must have the same var_names in the same order. float32 arrays are not copied.
        names: scores to compute, of `w1 w2 mmd r2 energy r2_means w1_markers sinkhorn mmd_scaled change_correlation
            recall_top`. None: the default ones.
        control: untreated cells [k, d], which change_correlation and recall_top compare with.

    Returns:
        Dict of the scores, NaN for one that is undefined. w1, w2, w1_markers and energy are in the units of the markers.

    Raises:
        ValueError: for an unknown name, other markers, no cells, or values that are not finite.
    """
    given = {"a": a, "b": b} | ({} if control is None else {"control": control})
    arrays = {name: cells(name, x) for name, x in given.items()}
    _check_same_markers(given, arrays)
    for name, x in arrays.items():
        check_finite(name, x)
    names = [names] if isinstance(names, str) else names
    found = _core.compare(arrays["a"], arrays["b"], [] if names is None else list(names), arrays.get("control"))
    order = [n for n in _core.metric_names() if n in found] if names is None else names
    return {name: found[name] for name in order}
