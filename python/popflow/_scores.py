# SPDX-License-Identifier: MIT
"""Scores between two populations."""
from __future__ import annotations

from typing import TYPE_CHECKING, Sequence

import numpy as np

from popflow import _core

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import ArrayLike


def cells(name, x):
    """Returns the cells of an array or an AnnData as a C-contiguous float32 array [n, d], without a copy if possible."""
    if hasattr(x, "obs_names"):
        x = x.X
    if hasattr(x, "toarray"):
        x = x.toarray()
    x = np.asarray(x)
    if x.ndim == 1:
        x = x[:, None]
    if x.ndim != 2:
        raise ValueError(f"{name}: found {x.ndim} axes. Give an array [cells, markers]")
    return np.ascontiguousarray(x, dtype=np.float32)


def metrics(a: ArrayLike | AnnData, b: ArrayLike | AnnData, names: Sequence[str] | None = None,
            control: ArrayLike | AnnData | None = None) -> dict[str, float]:
    """Compares two populations, as `popflow metrics`.

    Args:
        a, b: predicted and real cells, shapes [n, d] and [m, d]: arrays, or AnnData whose X is taken as it is. float32 arrays
            are not copied.
        names: scores to compute, of `w1 w2 mmd r2 energy r2_means w1_markers sinkhorn mmd_scaled change_correlation
            recall_top`. None: the default ones.
        control: untreated cells [k, d], which change_correlation and recall_top compare with.

    Returns:
        Dict of the scores, NaN for one that is undefined. w1, w2, w1_markers and energy are in the units of the markers.

    Raises:
        ValueError: for an unknown name, other numbers of markers, no cells, or values that are not finite.
    """
    found = _core.compare(cells("a", a), cells("b", b), [] if names is None else list(names),
                          None if control is None else cells("control", control))
    order = [n for n in _core.metric_names() if n in found] if names is None else names
    return {name: found[name] for name in order}
