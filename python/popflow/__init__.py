# SPDX-License-Identifier: MIT
"""popflow: how drugs move whole cell populations, and optimal transport.

    import popflow
    screen = popflow.Screen("screen.h5ad", min_cells=50)
    model = popflow.train(screen, method="mfm", steps=500)
    treated = model.predict(controls, treatment="S")
    tables = model.evaluate(screen)
    plan = popflow.ot.exact(x, y)

Functions and classes: `Screen`, `train`, `load`, `Model`, `metrics`, `read_results`, `simulate`, `options`.
Modules: `ot` (optimal transport), `sets` (scores of sets of populations), `pl` (plots), `torch` (a trained model in PyTorch).

Importing this package loads nothing else. Its parts are loaded when they are first used. Nothing of it initialises MPI.
"""
import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from popflow import ot, pl, sets, torch  # noqa: F401
    from popflow._model import Model, load, train  # noqa: F401
    from popflow._program import options, simulate  # noqa: F401
    from popflow._results import read_results  # noqa: F401
    from popflow._scores import metrics  # noqa: F401
    from popflow._screen import Screen  # noqa: F401

    __version__: str

_WHERE = {
    "Screen": "_screen",
    "Model": "_model",
    "load": "_model",
    "train": "_model",
    "metrics": "_scores",
    "read_results": "_results",
    "options": "_program",
    "simulate": "_program",
}
_MODULES = ("ot", "pl", "sets", "torch")

__all__ = [*_WHERE, *_MODULES, "__version__"]


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"popflow.{name}")
    if name in _WHERE:
        value = getattr(importlib.import_module(f"popflow.{_WHERE[name]}"), name)
    elif name == "__version__":
        value = _version()
    else:
        raise AttributeError(f"module 'popflow' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)


def _version():
    """Returns the version with the commit, from the metadata of the installed package or from the library."""
    from importlib import metadata

    try:
        return metadata.version("popflow")
    except metadata.PackageNotFoundError:
        from popflow import _core

        return f"{_core.version}+g{_core.commit.replace('-', '.')}"
