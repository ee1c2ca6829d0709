// SPDX-License-Identifier: MIT
// What the cores can multiply at most: sums of products that never leave the registers. A limit of every
// matrix product of the same precision; AMX, which multiplies elsewhere, is not measured.
#include "step/measure.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define POPFLOW_TARGET(text) __attribute__((target(text)))
#endif

namespace popflow::bench {

#ifdef POPFLOW_TARGET
namespace {

constexpr int registers = 16;     // sums that do not wait for each other: more than latency times units
constexpr int repeats = 4000000;  // milliseconds, beside which waking the threads is nothing

// Returns floating-point operations, one multiplication and one addition for each product.
POPFLOW_TARGET("avx512f") double multiply_avx512() {
    const __m512 x = _mm512_set1_ps(0.5F);
    __m512 sum[registers];
    for (auto& s : sum) s = x;
    for (int i = 0; i < repeats; ++i) {
#pragma GCC unroll 16
        for (auto& s : sum) s = _mm512_fmadd_ps(s, x, x);
    }
    for (auto& s : sum) benchmark::DoNotOptimize(s);
    return 2.0 * 16 * registers * repeats;
}

POPFLOW_TARGET("avx2,fma") double multiply_avx2() {
    constexpr int sums = 12;  // of 16 registers
    const __m256 x = _mm256_set1_ps(0.5F);
    __m256 sum[sums];
    for (auto& s : sum) s = x;
    for (int i = 0; i < repeats; ++i) {
#pragma GCC unroll 12
        for (auto& s : sum) s = _mm256_fmadd_ps(s, x, x);
    }
    for (auto& s : sum) benchmark::DoNotOptimize(s);
    return 2.0 * 8 * sums * repeats;
}

POPFLOW_TARGET("avx512f,avx512bf16") double multiply_bf16() {
    const __m512bh x = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0.5F), _mm512_set1_ps(0.5F));
    __m512 sum[registers];
    for (auto& s : sum) s = _mm512_set1_ps(1.0F);
    for (int i = 0; i < repeats; ++i) {
#pragma GCC unroll 16
        for (auto& s : sum) s = _mm512_dpbf16_ps(s, x, x);
    }
    for (auto& s : sum) benchmark::DoNotOptimize(s);
    return 2.0 * 32 * registers * repeats;
}

void add_one(const std::string& name, double (*multiply)()) {
    add(name, [multiply](benchmark::State& state) {
        double flops = 0;
        for (auto _ : state) {
            flops = 0;
#pragma omp parallel reduction(+ : flops)
            flops += multiply();
        }
        count_gflops(state, flops);
    });
}

}  // namespace

void add_peak() {
    if (__builtin_cpu_supports("avx512f")) {
        add_one("peak/fp32", multiply_avx512);
    } else if (__builtin_cpu_supports("fma")) {
        add_one("peak/fp32", multiply_avx2);
    }
    const bool amx = linalg::instruction_set().find("amx") != std::string::npos;
    if (__builtin_cpu_supports("avx512bf16") && !amx) add_one("peak/bf16", multiply_bf16);
}
#else
void add_peak() {}
#endif

}  // namespace popflow::bench
