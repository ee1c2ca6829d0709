# SPDX-License-Identifier: MIT
"""Checks the recipes of containers/: they build with the packages of scripts/install_dependencies.sh, and their images have
the packages of all libraries that the program is linked to. Does not build an image.

Usage: containers.py POPFLOW PROJECT
"""
import pathlib
import re
import shutil
import subprocess
import sys

popflow, project = sys.argv[1], pathlib.Path(sys.argv[2])
script = (project / "scripts/install_dependencies.sh").read_text()
building = set(re.search(r"^packages=\((.*?)\)", script, re.DOTALL | re.MULTILINE)[1].split())
lists = {}
for name in ("Dockerfile", "popflow.def"):
    text = (project / "containers" / name).read_text()
    assert text.count("scripts/install_dependencies.sh") == 1, f"{name}: the first stage does not call the script"
    assert text.count("debian:bookworm") == 2 and text.count("apt-get install") == 1, f"{name}: not two stages of Debian 12"
    lists[name] = set(re.search(r"--no-install-recommends ((?:[a-z0-9.+-]+|\\\n|\s)+)", text)[1].replace("\\\n", " ").split())
    lists[name] -= {"rm", "-rf"}
assert lists["Dockerfile"] == lists["popflow.def"], lists
running = lists["Dockerfile"]

# The build stage also has the packages that are not libraries.
others = {name for name in running if not name.startswith("lib")}
assert others <= building, others - building
# Each library belongs to a development package of the build stage: libhdf5-103-1 to libhdf5-dev.
stem = lambda name: re.match(r"[a-z-]*[a-z]", name.removesuffix("-dev"))[0]
compiler_libraries = {"libgomp1", "libstdc++6"}
for library in running - others - compiler_libraries:
    assert any(stem(library) == stem(name) for name in building), f"{library} belongs to none of {sorted(building)}"
if not (shutil.which("dpkg") and shutil.which("readelf")):
    sys.exit(0)
output = lambda *words: subprocess.run(words, capture_output=True, text=True, check=True).stdout
found = re.findall(r"^\t(\S+) .*=> (\S+)$", output("/sbin/ldconfig", "-p"), re.MULTILINE)
paths = dict(reversed(found))  # the loader uses the first of several libraries with the same name
for library in re.findall(r"NEEDED.*\[(.*)\]", output("readelf", "-d", popflow)):
    owner = subprocess.run(["dpkg", "-S", str(pathlib.Path(paths.get(library, library)).resolve())], capture_output=True, text=True)
    package = owner.stdout.partition(":")[0]
    if package and package not in ("libc6", "libgcc-s1") and not package.startswith(("libasan", "libubsan")):
        assert package in running, f"the containers do not install {package}, which has {library}"
print(f"{len(running)} packages at run time, {len(building)} at build time")
