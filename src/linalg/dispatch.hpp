// SPDX-License-Identifier: MIT
#pragma once

// POPFLOW_SIMD before a plain function compiles it for plain x86-64, AVX2 with FMA and AVX-512, and the
// loader picks the best the machine has. Results of one machine do not depend on the number of threads; two
// machines may differ in the last bits, because fused products round once.
//
// Sanitizers run before the loader's choice is possible, so they get the plain version.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define POPFLOW_SIMD __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define POPFLOW_SIMD
#endif
