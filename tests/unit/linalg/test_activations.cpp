// SPDX-License-Identifier: MIT
#include "linalg/activations.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/random_matrix.hpp"

using popflow::linalg::ConstMatrixView;
using popflow::linalg::Matrix;
namespace linalg = popflow::linalg;

TEST(Sincos, FloatAgreesWithTheStandardLibraryOverManyPeriods) {
    const std::size_t n = 40001;
    std::vector<float> x(n);
    for (std::size_t j = 0; j < n; ++j) x[j] = -1000.0F + 0.05F * static_cast<float>(j);
    std::vector<float> cosine(n);
    std::vector<float> sine(n);

    linalg::sincos(std::span<const float>(x), cosine, sine);

    for (std::size_t j = 0; j < n; ++j) {
        ASSERT_NEAR(cosine[j], std::cos(double{x[j]}), 3e-7) << x[j];
        ASSERT_NEAR(sine[j], std::sin(double{x[j]}), 3e-7) << x[j];
    }
}

TEST(ColumnSums, AccumulateInRowOrder) {
    const auto x = popflow::support::random_matrix<float>(500, 130, 1);
    std::vector<float> sum(130, 1.0F);
    std::vector<float> expected(130, 1.0F);
    for (std::size_t i = 0; i < 500; ++i) {
        for (std::size_t j = 0; j < 130; ++j) expected[j] += x(i, j);
    }

    linalg::add_column_sums(x.view(), sum);

    EXPECT_EQ(sum, expected);
}
