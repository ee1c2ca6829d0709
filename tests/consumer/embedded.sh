#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Configures a separate CMake project that contains the sources of popflow, and compiles the project's own source. It does
# not inherit popflow's compiler flags and internal headers.  Usage: embedded.sh PROJECT CMAKE
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() {
    echo "FAILED: $*" >&2
    exit 1
}
cd "$scratch"
"$2" -S "$here/embedded" -B build -G Ninja -DPOPFLOW_SOURCE="$1" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >configure.log 2>&1 || fail "$(tail -n 20 configure.log)"
# Only the project's source is compiled: the library itself is built by the other tests.
"$2" --build build --target CMakeFiles/embedded.dir/main.cpp.o >build.log 2>&1 || fail "$(tail -n 20 build.log)"
! grep -q "warning:" build.log || fail "$(cat build.log)"
command=$(grep -e '-c [^ ]*embedded/main.cpp' build/compile_commands.json)
for flag in -Wconversion -Wshadow -Wpedantic -Werror -O3 -fno-math-errno -fopenmp -isystem; do
    [[ $command != *" $flag"* ]] || fail "popflow's $flag leaks: $command"
done
