// SPDX-License-Identifier: MIT
#pragma once

#include <omp.h>

#include <vector>

#include "linalg/matrix.hpp"
#include "linalg/row_blocks.hpp"

namespace popflow::nn {

/// Allocates a scratch block of linalg::block_rows rows for each thread. Must be called before the parallel
/// region.
template <class Real>
void reserve_blocks(std::vector<linalg::Matrix<Real>>& blocks, std::size_t cols) {
    const auto threads = static_cast<std::size_t>(omp_get_max_threads());
    if (blocks.size() < threads) blocks.resize(threads);
    for (linalg::Matrix<Real>& block : blocks) block.reshape(linalg::block_rows, cols);
}

/// Returns the first elements of the scratch block of the calling thread, as a matrix [rows, cols].
template <class Real>
linalg::MatrixView<Real> own_block(std::vector<linalg::Matrix<Real>>& blocks, std::size_t rows,
                                   std::size_t cols) {
    return {blocks[static_cast<std::size_t>(omp_get_thread_num())].data(), rows, cols};
}

/// Returns rows [first, first + count).
template <class T>
linalg::ConstMatrixView<T> const_rows(const linalg::Matrix<T>& m, std::size_t first, std::size_t count) {
    return m.view().row_block(first, count);
}

/// Returns rows [first, first + count).
template <class T>
linalg::MatrixView<T> rows_of(linalg::Matrix<T>& m, std::size_t first, std::size_t count) {
    return m.view().row_block(first, count);
}

}  // namespace popflow::nn
