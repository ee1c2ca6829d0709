// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>

#include "core/aligned.hpp"
#include "core/error.hpp"

namespace popflow::linalg {

// Letters in formulas and shapes of all files: n cells, d markers, h hidden width, k neighbours. As indices:
// i cell, j marker, p pair, r rank, l layer. Matrices are row-major, and their rows are cells.

/// Non-owning view of a row-major matrix. Consecutive rows are `stride` elements apart. `Real` may be const.
template <class Real>
struct MatrixView {
    Real* data = nullptr;
    std::size_t rows = 0;
    std::size_t cols = 0;
    std::size_t stride = 0;

    MatrixView() = default;
    MatrixView(Real* first, std::size_t n_rows, std::size_t n_cols)
        : MatrixView(first, n_rows, n_cols, n_cols) {}
    MatrixView(Real* first, std::size_t n_rows, std::size_t n_cols, std::size_t row_stride)
        : data(first), rows(n_rows), cols(n_cols), stride(row_stride) {}
    /// Converts a view of mutable elements to a view of const ones.
    template <class Other>
    requires(std::is_same_v<const Other, Real> && !std::is_same_v<Other, Real>) MatrixView(
        const MatrixView<Other>& other)  // NOLINT(google-explicit-constructor): a const view is wider
        : data(other.data), rows(other.rows), cols(other.cols), stride(other.stride) {}

    Real& operator()(std::size_t i, std::size_t j) const { return data[i * stride + j]; }
    Real* row(std::size_t i) const { return data + i * stride; }
    std::span<Real> row_span(std::size_t i) const { return {row(i), cols}; }
    /// Returns a view of rows [first, first + count).
    MatrixView row_block(std::size_t first, std::size_t count) const {
        return {data + first * stride, count, cols, stride};
    }
    /// Returns a view of columns [first, first + count).
    MatrixView col_block(std::size_t first, std::size_t count) const {
        return {data + first, rows, count, stride};
    }
    bool empty() const { return rows == 0 || cols == 0; }
};

template <class Real>
using ConstMatrixView = MatrixView<const Real>;

using core::AlignedVector;

/// Dense row-major matrix that owns its elements.
template <class Real>
class Matrix {
  public:
    Matrix() = default;
    /// Creates a matrix of zeros.
    Matrix(std::size_t rows, std::size_t cols) : rows_(rows), cols_(cols), values_(rows * cols) {}

    std::size_t rows() const { return rows_; }
    std::size_t cols() const { return cols_; }
    std::size_t size() const { return values_.size(); }
    Real* data() { return values_.data(); }
    const Real* data() const { return values_.data(); }
    Real& operator()(std::size_t i, std::size_t j) { return values_[i * cols_ + j]; }
    Real operator()(std::size_t i, std::size_t j) const { return values_[i * cols_ + j]; }
    std::span<Real> values() { return values_; }
    std::span<const Real> values() const { return values_; }

    /// Changes the shape. Reuses the storage if it is large enough. Leaves the elements unspecified.
    void reshape(std::size_t rows, std::size_t cols) {
        rows_ = rows;
        cols_ = cols;
        values_.resize(rows * cols);
    }
    void fill(Real value) { std::fill(values_.begin(), values_.end(), value); }

    MatrixView<Real> view() { return {values_.data(), rows_, cols_}; }
    ConstMatrixView<Real> view() const { return {values_.data(), rows_, cols_}; }
    operator MatrixView<Real>() { return view(); }             // NOLINT(google-explicit-constructor)
    operator ConstMatrixView<Real>() const { return view(); }  // NOLINT(google-explicit-constructor)

  private:
    std::size_t rows_ = 0;
    std::size_t cols_ = 0;
    AlignedVector<Real> values_;
};

}  // namespace popflow::linalg
