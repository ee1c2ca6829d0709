// SPDX-License-Identifier: MIT
// Peak of the CPU: chains of multiply-adds that never leave the registers. It bounds every matrix product of
// the same precision. The comparisons measure the peers' products against it (peer_speed.py).
#include <algorithm>
#include <ctime>

#include "step/measure.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#define POPFLOW_TARGET(text) __attribute__((target(text)))
#endif

namespace popflow::bench {

#ifdef POPFLOW_TARGET
namespace {

// Number of independent sums: more than latency times number of units, at most the number of registers.
constexpr int avx512_sums = 16;
constexpr int avx2_sums = 12;
constexpr int amx_sums = 6;
constexpr int repeats = 4000000;  // takes milliseconds, so that the start of the threads does not count

// Each function below returns its number of floating-point operations. A multiply-add counts as two.

POPFLOW_TARGET("avx512f") double multiply_fp32_avx512() {
    const __m512 x = _mm512_set1_ps(0.5F);
    __m512 sum[avx512_sums];
    for (auto& s : sum) s = x;
    for (int i = 0; i < repeats; ++i) {
#pragma GCC unroll 16
        for (auto& s : sum) s = _mm512_fmadd_ps(s, x, x);
    }
    for (auto& s : sum) benchmark::DoNotOptimize(s);
    return 2.0 * 16 * avx512_sums * repeats;
}

POPFLOW_TARGET("avx512f") double multiply_fp64_avx512() {
    const __m512d x = _mm512_set1_pd(0.5);
    __m512d sum[avx512_sums];
    for (auto& s : sum) s = x;
    for (int i = 0; i < repeats; ++i) {
#pragma GCC unroll 16
        for (auto& s : sum) s = _mm512_fmadd_pd(s, x, x);
    }
    for (auto& s : sum) benchmark::DoNotOptimize(s);
    return 2.0 * 8 * avx512_sums * repeats;
}

POPFLOW_TARGET("avx2,fma") double multiply_fp32_avx2() {
    const __m256 x = _mm256_set1_ps(0.5F);
    __m256 sum[avx2_sums];
    for (auto& s : sum) s = x;
    for (int i = 0; i < repeats; ++i) {
#pragma GCC unroll 12
        for (auto& s : sum) s = _mm256_fmadd_ps(s, x, x);
    }
    for (auto& s : sum) benchmark::DoNotOptimize(s);
    return 2.0 * 8 * avx2_sums * repeats;
}

POPFLOW_TARGET("avx2,fma") double multiply_fp64_avx2() {
    const __m256d x = _mm256_set1_pd(0.5);
    __m256d sum[avx2_sums];
    for (auto& s : sum) s = x;
    for (int i = 0; i < repeats; ++i) {
#pragma GCC unroll 12
        for (auto& s : sum) s = _mm256_fmadd_pd(s, x, x);
    }
    for (auto& s : sum) benchmark::DoNotOptimize(s);
    return 2.0 * 4 * avx2_sums * repeats;
}

POPFLOW_TARGET("avx512f,avx512bf16") double multiply_bf16_avx512() {
    const __m512bh x = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0.5F), _mm512_set1_ps(0.5F));
    __m512 sum[avx512_sums];
    for (auto& s : sum) s = _mm512_set1_ps(1.0F);
    for (int i = 0; i < repeats; ++i) {
#pragma GCC unroll 16
        for (auto& s : sum) s = _mm512_dpbf16_ps(s, x, x);
    }
    for (auto& s : sum) benchmark::DoNotOptimize(s);
    return 2.0 * 32 * avx512_sums * repeats;
}

// Asks the kernel to let this process use the AMX tiles. Returns whether it does.
bool request_amx() {
    constexpr int request_permission = 0x1023;  // ARCH_REQ_XCOMP_PERM
    constexpr int tile_data = 18;               // XFEATURE_XTILEDATA
    return ::syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

// Layout of the operand of LDTILECFG.
struct alignas(64) TileConfig {
    std::uint8_t palette = 1;
    std::uint8_t start_row = 0;
    std::uint8_t reserved[14] = {};
    std::uint16_t bytes_per_row[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfig) == 64);

// Tiles 0 to 5 are the sums, tiles 6 and 7 the factors: 16 x 16 sums of 32 products each.
POPFLOW_TARGET("amx-tile,amx-bf16") double multiply_bf16_amx() {
    alignas(64) std::uint16_t halves[16 * 32];
    std::ranges::fill(halves, std::uint16_t{0x3f00});  // 0.5
    const TileConfig config;
    benchmark::ClobberMemory();  // the intrinsics do not tell the compiler that they read memory
    _tile_loadconfig(&config);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
    _tile_loadd(6, halves, 64);
    _tile_loadd(7, halves, 64);
    constexpr int tile_repeats = repeats / 16;  // an instruction occupies the unit for 16 cycles
    for (int i = 0; i < tile_repeats; ++i) {
        _tile_dpbf16ps(0, 6, 7);
        _tile_dpbf16ps(1, 6, 7);
        _tile_dpbf16ps(2, 6, 7);
        _tile_dpbf16ps(3, 6, 7);
        _tile_dpbf16ps(4, 6, 7);
        _tile_dpbf16ps(5, 6, 7);
    }
    _tile_release();
    return 2.0 * 16 * 16 * 32 * amx_sums * tile_repeats;
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

// Kernels of this CPU, null where it has none.
struct PeakKernels {
    double (*fp32)() = nullptr;
    double (*fp64)() = nullptr;
    double (*bf16)() = nullptr;
};

PeakKernels choose_kernels() {
    PeakKernels kernels;
    if (__builtin_cpu_supports("avx512f")) {
        kernels.fp32 = multiply_fp32_avx512;
        kernels.fp64 = multiply_fp64_avx512;
    } else if (__builtin_cpu_supports("fma")) {
        kernels.fp32 = multiply_fp32_avx2;
        kernels.fp64 = multiply_fp64_avx2;
    }
    if (linalg::instruction_set().find("amx") != std::string::npos && request_amx()) {
        kernels.bf16 = multiply_bf16_amx;
    } else if (__builtin_cpu_supports("avx512bf16")) {
        kernels.bf16 = multiply_bf16_avx512;
    }
    return kernels;
}

}  // namespace

void add_peak() {
    const PeakKernels kernels = choose_kernels();
    if (kernels.fp32 != nullptr) add_one("peak/fp32", kernels.fp32);
    if (kernels.fp64 != nullptr) add_one("peak/fp64", kernels.fp64);
    if (kernels.bf16 != nullptr) add_one("peak/bf16", kernels.bf16);
}

double measure_peak(Precision precision) {
    const PeakKernels kernels = choose_kernels();
    double (*const multiply)() = precision == Precision::bf16 ? kernels.bf16 : kernels.fp32;
    if (multiply == nullptr) return 0;
    const std::clock_t start = std::clock();
    const double flops = multiply();
    return flops * CLOCKS_PER_SEC / static_cast<double>(std::clock() - start);
}
#else
void add_peak() {}
double measure_peak(Precision /*precision*/) {
    return 0;
}
#endif

}  // namespace popflow::bench
