# SPDX-License-Identifier: MIT
"""The recipes of containers/ build with the packages of scripts/install_dependencies.sh, and run with those of the libraries
that the program is linked to; whether an image can be built of them is not tried.

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

# What is no library is also there for those who build.
others = {name for name in running if not name.startswith("lib")}
assert others <= building, others - building
# Each library comes with the package that one builds with: libhdf5-103-1 with libhdf5-dev.
stem = lambda name: re.match(r"[a-z-]*[a-z]", name.removesuffix("-dev"))[0]
of_compiler = {"libgomp1", "libstdc++6"}
for library in running - others - of_compiler:
    assert any(stem(library) == stem(name) for name in building), f"{library} comes with none of {sorted(building)}"
if not (shutil.which("dpkg") and shutil.which("readelf")):
    sys.exit(0)
output = lambda *words: subprocess.run(words, capture_output=True, text=True, check=True).stdout
found = re.findall(r"^\t(\S+) .*=> (\S+)$", output("/sbin/ldconfig", "-p"), re.MULTILINE)
paths = dict(reversed(found))  # the first of a name is the one that is loaded
for library in re.findall(r"NEEDED.*\[(.*)\]", output("readelf", "-d", popflow)):
    owner = subprocess.run(["dpkg", "-S", str(pathlib.Path(paths.get(library, library)).resolve())], capture_output=True, text=True)
    package = owner.stdout.partition(":")[0]
    if package and package not in ("libc6", "libgcc-s1") and not package.startswith(("libasan", "libubsan")):
        assert package in running, f"{library} of {package} is not installed in the containers"
print(f"{len(running)} packages to run with, {len(building)} to build with")
