// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "core/simd.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#define POPFLOW_AVX2 __attribute__((target("avx2,fma")))
// Computes sum += x * y. Inline assembly, because GCC 12 copies the accumulators between registers when it
// unrolls the equivalent vector code.
#define POPFLOW_ADD_PRODUCT(sum, x, y) asm("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(x), "x"(y))
#else
#define POPFLOW_AVX2
#define POPFLOW_ADD_PRODUCT(sum, x, y) (sum) += (x) * (y)
#endif

/// Tile of a product in registers, for the kernels of avx2_product.cpp and avx2_attention.cpp.
namespace popflow::linalg::avx2 {

using Wide = core::Floats<32>;
using Vector = Wide::Vector;

// Size of a tile of C: 6 x 16. Its 12 accumulators hide the latency of the FMA instruction. The other 4 of
// the 16 registers suffice for the two registers of a row of B and a broadcast element of A.
inline constexpr std::size_t tile_rows = 6;
inline constexpr std::size_t width = 2 * Wide::lanes;

// Returns the height of the next tile: six rows, except at the end. Splits the last 7 to 11 rows into two
// tiles of about equal height, because a tile of one or two rows would stall on its few accumulators.
inline std::size_t tile_height(std::size_t rows_left) {
    if (rows_left == tile_rows || rows_left >= 2 * tile_rows) return tile_rows;
    return rows_left > tile_rows ? (rows_left + 1) / 2 : rows_left;
}

[[gnu::always_inline]] POPFLOW_AVX2 inline Vector broadcast(float x) {
    return Vector{x, x, x, x, x, x, x, x};
}

// Adds element l of each row times row l of the panel to the accumulators of a tile, for Steps values of l.
// Element (r, l) is at row[r][l], or at row[r][l * stride] if Strided.
template <std::size_t Steps, std::size_t Rows, bool Strided>
[[gnu::always_inline]] POPFLOW_AVX2 inline void add_steps(const std::array<const float*, Rows>& row,
                                                          std::size_t stride, const float* panel,
                                                          std::size_t l, Vector (&sum)[Rows][2]) {
#pragma GCC unroll 4
    for (std::size_t end = l + Steps; l < end; ++l) {
        const Vector left = *Wide::at(panel + l * width);
        const Vector right = *Wide::at(panel + l * width + Wide::lanes);
#pragma GCC unroll 6
        for (std::size_t r = 0; r < Rows; ++r) {
            const Vector x = broadcast(row[r][Strided ? l * stride : l]);
            POPFLOW_ADD_PRODUCT(sum[r][0], x, left);
            POPFLOW_ADD_PRODUCT(sum[r][1], x, right);
        }
    }
}

// Adds the product of Rows rows and a panel of k rows to the accumulators of a tile.
template <std::size_t Rows, bool Strided>
[[gnu::always_inline]] POPFLOW_AVX2 inline void add_rows(const std::array<const float*, Rows>& row,
                                                         std::size_t stride, const float* panel,
                                                         std::size_t k, Vector (&sum)[Rows][2]) {
    // Unrolled by four, because the loop overhead costs time on a core that two hyper-threads share.
    std::size_t l = 0;
    for (; l + 4 <= k; l += 4) add_steps<4, Rows, Strided>(row, stride, panel, l, sum);
    for (; l < k; ++l) add_steps<1, Rows, Strided>(row, stride, panel, l, sum);
}

}  // namespace popflow::linalg::avx2
