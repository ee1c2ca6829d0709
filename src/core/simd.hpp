// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

// POPFLOW_SIMD marks a function that is compiled for plain x86-64, for AVX2 and for AVX-512 (function
// multiversioning). The loader selects the widest version that the CPU supports when the program starts.
// Sanitizers run before that selection, so their builds contain the plain version only.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define POPFLOW_SIMD __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#define POPFLOW_SIMD_VERSIONS 1
#else
#define POPFLOW_SIMD
#define POPFLOW_SIMD_VERSIONS 0
#endif

namespace popflow::core {

/// Vector register of floats, for loops that keep their accumulators in registers.
///
/// The compiler splits a vector that is wider than the registers of the CPU into parts on the stack, which is
/// ten times slower. Therefore such a loop is a template of the width and is instantiated explicitly for each
/// target: 64 bytes for x86-64-v4, 32 bytes for x86-64-v3, 16 bytes for any CPU. If POPFLOW_SIMD_VERSIONS is
/// 0, only the version with 16 bytes exists.
template <std::size_t Bytes>
struct Floats {
    using Vector __attribute__((vector_size(Bytes), aligned(4), may_alias)) = float;
    static constexpr std::size_t lanes = Bytes / sizeof(float);

    // Returns pointers, not references: Clang assumes that a reference to a vector type is fully aligned.
    static const Vector* at(const float* values) { return reinterpret_cast<const Vector*>(values); }
    static Vector* at(float* values) { return reinterpret_cast<Vector*>(values); }
};

}  // namespace popflow::core
