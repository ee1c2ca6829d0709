// SPDX-License-Identifier: MIT
#include "ot/distances.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "linalg/matrix.hpp"

namespace ot = popflow::ot;

namespace {

/// Whole numbers, whose sums of squares are exact in float.
float coordinate(std::size_t i, std::size_t k) {
    return static_cast<float>((i * 7 + k * 3) % 11) - 5;
}

}  // namespace

// The numbers of markers are around those at which the kernel starts a new block of markers.
TEST(Distances, AreExactForWholeNumbersOfAnyDimension) {
    constexpr std::size_t rows = 5;
    constexpr std::size_t columns = 2 * ot::column_block;
    for (const std::size_t d : {1U, 36U, 95U, 96U, 97U, 192U, 500U}) {
        for (const std::size_t stride : {columns, ot::spread_stride(columns)}) {
            std::vector<float> x(rows * d);
            popflow::linalg::AlignedVector<float> yt(d * stride);
            for (std::size_t i = 0; i < rows; ++i)
                for (std::size_t k = 0; k < d; ++k) x[i * d + k] = coordinate(i, k);
            for (std::size_t j = 0; j < columns; ++j)
                for (std::size_t k = 0; k < d; ++k) yt[k * stride + j] = coordinate(j + 100, k * k);
            popflow::linalg::AlignedVector<float> squared(rows * columns, -1.0F);
            popflow::linalg::AlignedVector<float> roots(rows * columns, -1.0F);

            ot::distances(x.data(), yt.data(), stride, d, {squared.data(), rows, columns, columns});
            ot::distances(x.data(), yt.data(), stride, d, {roots.data(), rows, columns, columns, true});

            for (std::size_t i = 0; i < rows; ++i) {
                for (std::size_t j = 0; j < columns; ++j) {
                    float sum = 0;
                    for (std::size_t k = 0; k < d; ++k) {
                        const float difference = coordinate(i, k) - coordinate(j + 100, k * k);
                        sum += difference * difference;
                    }
                    ASSERT_EQ(squared[i * columns + j], sum) << d << " markers, " << i << ", " << j;
                    ASSERT_EQ(roots[i * columns + j], std::sqrt(sum));
                }
            }
        }
    }
}
