// SPDX-License-Identifier: MIT
#include "ot/exact/dense_costs.hpp"

#include <algorithm>
#include <cmath>

namespace popflow::ot {

namespace {

constexpr std::int64_t padding = std::int64_t{1} << 61;

}  // namespace

int DenseCosts::max_bits(std::size_t n, std::size_t m) {
    // A path of the tree alternates between rows and columns, so it has at most 2 min(n, m) arcs.
    const int path_bits = std::ilogb(2.0 * static_cast<double>(std::min(n, m))) + 1;
    return std::min(51, 60 - path_bits);
}

void DenseCosts::fill(linalg::ConstMatrixView<double> c, double lowest, double span) {
    rows_ = c.rows;
    cols_ = c.cols;
    padded_cols_ = (cols_ + dense_block - 1) / dense_block * dense_block;
    integers_.resize(rows_ * padded_cols_);
    rounded_.resize(rows_ * padded_cols_);
    const int exponent = span > 0 ? max_bits(rows_, cols_) - 1 - std::ilogb(span) : 0;
    scale_ = {lowest, span, std::exp2(exponent / 2), std::exp2(exponent - exponent / 2)};
    double sum = 0;
    for (std::size_t i = 0; i < rows_; ++i) {
        std::int64_t* integers = &integers_[i * padded_cols_];
        float* rounded = &rounded_[i * padded_cols_];
        sum += round_costs(c.row(i), scale_, cols_, integers, rounded);
        std::fill(integers + cols_, integers + padded_cols_, padding);
        std::fill(rounded + cols_, rounded + padded_cols_, static_cast<float>(padding));
    }
    mean_ = sum / (static_cast<double>(rows_) * static_cast<double>(cols_));
}

}  // namespace popflow::ot
