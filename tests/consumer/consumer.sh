#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs the library, builds a separate CMake project with it and runs its programs, one of which loads a module that is
# linked to the library. The predictions have the bits of `popflow predict`.  Usage: consumer.sh POPFLOW MPIEXEC BUILD CMAKE PYTHON
. "$(dirname "$0")/../support/scratch.sh"
here=$(cd "$(dirname "$0")" && pwd)
build=$3
cmake=$4
python=$5
needs_python h5py
cd "$scratch"
"$cmake" --install "$build" --prefix "$scratch/prefix" >install.log 2>&1 || fail "$(tail -n 5 install.log)"
"$cmake" -S "$here/project" -B consumer -DCMAKE_PREFIX_PATH="$scratch/prefix" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >configure.log 2>&1 ||
    fail "$(tail -n 20 configure.log)"
"$cmake" --build consumer >build.log 2>&1 || fail "$(tail -n 20 build.log)"
! grep -q -- "-Wconversion\|-Werror\|-fopenmp" consumer/compile_commands.json || fail "the warnings of popflow leak"

small_screen s.h5ad
expect_exit 0 "$popflow" train --data s.h5ad $small_model --steps 10 --output run
expect_exit 0 "$popflow" predict --run run --data s.h5ad --treatment S --output p.h5ad
"$python" "$here/dump_population.py" s.h5ad p.h5ad
expect_exit 0 consumer/consumer run control.f32 expected.f32 labels.txt S
cat out

# The same in a module that is linked to the library.
symbols=$(nm -D --defined-only --demangle consumer/libmodule.so)
! grep -q "popflow::\(core\|h5\|train\)::" <<<"$symbols" || fail "the module exports internal symbols of popflow"
mkdir damaged
cp run/checkpoint.h5 damaged
printf '\377\377' | dd of=damaged/checkpoint.h5 bs=1 seek=5000 conv=notrunc 2>/dev/null
expect_exit 0 consumer/host "$PWD/consumer/libmodule.so" run damaged control.f32 expected.f32 labels.txt S
cat out
