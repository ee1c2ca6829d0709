#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the notebooks of notebooks/, and stores them with their outputs in build/notebooks.

    notebooks.py [NAME...]      (default: all)

A notebook is a Python file in the percent format: `# %%` starts a cell of code, `# %% [markdown]` one of text in comments.
Editors such as VS Code, PyCharm, Spyder and Jupyter (with jupytext) open such a file as a notebook. Needs nbclient, ipykernel
and the packages that the notebooks import. scripts/notebooks.sh installs them.
"""
import re
import shutil
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
SOURCES = PROJECT / "notebooks"
EXECUTED = PROJECT / "build" / "notebooks"
CELL_TIMEOUT = 1800  # seconds, so that a cell that never ends fails the nightly run


def cells(text):
    """Yields the kind, "code" or "markdown", and the text of each cell of a percent file. The header is left out."""
    parts = re.split(r"^# %%(.*)\n", text, flags=re.MULTILINE)
    for title, body in zip(parts[1::2], parts[2::2]):
        if "[markdown]" in title:
            yield "markdown", re.sub(r"^# ?", "", body, flags=re.MULTILINE).strip()
        else:
            yield "code", body.strip("\n")


def notebook(text):
    """Returns the nbformat notebook of a percent file, without outputs."""
    from nbformat import v4

    make = {"code": v4.new_code_cell, "markdown": v4.new_markdown_cell}
    found = v4.new_notebook(cells=[make[kind](body, id=f"cell-{k}") for k, (kind, body) in enumerate(cells(text))])
    found.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
                      "language_info": {"name": "python", "pygments_lexer": "python"}}
    return found


def with_outputs(text):
    """Returns the executed notebook of a percent file from build/notebooks. Without one, the notebook has no outputs."""
    import nbformat

    made = notebook(text)
    for path in sorted(EXECUTED.glob("*.ipynb")):
        executed = nbformat.read(path, as_version=4)
        if [cell.source for cell in executed.cells] == [cell.source for cell in made.cells]:
            return executed
    return made


def execute(path):
    """Runs a percent file as a notebook in the empty folder build/notebooks/NAME.

    Raises:
        nbclient.exceptions.CellExecutionError: if a cell fails. The file then has the outputs up to this cell.
    """
    import nbformat
    from nbclient import NotebookClient

    made = notebook(path.read_text())
    folder = EXECUTED / path.stem
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    client = NotebookClient(made, timeout=CELL_TIMEOUT, kernel_name="python3", store_widget_state=False,
                            resources={"metadata": {"path": str(folder)}})
    try:
        client.execute()
    finally:
        nbformat.write(made, EXECUTED / f"{path.stem}.ipynb")


def main(names):
    paths = [SOURCES / f"{name}.py" for name in names] or sorted(SOURCES.glob("*.py"))
    failed = 0
    for path in paths:
        start = time.monotonic()
        try:
            execute(path)
            result = "ran"
        except Exception as error:  # noqa: BLE001  the other notebooks still run
            print(error, file=sys.stderr)
            result, failed = "FAILED", failed + 1
        print(f"{path.stem}: {result} ({time.monotonic() - start:.0f} s)", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
