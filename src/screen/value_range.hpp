// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::screen {

/// Smallest and largest value of each marker.
struct ValueRange {
    std::vector<float> min{};  ///< [d]
    std::vector<float> max{};  ///< [d]

    bool empty() const { return min.empty(); }
    /// Extends the range to the rows of x. An empty range becomes that of x.
    ///
    /// Shapes: x [n, d].
    /// @throws core::ShapeMismatch
    void include(linalg::ConstMatrixView<float> x);
    /// Limits each value to the range.
    ///
    /// Shapes: x [n, d], in place.
    /// @throws core::ShapeMismatch
    void clip(linalg::MatrixView<float> x) const;
};

/// Numbers of cells outside a range.
struct OutsideCounts {
    std::size_t cells = 0;                 ///< cells with at least one marker outside
    std::vector<std::size_t> by_marker{};  ///< [d] cells of which this marker is outside
};

/// Counts the cells outside a range.
///
/// Shapes: x [n, d].
/// @throws core::ShapeMismatch
OutsideCounts count_outside(const ValueRange& range, linalg::ConstMatrixView<float> x);

}  // namespace popflow::screen
