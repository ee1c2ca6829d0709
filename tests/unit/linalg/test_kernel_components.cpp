// SPDX-License-Identifier: MIT
#include "linalg/kernel_components.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <span>

#include "core/random.hpp"

using popflow::linalg::gaussian_kernel;
using popflow::linalg::kernel_components;
using popflow::linalg::KernelComponents;
using popflow::linalg::Matrix;
using popflow::linalg::median_squared_distance;

namespace {

Matrix<double> random_rows(std::size_t n, std::size_t p) {
    Matrix<double> x(n, p);
    popflow::core::Stream stream(3, popflow::core::Purpose::evaluation);
    for (double& value : x.values()) value = 2 * stream.uniform() - 1;
    return x;
}

// Returns the components of a query.
std::vector<double> project(const KernelComponents& components, const Matrix<double>& x,
                            std::span<const double> query, double width) {
    const std::vector<double> kernel = gaussian_kernel(x, query, width);
    std::vector<double> out;
    for (std::size_t c = 0; c < components.offset.size(); ++c) {
        double sum = -components.offset[c];
        for (std::size_t i = 0; i < x.rows(); ++i) sum += kernel[i] * components.weights(i, c);
        out.push_back(sum);
    }
    return out;
}

}  // namespace

// Three rows at the corners 0, 1 and 3 of a line, width 1. Reference: sklearn.decomposition.KernelPCA 1.2.1
// with kernel="rbf", gamma=1, n_components=2, divided by the standard deviations of its training scores.
TEST(KernelComponents, AreThoseOfScikitLearn) {
    Matrix<double> x(3, 1);
    x(1, 0) = 1;
    x(2, 0) = 3;
    const KernelComponents components = kernel_components(x, 1, 2);
    ASSERT_EQ(components.offset.size(), 2U);
    const std::array expected{-0.733816830203192,  -1.2089304610731502, -0.680056075596587,
                              1.2399692472171113,  1.4138729057997785,  -0.0310387861439613,
                              -0.8369850211033488, 0.020537064224009572};
    for (std::size_t i = 0; i < 3; ++i) {
        const std::vector<double> own = project(components, x, x.view().row_span(i), 1);
        for (std::size_t c = 0; c < 2; ++c) EXPECT_NEAR(own[c], expected[2 * i + c], 1e-12);
    }
    const double query[] = {0.5};
    const std::vector<double> own = project(components, x, query, 1);
    for (std::size_t c = 0; c < 2; ++c) EXPECT_NEAR(own[c], expected[6 + c], 1e-12);
}

TEST(KernelComponents, HaveMeanZeroAndUnitVarianceOverTheRows) {
    const Matrix<double> x = random_rows(20, 4);
    const double width = median_squared_distance(x);
    const KernelComponents components = kernel_components(x, width, 8);
    ASSERT_EQ(components.offset.size(), 8U);
    Matrix<double> scores(20, 8);
    for (std::size_t i = 0; i < 20; ++i)
        std::ranges::copy(project(components, x, x.view().row_span(i), width), scores.view().row(i));
    for (std::size_t c = 0; c < 8; ++c) {
        for (std::size_t k = 0; k <= c; ++k) {
            double mean = 0;
            double product = 0;
            double largest = 0;
            for (std::size_t i = 0; i < 20; ++i) {
                mean += scores(i, c) / 20;
                product += scores(i, c) * scores(i, k) / 20;
                if (std::abs(scores(i, c)) > std::abs(largest)) largest = scores(i, c);
            }
            EXPECT_NEAR(mean, 0, 1e-9);
            EXPECT_NEAR(product, c == k ? 1 : 0, 1e-9);
            EXPECT_GT(largest, 0);
        }
    }
}

TEST(KernelComponents, AreFewerThanTheRowsThatDiffer) {
    Matrix<double> x = random_rows(6, 3);
    EXPECT_EQ(kernel_components(x, 1, 8).offset.size(), 5U);
    for (std::size_t i = 3; i < 6; ++i) std::ranges::copy(x.view().row_span(i - 3), x.view().row(i));
    EXPECT_EQ(kernel_components(x, 1, 8).offset.size(), 2U);
    x.fill(0.5);
    EXPECT_EQ(kernel_components(x, 1, 8).offset.size(), 0U);
}

TEST(KernelComponents, ApproachTheOffsetFarFromAllRows) {
    const Matrix<double> x = random_rows(9, 2);
    const KernelComponents components = kernel_components(x, 1, 4);
    const double far[] = {1e6, -1e6};
    const std::vector<double> own = project(components, x, far, 1);
    for (std::size_t c = 0; c < 4; ++c) EXPECT_EQ(own[c], -components.offset[c]);
}

TEST(MedianSquaredDistance, IgnoresEqualRows) {
    Matrix<double> x(4, 1);
    x(2, 0) = 1;
    x(3, 0) = 3;
    // Distances: 0, 1, 1, 4, 9, 9. The median of the positive ones is 4.
    EXPECT_EQ(median_squared_distance(x), 4);
    x.fill(2);
    EXPECT_EQ(median_squared_distance(x), 0);
}
