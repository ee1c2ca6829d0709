// SPDX-License-Identifier: MIT
#include "nn/features.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "support/random_matrix.hpp"

using popflow::linalg::Matrix;
namespace nn = popflow::nn;

TEST(TimeFeatures, AreSinThenCosOfGeometricFrequencies) {
    const std::vector<double> t{0.0, 0.3, 1.0};
    Matrix<double> out(3, 8);

    nn::time_features(std::span<const double>(t), 30, 10000, out.view());

    for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t f = 0; f < 4; ++f) {
            const double angle = 30 * t[i] * std::pow(10000.0, -static_cast<double>(f) / 3);
            EXPECT_NEAR(out(i, f), std::sin(angle), 1e-12);
            EXPECT_NEAR(out(i, 4 + f), std::cos(angle), 1e-12);
        }
    }
}

TEST(SpaceFeatures, AreCosThenSin) {
    const auto x = popflow::support::random_matrix<float>(7, 3, 1);
    const auto b = popflow::support::random_matrix<float>(3, 5, 2, 0.5);
    Matrix<float> out(7, 10);

    nn::space_features<float>(x.view(), b.view(), out.view());

    for (std::size_t i = 0; i < 7; ++i) {
        for (std::size_t f = 0; f < 5; ++f) {
            double angle = 0;
            for (std::size_t j = 0; j < 3; ++j)
                angle += 2 * std::numbers::pi * double{x(i, j)} * double{b(j, f)};
            EXPECT_NEAR(out(i, f), std::cos(angle), 2e-5);
            EXPECT_NEAR(out(i, 5 + f), std::sin(angle), 2e-5);
        }
    }
}

TEST(RandomFrequencies, HaveTheGivenScaleAndDependOnTheSeed) {
    Matrix<float> b(43, 128);
    Matrix<float> other(43, 128);
    nn::draw_frequencies({1, popflow::core::Purpose::test}, 0.01, b.view());
    nn::draw_frequencies({2, popflow::core::Purpose::test}, 0.01, other.view());
    double squares = 0;
    for (float v : b.values()) squares += double{v} * double{v};
    EXPECT_NEAR(std::sqrt(squares / 5504), 0.01, 0.0005);
    EXPECT_NE(b(0, 0), other(0, 0));
}
