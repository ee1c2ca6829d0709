// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "linalg/matrix.hpp"

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

/// out_j = sum_k (x_k - yt_kj)^2, or its root, for every j < columns: differences, so nothing cancels.
///
/// Shapes: x [d]; yt [d, stride], one population with markers as rows; out [columns], columns a multiple of
///         `column_block`.
void squared_distances(const float* x, const float* yt, std::size_t stride, std::size_t d,
                       std::size_t columns, float* out);
void distances(const float* x, const float* yt, std::size_t stride, std::size_t d, std::size_t columns,
               float* out);

/// Bound on the relative error of squared_distances() in d markers, from a float subtraction, a float product
/// and d float sums.
inline float squared_distance_error(std::size_t d) {
    return static_cast<float>(d + 4) * 6e-8F;
}

}  // namespace popflow::ot
