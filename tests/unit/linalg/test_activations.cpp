// SPDX-License-Identifier: MIT
#include "linalg/activations.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/random_matrix.hpp"

using popflow::linalg::ConstMatrixView;
using popflow::linalg::Matrix;
namespace linalg = popflow::linalg;

TEST(Selu, FloatAgreesWithTheFormula) {
    const std::size_t n = 20001;
    Matrix<float> z(1, n);
    for (std::size_t j = 0; j < n; ++j) z(0, j) = -100.0F + 0.0055F * static_cast<float>(j);
    const Matrix<float> x = z;
    const std::vector<float> bias(n, 0.0F);

    linalg::selu_forward(z.view(), bias, ConstMatrixView<float>());

    for (std::size_t j = 0; j < n; ++j) {
        const double v = x(0, j);
        const double expected =
            v > 0 ? linalg::selu_lambda * v : linalg::selu_lambda * linalg::selu_alpha * std::expm1(v);
        ASSERT_NEAR(z(0, j), expected, 3e-7 * std::max(1.0, std::abs(expected))) << v;
    }
}

TEST(Selu, AddsBiasAndSkip) {
    Matrix<float> z(2, 3);
    z.fill(1.0F);
    Matrix<float> skip(2, 3);
    skip.fill(3.0F);
    const std::vector<float> bias{0.0F, 1.0F, -5.0F};

    linalg::selu_forward(z.view(), bias, skip.view());

    EXPECT_NEAR(z(1, 0), linalg::selu_lambda * 4, 1e-6);
    EXPECT_NEAR(z(1, 1), linalg::selu_lambda * 5, 1e-6);
    EXPECT_NEAR(z(1, 2), linalg::selu_lambda * linalg::selu_alpha * std::expm1(-1.0), 1e-6);
}

TEST(Selu, DerivativeFromTheOutputIsTheDerivative) {
    const double h = 1e-6;
    for (const double x : {-3.0, -0.5, 0.7, 4.0}) {
        Matrix<double> z(1, 3);
        z(0, 0) = x;
        z(0, 1) = x + h;
        z(0, 2) = x - h;
        const std::vector<double> bias(3, 0.0);
        linalg::selu_forward(z.view(), bias, ConstMatrixView<double>());
        Matrix<double> dz(1, 3);
        dz.fill(1.0);

        linalg::selu_backward(z.view(), dz.view());

        EXPECT_NEAR(dz(0, 0), (z(0, 1) - z(0, 2)) / (2 * h), 1e-8) << x;
    }
}

TEST(Sincos, FloatAgreesWithTheLibraryOverManyTurns) {
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
