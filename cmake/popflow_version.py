# SPDX-License-Identifier: MIT
"""Provides the version of the Python package: that of CMakeLists.txt, with the commit, such as 0.1.0+g0123456789ab.

A plugin of scikit-build-core. A source distribution has no commit of its own, so the version in its PKG-INFO counts.
"""
import re
import subprocess
from pathlib import Path


def _commit():
    """Returns `+gCOMMIT`, with `.dirty` for a changed work tree. Empty outside a Git repository."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
    return "+g" + found.replace("-", ".")


def dynamic_metadata(settings, project):
    """Returns the version of the project in the current folder."""
    packed = Path("PKG-INFO")
    if packed.exists():
        found = re.search(r"^Version: (\S+)$", packed.read_text(encoding="utf-8"), re.MULTILINE)
        return {"version": found.group(1)}
    found = re.search(r"^project\(popflow VERSION (\S+)", Path("CMakeLists.txt").read_text(encoding="utf-8"), re.MULTILINE)
    return {"version": found.group(1) + _commit()}
