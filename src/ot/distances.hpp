// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace popflow::ot {

/// Columns of a transposed population are padded to a multiple of this.
inline constexpr std::size_t column_block = 64;

/// m rounded up to whole column blocks.
inline std::size_t padded(std::size_t m) {
    return (m + column_block - 1) / column_block * column_block;
}

/// A row length of at least `columns` that is an odd number of blocks, so that equal places of neighbouring
/// rows do not fall on the same few cache lines.
inline std::size_t spread_stride(std::size_t columns) {
    return (columns / column_block | 1U) * column_block;
}

/// Where distances go and how: `columns` of `rows` rows, `stride` apart.
struct DistanceBlock {
    float* out;
    std::size_t rows;
    std::size_t columns;  ///< a multiple of `column_block`
    std::size_t stride;
    bool root = false;  ///< distances in place of their squares
};

/// out_ij = sum_k (x_ik - yt_kj)^2, or its root: differences, so nothing cancels.
///
/// Shapes: x [rows, d] without gaps; yt [d, yt_stride], one population with markers as rows.
void distances(const float* x, const float* yt, std::size_t yt_stride, std::size_t d,
               const DistanceBlock& block);

/// Bound on the relative error of a squared distance in d markers, from a float subtraction, a float
/// product and d float sums.
inline float squared_distance_error(std::size_t d) {
    return static_cast<float>(d + 4) * 6e-8F;
}

}  // namespace popflow::ot
