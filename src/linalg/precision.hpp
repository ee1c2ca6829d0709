// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace popflow::linalg {

/// What the operands of matrix products are rounded to; sums are fp32 in both.
enum class Precision {
    fp32,
    bf16,  ///< 8 bits of significand: half the memory, twice the speed or more where the CPU has it
};

const char* precision_name(Precision precision);

/// The newest instructions that matrix products use, by oneDNN's name: `avx2`, `avx512_core_amx`.
std::string instruction_set();

/// Whether this CPU multiplies bf16 (AVX512_BF16 or AMX), as the kernel library sees it: its environment
/// variable ONEDNN_MAX_CPU_ISA may hide it.
bool cpu_has_bf16();

}  // namespace popflow::linalg
