# SPDX-License-Identifier: MIT
"""Sphinx extension that shows the sections of the docstrings of this project as fields.

The sections are `Args:`, `Attributes:`, `Returns:` and `Raises:`, with entries such as `x, y: text`. sphinx.ext.napoleon reads
the text before any colon as a type. In these docstrings it can be a sentence.
"""
import re

TITLES = {"Args:": "Parameters", "Attributes:": "Attributes", "Returns:": "Returns", "Raises:": "Raises"}


def with_fields(lines):
    """Yields the lines of a docstring with fields in place of its sections."""
    section = None
    for line in lines:
        if line in TITLES:
            section = TITLES[line]
            yield ""
            yield f":{section}:"
            continue
        if section and line and not line.startswith("    "):
            section = None
            yield ""
        entry = re.match(r"    ([\w*]+(?:, [\w*]+)*): (.*)", line) if section and section != "Returns" else None
        if entry:
            names = ", ".join(f"``{name}``" for name in entry[1].split(", "))
            line = f"    * {names}: {entry[2]}"
        elif section and section != "Returns" and line.startswith("        "):
            line = "      " + line.strip()
        yield re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line)


def setup(app):
    def change(app, what, name, thing, options, lines):
        lines[:] = list(with_fields(lines))

    app.connect("autodoc-process-docstring", change)
    return {"parallel_read_safe": True}
