#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What `popflow doctor` says of this machine. Usage: doctor.sh POPFLOW MPIEXEC
. "$(dirname "$0")/../support/scratch.sh"
says() { grep -qE -- "$1" "$scratch/out" || fail "no '$1' in: $(cat "$scratch/out")"; }

expect_exit 0 ranks 2 1 doctor --output "$scratch"
says "^popflow +$("$popflow" --version | cut -d' ' -f2) \("
says "^mpi .*, 2 ranks on 1 host$"
says "^files +HDF5 .* gzip .*lzf"
says "^rank 0 .*, 1 thread on cores [0-9,-]+ of $(nproc --all), .*, bf16 (yes|no)$"
says "^rank 1 "
says "^threads .*OMP_NUM_THREADS=1"
says "^folder +$scratch, .* GiB free; lock, write, sync and rename work$"
[ "$(ls "$scratch")" = "$(printf 'err\nout')" ] || fail "left behind: $(ls "$scratch")"

# More threads than cores is a note, a folder that cannot be written to an error.
expect_exit 0 ranks 1 4096 doctor --output "$scratch"
says "^note +4096 threads share"
expect_exit 1 "$popflow" doctor --output "$scratch/missing"
says "^folder .* FAIL$"
says "^note .*missing"
echo "the machine is described"
