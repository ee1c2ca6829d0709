// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/aligned.hpp"
#include "linalg/matrix.hpp"

namespace popflow::ot {

/// Cost of moving one unit of mass from cell x to cell y.
enum class CostKind {
    euclidean,          ///< ||x - y||
    squared_euclidean,  ///< ||x - y||^2
    cosine,             ///< 1 - <x, y> / (||x|| ||y||)
    given,              ///< an element of the caller's matrix, or a value of the caller's function
};

/// Non-owning view of an fp32 cost matrix.
///
/// Rows have `padded_cols` elements and start on 64-byte boundaries. All elements are >= 0. Those from column
/// `cols` on are equal to Cost::padding.
struct CostRows {
    const float* data = nullptr;
    std::size_t rows = 0;
    std::size_t cols = 0;
    std::size_t padded_cols = 0;  ///< a multiple of 64
    std::size_t stride = 0;       ///< number of elements from one row to the next
    double mean = 0;              ///< mean element
    double offset = 0;            ///< the cost is this much larger than the element

    const float* row(std::size_t i) const { return data + i * stride; }
};

/// Cost matrix c_ij between the rows of x and the rows of y: fp32 in memory, double on demand.
///
/// The fp32 matrix finds candidate arcs and starting duals. Every number of a result is computed by
/// `exact()`, in double from the inputs. Distances are sums of squared differences. An offset common to x and
/// y, however large, therefore costs no digits beyond those that the inputs have already lost. The fp32
/// matrix holds (c_ij - offset) / unit, where unit is a power of two. Inputs of any magnitude neither
/// overflow nor underflow.
///
/// Shapes:  x [n, d], y [m, d]. The views must outlive the Cost. Memory: 4 n m bytes.
class Cost {
  public:
    /// @throws core::ShapeMismatch if x and y differ in columns or either is empty
    /// @throws core::NumericalError if an element is not finite, or a row is zero and the kind is cosine
    Cost(CostKind kind, linalg::ConstMatrixView<float> x, linalg::ConstMatrixView<float> y);
    /// Takes a given cost c [n, m]. Elements may have any sign. The view must outlive the Cost.
    ///
    /// @throws core::ShapeMismatch if c is empty
    /// @throws core::NumericalError if an element is not finite
    explicit Cost(linalg::ConstMatrixView<double> c);
    explicit Cost(linalg::ConstMatrixView<float> c);
    /// Takes the cost c(i, j), i < n, j < m. Values may have any sign.
    ///
    /// c must be thread-safe and deterministic.
    ///
    /// @throws core::ShapeMismatch, core::NumericalError as for a matrix, and any exception of c
    Cost(std::size_t n, std::size_t m, std::function<double(std::size_t, std::size_t)> c);

    CostKind kind() const { return kind_; }
    std::size_t rows() const { return rows_; }
    std::size_t cols() const { return cols_; }

    /// Returns c_ij in double, in the units of the matrix: the cost is offset() + unit() * exact(i, j).
    double exact(std::size_t i, std::size_t j) const;
    /// Sets costs[l] to exact(i, columns[l]), faster than one by one.
    void exact(std::size_t i, std::span<const std::uint32_t> columns, std::span<double> costs) const;
    /// Whether the cost is a Euclidean distance between points, or its square.
    bool is_euclidean() const { return kind_ == CostKind::euclidean || kind_ == CostKind::squared_euclidean; }
    /// Points that the cost was constructed from. Empty if the kind is given.
    linalg::ConstMatrixView<float> x() const { return x_; }
    linalg::ConstMatrixView<float> y() const { return y_; }
    /// Whether the points have a single marker, so that the monotone plan is optimal.
    bool is_on_line() const { return is_euclidean() && x_.cols == 1; }
    /// Scale and offset of the matrix: the cost is offset() + unit() * element.
    double unit() const { return unit_; }
    double offset() const { return offset_; }

    /// Returns a view of the fp32 matrix.
    CostRows fp32() const {
        return {matrix_.data(), rows_, cols_, padded_cols_, stride_, mean_, offset_ / unit_};
    }
    const float* row(std::size_t i) const { return matrix_.data() + i * stride_; }
    std::size_t padded_cols() const { return padded_cols_; }
    /// Value of the elements from column cols() on: larger than any element of the matrix.
    static constexpr float padding = 1e30F;

    /// Bounds on the error of the fp32 matrix:
    /// |row(i)[j] - exact(i, j)| <= absolute_error() + relative_error() * row(i)[j].
    float relative_error() const { return relative_error_; }
    float absolute_error() const { return absolute_error_; }
    /// Largest and mean element of the fp32 matrix.
    double largest() const { return largest_; }
    double mean() const { return mean_; }

    /// Squares Euclidean distances in place, so that W2 reuses the matrix of W1.
    ///
    /// @throws core::NumericalError if the kind is not euclidean
    void square();

  private:
    template <std::size_t count>
    void exact_of(std::size_t i, const std::uint32_t* columns, double* costs) const;
    void fill_from_points();
    void fill_from_matrix();
    struct RowSummary {
        float sum = 0;
        float largest = 0;
    };
    RowSummary finish_row(float* c) const;
    void summarise(std::span<const RowSummary> row_summaries);

    CostKind kind_;
    linalg::ConstMatrixView<float> x_;
    linalg::ConstMatrixView<float> y_;
    std::function<double(std::size_t, std::size_t)> given_;
    std::size_t rows_ = 0;
    std::size_t cols_ = 0;
    std::size_t padded_cols_ = 0;
    std::size_t stride_ = 0;
    std::vector<double> x_inverse_norm_;  // only for the cosine cost
    std::vector<double> y_inverse_norm_;
    double point_scale_ = 1;  // power of two that scales the coordinates to order one
    double unit_ = 1;
    double offset_ = 0;
    float relative_error_ = 0;
    float absolute_error_ = 0;
    double largest_ = 0;
    double mean_ = 0;
    core::AlignedArray<float> matrix_;
};

}  // namespace popflow::ot
