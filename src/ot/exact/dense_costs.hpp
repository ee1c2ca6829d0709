// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "linalg/matrix.hpp"
#include "ot/exact/dense_rows.hpp"

namespace popflow::ot {

/// Dense cost matrix as integers and in fp32, both in units of one integer.
///
/// Rows are padded to a multiple of dense_block with a cost that no basis contains.
class DenseCosts {
  public:
    /// Integers are at most 2^max_bits, so that the potentials of any spanning tree fit 60 bits.
    static int max_bits(std::size_t n, std::size_t m);

    /// Rounds the costs to integers, those above lowest + span to the integer of that cost.
    ///
    /// @param lowest  smallest cost
    /// @param span  > 0, or 0 if all costs are equal
    void fill(linalg::ConstMatrixView<double> c, double lowest, double span);

    std::size_t rows() const { return rows_; }
    std::size_t cols() const { return cols_; }
    std::size_t padded_cols() const { return padded_cols_; }
    std::int64_t operator()(std::size_t i, std::size_t j) const { return row(i)[j]; }
    const std::int64_t* row(std::size_t i) const { return &integers_[i * padded_cols_]; }
    const float* row_fp32(std::size_t i) const { return &rounded_[i * padded_cols_]; }
    /// Mean element.
    double mean() const { return mean_; }

    /// Converts an integer to the unit of the cost.
    double to_cost(std::int64_t v) const {
        return static_cast<double>(v) / scale_.scale / scale_.scale_again;
    }
    /// Converts a difference of costs to integers, without rounding.
    double from_cost(double v) const { return v * scale_.scale * scale_.scale_again; }

  private:
    std::size_t rows_ = 0;
    std::size_t cols_ = 0;
    std::size_t padded_cols_ = 0;
    CostScale scale_;
    double mean_ = 0;
    linalg::AlignedVector<std::int64_t> integers_;
    linalg::AlignedVector<float> rounded_;
};

}  // namespace popflow::ot
