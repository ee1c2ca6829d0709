// SPDX-License-Identifier: MIT
#include "screen/value_range.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"

using namespace popflow::screen;
using popflow::linalg::Matrix;

namespace {

Matrix<float> matrix(std::size_t rows, std::size_t cols, const std::vector<float>& values) {
    Matrix<float> x(rows, cols);
    std::ranges::copy(values, x.values().begin());
    return x;
}

}  // namespace

TEST(ValueRange, IsThatOfAllRows) {
    ValueRange range;
    EXPECT_TRUE(range.empty());
    range.include(matrix(2, 2, {1, -5, 3, 2}).view());
    range.include(matrix(1, 2, {-1, 0}).view());
    range.include(Matrix<float>(0, 2).view());
    EXPECT_EQ(range.min, (std::vector<float>{-1, -5}));
    EXPECT_EQ(range.max, (std::vector<float>{3, 2}));
    EXPECT_THROW(range.include(matrix(1, 3, {0, 0, 0}).view()), popflow::core::ShapeMismatch);
}

TEST(ValueRange, CountsAndClipsTheCellsOutside) {
    const ValueRange range{{-1, -5}, {3, 2}};
    Matrix<float> x = matrix(4, 2, {3, -5, 3.5F, 0, -2, 9, 0, 2.25F});

    const OutsideCounts outside = count_outside(range, x.view());
    range.clip(x.view());

    EXPECT_EQ(outside.cells, 3U);
    EXPECT_EQ(outside.by_marker, (std::vector<std::size_t>{2, 2}));
    EXPECT_EQ((std::vector<float>(x.values().begin(), x.values().end())),
              (std::vector<float>{3, -5, 3, 0, -1, 2, 0, 2}));
    EXPECT_EQ(count_outside(range, x.view()).cells, 0U);
}
