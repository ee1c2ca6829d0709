// SPDX-License-Identifier: MIT
#pragma once

// POPFLOW_SIMD marks a function that is compiled several times, for plain x86-64, AVX2 and AVX-512; the
// program takes the widest that the machine has when it starts. Sanitizers run before such a choice can be
// made, so their builds have the plain version alone.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define POPFLOW_SIMD __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define POPFLOW_SIMD
#endif
