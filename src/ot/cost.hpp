// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "core/aligned.hpp"
#include "linalg/matrix.hpp"

namespace popflow::ot {

/// What it costs to move one unit of mass from cell x to cell y.
enum class CostKind {
    euclidean,          ///< ||x - y||
    squared_euclidean,  ///< ||x - y||^2
    cosine,             ///< 1 - <x, y> / (||x|| ||y||)
    given,              ///< an element of a matrix, or a function, that the caller made
};

/// A cost matrix in fp32 that somebody else owns: rows of `padded_cols` elements on 64-byte boundaries, all
/// >= 0, those from `cols` on equal to Cost::padding.
struct CostRows {
    const float* data = nullptr;
    std::size_t rows = 0;
    std::size_t cols = 0;
    std::size_t padded_cols = 0;  ///< a multiple of 64
    std::size_t stride = 0;       ///< from one row to the next
    double mean = 0;
    double offset = 0;  ///< the cost is that much more than the element

    const float* row(std::size_t i) const { return data + i * stride; }
};

/// The cost matrix c_ij between the rows of x and the rows of y: fp32 in memory, double on demand.
///
/// The fp32 matrix finds candidates and starting duals; whatever ends in a result is computed by `exact()`,
/// in double from the inputs. Distances are sums of squared differences, so an offset common to x and y,
/// however large, costs no digit beyond what the inputs have lost already. The fp32 matrix holds (c_ij -
/// offset) / unit, unit a power of two, so that inputs of any magnitude neither over- nor underflow.
///
/// Shapes:  x [n, d], y [m, d]; the views must outlive the Cost. Memory: 4 n m bytes.
class Cost {
  public:
    /// @throws core::ShapeMismatch if x and y differ in columns or either is empty
    /// @throws core::NumericalError if an element is not finite, or a row is zero and the kind is cosine
    Cost(CostKind kind, linalg::ConstMatrixView<float> x, linalg::ConstMatrixView<float> y);
    /// The cost is given: c [n, m], of any sign.
    ///
    /// @throws core::ShapeMismatch if c is empty
    /// @throws core::NumericalError if an element is not finite
    explicit Cost(linalg::ConstMatrixView<double> c);
    explicit Cost(linalg::ConstMatrixView<float> c);
    /// The cost is c(i, j), i < n, j < m, of any sign: the same number whenever it is asked for, from any
    /// thread.
    ///
    /// @throws as with a matrix, and what c throws
    Cost(std::size_t n, std::size_t m, std::function<double(std::size_t, std::size_t)> c);

    CostKind kind() const { return kind_; }
    std::size_t rows() const { return rows_; }
    std::size_t cols() const { return cols_; }

    /// c_ij in double, in the units of the matrix: the cost is offset() + unit() * exact(i, j).
    double exact(std::size_t i, std::size_t j) const;
    /// Whether the cost is a Euclidean distance, or its square, of points.
    bool of_points() const { return kind_ == CostKind::euclidean || kind_ == CostKind::squared_euclidean; }
    /// Those points.
    linalg::ConstMatrixView<float> x() const { return x_; }
    linalg::ConstMatrixView<float> y() const { return y_; }
    bool on_line() const { return of_points() && x_.cols == 1; }
    double unit() const { return unit_; }
    double offset() const { return offset_; }

    /// The fp32 matrix.
    CostRows fp32() const {
        return {matrix_.data(), rows_, cols_, padded_cols_, stride_, mean_, offset_ / unit_};
    }
    const float* row(std::size_t i) const { return matrix_.data() + i * stride_; }
    std::size_t padded_cols() const { return padded_cols_; }
    static constexpr float padding = 1e30F;

    /// |row(i)[j] - exact(i, j)| <= absolute_error() + relative_error() * row(i)[j].
    float relative_error() const { return relative_error_; }
    float absolute_error() const { return absolute_error_; }
    /// Largest and mean element of the fp32 matrix.
    double largest() const { return largest_; }
    double mean() const { return mean_; }

    /// Turns Euclidean distances into squared ones in place: W2 from the distances of W1.
    void square();

  private:
    void fill_from_points();
    void fill_from_matrix();
    struct RowSummary {
        float sum = 0;
        float highest = 0;
    };
    RowSummary finish_row(float* c) const;
    void summarise(std::span<const RowSummary> of_rows);

    CostKind kind_;
    linalg::ConstMatrixView<float> x_;
    linalg::ConstMatrixView<float> y_;
    std::function<double(std::size_t, std::size_t)> given_;
    std::size_t rows_ = 0;
    std::size_t cols_ = 0;
    std::size_t padded_cols_ = 0;
    std::size_t stride_ = 0;
    std::vector<double> x_inverse_norm_;  // cosine only
    std::vector<double> y_inverse_norm_;
    double point_scale_ = 1;  // power of two that brings the coordinates to the order of one
    double unit_ = 1;
    double offset_ = 0;
    float relative_error_ = 0;
    float absolute_error_ = 0;
    double largest_ = 0;
    double mean_ = 0;
    core::AlignedArray<float> matrix_;
};

}  // namespace popflow::ot
