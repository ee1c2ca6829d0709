# SPDX-License-Identifier: MIT
"""Runs the cells of one notebook, and compiles those of all others. scripts/notebooks.sh runs all of them under Jupyter.

Usage: notebook.py PROJECT NAME FIGURES, with the package in PYTHONPATH. Fails if the notebook shows other than FIGURES figures.
Exit code 77 without matplotlib, anndata or the package.
"""
import importlib
import io
import os
import pathlib
import sys

project, name, expected = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2], int(sys.argv[3])
os.environ["MPLBACKEND"] = "agg"
for module in ("matplotlib", "anndata", "popflow._core"):
    try:
        importlib.import_module(module)
    except ImportError as error:
        print("skipped:", error)
        sys.exit(77)
sys.path.insert(0, str(project / "scripts"))
from notebooks import cells  # noqa: E402

found = {path.stem: list(cells(path.read_text())) for path in sorted((project / "notebooks").glob("*.py"))}
for stem, parts in found.items():
    kinds = [kind for kind, _ in parts]
    assert kinds[0] == "markdown" and parts[0][1].startswith("# "), f"{stem}: the first cell has no title"
    assert kinds.count("code") >= 3, f"{stem}: has {kinds.count('code')} cells of code"
    for number, (kind, text) in enumerate(parts):
        if kind == "code":
            compile(text, f"{stem}, cell {number}", "exec")

from matplotlib import pyplot  # noqa: E402

os.chdir(project)  # the notebook reads data/
shown = 0


def show(*_, **__):
    """Draws all open figures and closes them."""
    global shown
    for number in pyplot.get_fignums():
        pyplot.figure(number).savefig(io.BytesIO())
        shown += 1
    pyplot.close("all")


pyplot.show = show
names = {"__name__": "__main__"}
for number, (kind, text) in enumerate(found[name]):
    if kind == "code":
        exec(compile(text, f"{name}, cell {number}", "exec"), names)
        show()
print(f"{name}: {sum(kind == 'code' for kind, _ in found[name])} cells ran, {shown} figures. {len(found)} notebooks compiled")
assert shown == expected, f"found {shown} figures, expected {expected}"
