#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the source distribution of the Python package, a wheel from it, installs the wheel into an empty virtual environment and
# runs the example of docs/python.md there. The weights must have the bits of the program. Prints elapsed and CPU seconds.
# Usage: test_wheel.sh BUILD [FOLDER]     (for example scripts/test_wheel.sh build/dev)
# FOLDER (default build/wheel) is replaced. ccache is used if it is installed: a second run of the same sources then takes minutes.
# Sources are compiled in groups. Needs python3-venv, and a package index with the packages of pyproject.toml.
set -euo pipefail
build=$(cd "${1:?usage: scripts/test_wheel.sh BUILD [FOLDER]}" && pwd)
project=$(cd "$(dirname "$0")/.." && pwd)
folder=${2:-$project/build/wheel}
rm -rf "$folder"
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
python=$(command -v /usr/bin/python3 || command -v python3)
export PIP_DISABLE_PIP_VERSION_CHECK=1
unset PYTHONPATH

# step NAME COMMAND...: runs a command, and prints its elapsed and CPU seconds, or its output if it fails.
step() {
    local TIMEFORMAT="%R s elapsed, %U s + %S s CPU"
    local name=$1
    shift
    printf '%s: ' "$name"
    { time "$@" >"$folder/log" 2>&1; } 2>&1 || {
        tail -n 40 "$folder/log"
        echo "FAILED: $name, see $folder/log"
        exit 1
    }
}

"$python" -m venv "$folder/builder"
step "tools" "$folder/builder/bin/pip" install -q build "scikit-build-core>=1.0" "nanobind>=3,<4"
step "source distribution" "$folder/builder/bin/python3" -m build -q --no-isolation --sdist --outdir "$folder" "$project"
tar -xzf "$folder"/popflow-*.tar.gz -C "$folder"
mv "$folder"/popflow-*/ "$folder/source" # the same path for each version, for ccache
settings=(-C cmake.define.CMAKE_UNITY_BUILD=ON -C cmake.define.CMAKE_UNITY_BUILD_BATCH_SIZE=8 -C build-dir="$folder/objects")
if [ -n "$(command -v ccache)" ]; then
    settings+=(-C cmake.define.CMAKE_CXX_COMPILER_LAUNCHER=ccache -C cmake.define.CMAKE_C_COMPILER_LAUNCHER=ccache)
    export CCACHE_BASEDIR=$folder CCACHE_NOHASHDIR=1
fi
step "wheel" env PATH="$folder/builder/bin:$PATH" "$folder/builder/bin/python3" -m build -q --no-isolation --wheel --outdir "$folder" \
    "${settings[@]}" "$folder/source"
"$python" -m venv "$folder/empty"
step "installation" "$folder/empty/bin/pip" install -q "$folder"/popflow-*.whl

mkdir "$folder/work"
cd "$folder/work"
awk '/^```python$/ { ++n; next } /^```/ { n += n == 1 } n == 1' "$project/docs/python.md" >example.py
[ "$(grep -c . example.py)" = 10 ] || { echo "FAILED: the example of docs/python.md has other than 10 lines"; exit 1; }
echo 'model.save("ours")' >>example.py
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} OMP_WAIT_POLICY=passive
step "example" "$folder/empty/bin/python3" example.py
step "program" "$build/popflow" train --data screen.h5ad --min-cells 50 --split patient:21 --method mfm --steps 20 --hidden 32 --layers 2 \
    --knn 5 --cells 50 --batch-pairs 2 --output theirs
"$folder/empty/bin/python3" - <<'END'
import h5py

with h5py.File("ours/weights.h5") as ours, h5py.File("theirs/weights.h5") as theirs:
    names = []
    theirs.visit(lambda name: names.append(name) if isinstance(theirs[name], h5py.Dataset) else None)
    assert len(names) > 10
    for name in names:
        left, right = ours[name][()], theirs[name][()]
        assert left.tolist() == right.tolist() if left.dtype == object else left.tobytes() == right.tobytes(), name
END
echo "wheel ok: $(basename "$folder"/popflow-*.whl), weights have the bits of the program"
