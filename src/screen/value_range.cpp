// SPDX-License-Identifier: MIT
#include "screen/value_range.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace popflow::screen {

void ValueRange::include(linalg::ConstMatrixView<float> x) {
    if (x.rows == 0) return;
    if (empty()) {
        min.assign(x.row(0), x.row(0) + x.cols);
        max = min;
    }
    core::check_shape("value_range.x", x.rows, x.cols, x.rows, min.size());
    for (std::size_t i = 0; i < x.rows; ++i) {
        const float* row = x.row(i);
        for (std::size_t j = 0; j < x.cols; ++j) {
            min[j] = std::min(min[j], row[j]);
            max[j] = std::max(max[j], row[j]);
        }
    }
}

void ValueRange::clip(linalg::MatrixView<float> x) const {
    core::check_shape("value_range.x", x.rows, x.cols, x.rows, min.size());
    for (std::size_t i = 0; i < x.rows; ++i) {
        float* row = x.row(i);
        for (std::size_t j = 0; j < x.cols; ++j) row[j] = std::clamp(row[j], min[j], max[j]);
    }
}

OutsideCounts count_outside(const ValueRange& range, linalg::ConstMatrixView<float> x) {
    core::check_shape("value_range.x", x.rows, x.cols, x.rows, range.min.size());
    OutsideCounts counts{.by_marker = std::vector<std::size_t>(x.cols, 0)};
    for (std::size_t i = 0; i < x.rows; ++i) {
        bool is_outside = false;
        for (std::size_t j = 0; j < x.cols; ++j) {
            if (x(i, j) >= range.min[j] && x(i, j) <= range.max[j]) continue;
            ++counts.by_marker[j];
            is_outside = true;
        }
        if (is_outside) ++counts.cells;
    }
    return counts;
}

}  // namespace popflow::screen
