// SPDX-License-Identifier: MIT
#include "linalg/selu.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "support/random_matrix.hpp"

using popflow::linalg::bfloat16;
using popflow::linalg::ConstMatrixView;
using popflow::linalg::Matrix;
namespace linalg = popflow::linalg;

namespace {

double formula(double x) {
    return x > 0 ? linalg::selu_lambda * x : linalg::selu_lambda * linalg::selu_alpha * std::expm1(x);
}

}  // namespace

TEST(Selu, FloatAgreesWithTheFormula) {
    const std::size_t n = 20001;
    Matrix<float> x(1, n);
    for (std::size_t j = 0; j < n; ++j) x(0, j) = -100.0F + 0.0055F * static_cast<float>(j);
    const Matrix<float> start = x;
    Matrix<float> z(1, n);
    const std::vector<float> bias(n, 0.0F);

    linalg::selu_forward(x.view(), std::span<const float>(bias), z.view());

    for (std::size_t j = 0; j < n; ++j) {
        const double expected = formula(start(0, j));
        ASSERT_NEAR(z(0, j), expected, 3e-7 * std::max(1.0, std::abs(expected))) << start(0, j);
        ASSERT_EQ(z(0, j), x(0, j));
    }
}

TEST(Selu, AddsTheBiasAndRoundsItsOutput) {
    Matrix<float> x(2, 3);
    x.fill(4.0F);
    Matrix<bfloat16> z(2, 3);
    const std::vector<float> bias{0.0F, 1.0F, -5.0F};

    linalg::selu_forward(x.view(), std::span<const float>(bias), z.view());

    for (std::size_t j = 0; j < 3; ++j) {
        const double expected = formula(4.0 + double{bias[j]});
        EXPECT_NEAR(x(1, j), expected, 1e-6);
        EXPECT_EQ(z(1, j).bits, linalg::to_bfloat16(x(1, j)).bits);
    }
}

TEST(Selu, DerivativeFromTheOutputAgreesWithCentralDifferences) {
    const double h = 1e-6;
    for (const double x : {-3.0, -0.5, 0.7, 4.0}) {
        Matrix<double> z(1, 1);
        z(0, 0) = formula(x);
        Matrix<double> dx(1, 1);
        dx.fill(1.0);
        Matrix<double> dz(1, 1);
        std::vector<double> sums(1, 2.0);

        linalg::selu_backward(ConstMatrixView<double>(z), dx.view(), dz.view(), std::span<double>(sums));

        EXPECT_NEAR(dz(0, 0), (formula(x + h) - formula(x - h)) / (2 * h), 1e-8) << x;
        EXPECT_EQ(dx(0, 0), dz(0, 0));
        EXPECT_EQ(sums[0], 2.0 + dz(0, 0));
    }
}

TEST(Selu, BackwardFromBfloat16EqualsBackwardFromTheSameFloats) {
    const auto values = popflow::support::random_matrix<float>(5, 131, 1);
    Matrix<bfloat16> z(5, 131);
    linalg::round_rows(values.view(), z.view());
    Matrix<float> same(5, 131);
    for (std::size_t i = 0; i < z.size(); ++i) same.values()[i] = linalg::to_float(z.values()[i]);
    auto dx = popflow::support::random_matrix<float>(5, 131, 2);
    auto expected = dx;
    Matrix<bfloat16> dz(5, 131);
    Matrix<float> unused(5, 131);
    std::vector<float> sums(131, 0.0F);
    std::vector<float> expected_sums(131, 0.0F);

    linalg::selu_backward(ConstMatrixView<bfloat16>(z), dx.view(), dz.view(), std::span<float>(sums));
    linalg::selu_backward(ConstMatrixView<float>(same), expected.view(), unused.view(),
                          std::span<float>(expected_sums));

    EXPECT_TRUE(std::ranges::equal(dx.values(), expected.values()));
    EXPECT_EQ(sums, expected_sums);
    for (std::size_t i = 0; i < dz.size(); ++i) {
        EXPECT_EQ(dz.values()[i].bits, linalg::to_bfloat16(dx.values()[i]).bits);
    }
}

TEST(Bfloat16, RoundsToTheNearestTiesToEven) {
    const float one = 1.0F;
    const float step = 0x1.0p-7F;  // distance from 1 to the next bfloat16
    EXPECT_EQ(linalg::to_float(linalg::to_bfloat16(one + 0.25F * step)), one);
    EXPECT_EQ(linalg::to_float(linalg::to_bfloat16(one + 0.75F * step)), one + step);
    EXPECT_EQ(linalg::to_float(linalg::to_bfloat16(one + 0.5F * step)), one);
    EXPECT_EQ(linalg::to_float(linalg::to_bfloat16(one + 1.5F * step)), one + 2 * step);
    EXPECT_EQ(linalg::to_float(linalg::to_bfloat16(-3.0F)), -3.0F);
    const float infinity = std::numeric_limits<float>::infinity();
    EXPECT_EQ(linalg::to_float(linalg::to_bfloat16(infinity)), infinity);
    EXPECT_EQ(linalg::to_float(linalg::to_bfloat16(std::numeric_limits<float>::max())), infinity);
    EXPECT_TRUE(std::isnan(linalg::to_float(linalg::to_bfloat16(std::numeric_limits<float>::quiet_NaN()))));
    EXPECT_TRUE(std::isnan(linalg::to_float(linalg::to_bfloat16(std::bit_cast<float>(0x7F800001U)))));
}
