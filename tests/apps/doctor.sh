#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checks the report of `popflow doctor` on this machine. Usage: doctor.sh POPFLOW MPIEXEC
. "$(dirname "$0")/../support/scratch.sh"
# says PATTERN: fails unless the last command printed a line that matches.
says() { grep -qE -- "$1" "$scratch/out" || fail "no '$1' in: $(cat "$scratch/out")"; }

expect_exit 0 ranks 2 1 doctor --output "$scratch"
says "^popflow +$("$popflow" --version | cut -d' ' -f2) \("
says "^mpi .*, 2 ranks on 1 host$"
says "^files +HDF5 .* gzip .*lzf"
says "^rank 0 .*, 1 thread on cores [0-9,-]+ of $(nproc --all), .*, bf16 (yes|no)$"
says "^rank 1 "
says "^threads .*OMP_NUM_THREADS=1"
says "^folder +$scratch, .* GiB free; lock, write, sync and rename work$"
[ "$(ls "$scratch")" = "$(printf 'err\nout')" ] || fail "leftover files: $(ls "$scratch")"

# More threads than cores cause a note.
expect_exit 0 ranks 1 4096 doctor --output "$scratch"
says "^note +4096 threads share"
# Bound threads of one rank have a core each. Ranks that share their cores bind their threads to the same core.
if [ "$(nproc --all)" -ge 2 ] && taskset -c 0,1 true 2>/dev/null; then
    two() { OMP_NUM_THREADS=2 taskset -c 0,1 "$@" "$popflow" doctor --output "$scratch"; }
    expect_exit 0 two env -u OMP_PLACES OMP_PROC_BIND=true
    says "^rank 0 .*, 2 threads on cores 0-1 of"
    ! grep -q "^note" "$scratch/out" || fail "a note although each thread has a core: $(cat "$scratch/out")"
    expect_exit 0 two env -u OMP_PLACES -u OMP_PROC_BIND
    says "^note +threads are not bound"
    bound() { OMP_PROC_BIND=true taskset -c 0,1 "$mpiexec" --oversubscribe --bind-to none -n 2 "$@"; }
    OMP_NUM_THREADS=1 expect_exit 0 bound "$popflow" doctor --output "$scratch"
    says "^note +2 threads share 1 core"
fi
# A folder that cannot be written to is an error.
expect_exit 1 "$popflow" doctor --output "$scratch/missing"
says "^folder .* FAIL$"
says "^note .*missing"
echo "doctor describes the machine"
