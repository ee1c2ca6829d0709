#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --precision: the error on a CPU without bf16, the value in the configuration, and the value that a resumed run uses.
# ONEDNN_MAX_CPU_ISA makes oneDNN treat this machine as one with AVX2 only.
# Usage: precision.sh POPFLOW
. "$(dirname "$0")/../support/scratch.sh"

small_screen "$scratch/s.h5ad"
train() {
    "$popflow" train --data "$scratch/s.h5ad" --steps 4 $small_model "$@"
}
# has_precision RUN PRECISION: fails unless the configuration of the run has this precision.
has_precision() {
    grep -q "^precision = $2\$" "$scratch/$1/config.cfg" || fail "$1: $(grep precision "$scratch/$1/config.cfg"), expected $2"
}

export ONEDNN_MAX_CPU_ISA=AVX2
expect_exit 2 train --output "$scratch/refused" --precision bf16
[ "$(wc -l <"$scratch/err")" = 1 ] || fail "more than one line: $(cat "$scratch/err")"
grep -q "^popflow: precision: found 'bf16', but the CPU of a rank has neither" "$scratch/err" || fail "$(cat "$scratch/err")"
[ ! -e "$scratch/refused" ] || fail "a refused run made a folder"
expect_exit 0 train --output "$scratch/old"
has_precision old fp32
unset ONEDNN_MAX_CPU_ISA

# On a CPU with bf16, a run that was started in fp32 resumes in fp32. Asking for bf16 is an error.
expect_exit 0 train --output "$scratch/old" --resume
has_precision old fp32
expect_exit 2 train --output "$scratch/old" --resume --precision bf16
if train --output "$scratch/new" --precision bf16 2>/dev/null; then
    has_precision new bf16
    expect_exit 0 train --output "$scratch/new" --resume
    has_precision new bf16
    expect_exit 0 "$popflow" evaluate --run "$scratch/new" --output "$scratch/r.h5"
    h5dump -a precision "$scratch/r.h5" | grep -q '"bf16"' || fail "the results do not have precision bf16"
    # Prediction uses fp32, so any CPU can evaluate the run. Training it further needs bf16.
    export ONEDNN_MAX_CPU_ISA=AVX2
    expect_exit 0 "$popflow" evaluate --run "$scratch/new" --output "$scratch/r2.h5"
    expect_exit 2 train --output "$scratch/new" --resume
fi
echo "the precision is as requested, or refused"
