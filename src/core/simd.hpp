// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

// POPFLOW_SIMD marks a function that is compiled several times, for plain x86-64, AVX2 and AVX-512; the
// program takes the widest that the machine has when it starts. Sanitizers run before such a choice can be
// made, so their builds have the plain version alone.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define POPFLOW_SIMD __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#define POPFLOW_SIMD_VERSIONS 1
#else
#define POPFLOW_SIMD
#define POPFLOW_SIMD_VERSIONS 0
#endif

namespace popflow::core {

/// A register of floats, for loops that keep their sums in registers. The compiler takes a vector that is
/// wider than the machine's registers to pieces on the stack, ten times as slow, so such a loop is a template
/// of the width and is compiled by hand for each: 64 bytes for x86-64-v4, 32 for x86-64-v3, 16 for any (where
/// POPFLOW_SIMD_VERSIONS is 1, 16 alone where it is 0).
template <std::size_t Bytes>
struct Floats {
    using Vector __attribute__((vector_size(Bytes), aligned(4), may_alias)) = float;
    static constexpr std::size_t lanes = Bytes / sizeof(float);

    // Pointers, which may point anywhere: of what a reference refers to Clang expects the alignment of a
    // register.
    static const Vector* at(const float* place) { return reinterpret_cast<const Vector*>(place); }
    static Vector* at(float* place) { return reinterpret_cast<Vector*>(place); }
};

}  // namespace popflow::core
