#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --precision: what a CPU without bf16 is told, what the configuration records, what a resume goes on with. The kernel
# library is asked to see an AVX2 machine.
# Usage: precision.sh POPFLOW
. "$(dirname "$0")/../support/scratch.sh"

small_screen "$scratch/s.h5ad"
train() {
    "$popflow" train --data "$scratch/s.h5ad" --steps 4 $small_model "$@"
}
says() {
    grep -q "^precision = $2\$" "$scratch/$1/config.cfg" || fail "$1: $(grep precision "$scratch/$1/config.cfg"), expected $2"
}

export ONEDNN_MAX_CPU_ISA=AVX2
expect_exit 2 train --output "$scratch/refused" --precision bf16
[ "$(wc -l <"$scratch/err")" = 1 ] || fail "more than a line: $(cat "$scratch/err")"
grep -q "^popflow: precision: found 'bf16', allowed auto, fp32" "$scratch/err" || fail "$(cat "$scratch/err")"
[ ! -e "$scratch/refused" ] || fail "a refused run made a folder"
expect_exit 0 train --output "$scratch/old"
says old fp32
unset ONEDNN_MAX_CPU_ISA

# Where there is bf16, a run that began without goes on without, unless it is asked to change, which is an error.
expect_exit 0 train --output "$scratch/old" --resume
says old fp32
expect_exit 2 train --output "$scratch/old" --resume --precision bf16
if train --output "$scratch/new" --precision bf16 2>/dev/null; then
    says new bf16
    expect_exit 0 train --output "$scratch/new" --resume
    says new bf16
    expect_exit 0 "$popflow" evaluate --run "$scratch/new" --output "$scratch/r.h5"
    h5dump -a precision "$scratch/r.h5" | grep -q '"bf16"' || fail "the results do not say bf16"
    # Prediction is in fp32, so that any CPU evaluates the run; training it further is refused.
    export ONEDNN_MAX_CPU_ISA=AVX2
    expect_exit 0 "$popflow" evaluate --run "$scratch/new" --output "$scratch/r2.h5"
    expect_exit 2 train --output "$scratch/new" --resume
fi
echo "precision is as asked, or refused"
