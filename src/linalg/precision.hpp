// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace popflow::linalg {

/// Type to which the operands of matrix products are rounded. Sums are fp32 in both cases.
enum class Precision {
    fp32,
    bf16,  ///< 8 bits of significand: half the memory, at least twice the speed if the CPU supports it
};

const char* precision_name(Precision precision);

/// Returns the newest instruction set that matrix products use, by oneDNN's name: `avx2`, `avx512_core_amx`.
std::string instruction_set();

/// Returns whether oneDNN finds that this CPU multiplies bf16 (AVX512_BF16 or AMX). The environment variable
/// ONEDNN_MAX_CPU_ISA of oneDNN can hide this.
bool cpu_has_bf16();

}  // namespace popflow::linalg
