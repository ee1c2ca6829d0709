// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace popflow::ot {

/// Number of columns that the kernel processes at a time. Transposed populations are padded to a multiple.
inline constexpr std::size_t column_block = 64;

/// Returns m rounded up to a multiple of column_block.
inline std::size_t padded(std::size_t m) {
    return (m + column_block - 1) / column_block * column_block;
}

/// Returns a row stride of at least `columns` that is an odd number of column blocks.
///
/// With an odd number, the same column of neighbouring rows maps to different cache sets.
inline std::size_t spread_stride(std::size_t columns) {
    return (columns / column_block | 1U) * column_block;
}

/// Output block of distances(): `rows` rows of `columns` elements.
struct DistanceBlock {
    float* out;
    std::size_t rows;
    std::size_t columns;     ///< a multiple of `column_block`
    std::size_t stride;      ///< number of elements from one row to the next
    bool take_root = false;  ///< write distances instead of squared distances
};

/// Computes out_ij = sum_k (x_ik - yt_kj)^2, or its square root.
///
/// Sums squared differences, so that no digits cancel.
///
/// Shapes:  x [rows, d], contiguous. yt [d, yt_stride], a transposed population: markers are rows.
void distances(const float* x, const float* yt, std::size_t yt_stride, std::size_t d,
               const DistanceBlock& block);

/// Returns a bound on the relative error of a squared distance with d markers. It covers a float subtraction,
/// a float product and d float additions.
inline float squared_distance_error(std::size_t d) {
    return static_cast<float>(d + 4) * 6e-8F;
}

}  // namespace popflow::ot
