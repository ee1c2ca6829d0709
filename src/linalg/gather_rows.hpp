// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// Copies rows of a matrix: row i of `to` is row rows[i] of `from`.
///
/// Shapes: from [n, d], rows [m], to [m, d]. Every row is below n.
inline void gather_rows(ConstMatrixView<float> from, std::span<const std::uint32_t> rows,
                        MatrixView<float> to) {
    for (std::size_t i = 0; i < rows.size(); ++i) std::copy_n(from.row(rows[i]), from.cols, to.row(i));
}

/// Copies rows to a matrix that takes their shape.
inline void gather_rows(ConstMatrixView<float> from, std::span<const std::uint32_t> rows, Matrix<float>& to) {
    to.reshape(rows.size(), from.cols);
    gather_rows(from, rows, to.view());
}

}  // namespace popflow::linalg
