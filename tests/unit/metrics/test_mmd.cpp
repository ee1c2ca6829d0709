// SPDX-License-Identifier: MIT
#include "metrics/mmd.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "support/populations.hpp"

using popflow::linalg::Matrix;
using popflow::metrics::inverse_median_distance;
using popflow::metrics::is_mmd_constant;
using popflow::metrics::kernel_distances;
using popflow::metrics::KernelDistances;
using popflow::metrics::mmd_gammas;
using popflow::metrics::mmd_scales;
using popflow::support::normal_population;
using popflow::support::rows;

namespace {

struct Mean {
    double kernel = 0;
    double distance = 0;
};

// Evaluates the definition pair by pair, in double.
Mean mean_by_definition(const Matrix<float>& x, const Matrix<float>& y) {
    Mean mean;
    for (std::size_t i = 0; i < x.rows(); ++i) {
        for (std::size_t j = 0; j < y.rows(); ++j) {
            double s = 0;
            for (std::size_t k = 0; k < x.cols(); ++k)
                s += std::pow(static_cast<double>(x(i, k)) - y(j, k), 2);
            for (double gamma : mmd_gammas) mean.kernel += std::exp(-gamma * s) / 6;
            mean.distance += std::sqrt(s);
        }
    }
    const double pairs = static_cast<double>(x.rows()) * static_cast<double>(y.rows());
    return {mean.kernel / pairs, mean.distance / pairs};
}

KernelDistances distances_by_definition(const Matrix<float>& x, const Matrix<float>& y) {
    const Mean xx = mean_by_definition(x, x);
    const Mean yy = mean_by_definition(y, y);
    const Mean xy = mean_by_definition(x, y);
    return {xx.kernel + yy.kernel - 2 * xy.kernel, 2 * xy.distance - xx.distance - yy.distance};
}

}  // namespace

TEST(KernelDistances, MatchTheClosedFormForTwoPoints) {
    const auto x = rows({{0, 0}});
    const auto y = rows({{1, 2}});
    double expected = 0;
    for (double gamma : mmd_gammas) expected += (2 - 2 * std::exp(-5 * gamma)) / 6;

    const KernelDistances found = kernel_distances(x.view(), y.view());

    EXPECT_NEAR(found.mmd, expected, 1e-15);
    EXPECT_NEAR(found.energy, 2 * std::sqrt(5.0), 2e-7);
}

TEST(KernelDistances, AreZeroForEqualPopulations) {
    const Matrix<float> x = normal_population(150, 4, 1);

    const KernelDistances found = kernel_distances(x.view(), x.view());

    EXPECT_NEAR(found.mmd, 0, 1e-13);
    EXPECT_NEAR(found.energy, 0, 1e-13);
}

TEST(KernelDistances, AgreeWithTheDefinitionForClosePopulations) {
    for (const std::size_t d : {1U, 8U, 43U}) {
        for (const std::size_t n : {63U, 64U, 200U, 500U}) {
            const Matrix<float> x = normal_population(n, d, 1);
            const Matrix<float> y = normal_population(n + 30, d, 2, 0.05F);

            const KernelDistances found = kernel_distances(x.view(), y.view());

            const KernelDistances expected = distances_by_definition(x, y);
            EXPECT_NEAR(found.mmd, expected.mmd, 1e-6 * expected.mmd) << n << " x " << d;
            EXPECT_NEAR(found.energy, expected.energy, 1e-6 * expected.energy) << n << " x " << d;
        }
    }
}

TEST(KernelDistances, KernelsOfDistantPointsUnderflowToZero) {
    const auto x = rows({{0}, {0}});
    const auto y = rows({{1e6F}});

    EXPECT_NEAR(kernel_distances(x.view(), y.view()).mmd, 2, 1e-15);
}

TEST(KernelDistances, AreBitwiseEqualForAnyNumberOfThreads) {
    const Matrix<float> x = normal_population(400, 6, 1);
    const Matrix<float> y = normal_population(300, 6, 2);
    const int before = omp_get_max_threads();
    omp_set_num_threads(1);
    const KernelDistances one = kernel_distances(x.view(), y.view());
    omp_set_num_threads(3);
    const KernelDistances three = kernel_distances(x.view(), y.view());
    omp_set_num_threads(before);

    EXPECT_EQ(one.mmd, three.mmd);
    EXPECT_EQ(one.energy, three.energy);
}

TEST(KernelDistances, RefuseNonFiniteValuesAndDifferentMarkers) {
    Matrix<float> x = normal_population(4, 2, 1);
    const Matrix<float> y = normal_population(4, 2, 2);
    x(0, 0) = 1e30F;
    EXPECT_THROW(kernel_distances(x.view(), y.view()), popflow::core::NumericalError);
    x(0, 0) = std::numeric_limits<float>::quiet_NaN();
    EXPECT_THROW(kernel_distances(x.view(), y.view()), popflow::core::NumericalError);
    EXPECT_THROW(kernel_distances(Matrix<float>(4, 3).view(), y.view()), popflow::core::ShapeMismatch);
}

TEST(ScaledMmd, MatchesTheDefinition) {
    for (const std::size_t d : {3, 700}) {
        const Matrix<float> x = normal_population(40, d, 1, 0.5F);
        const Matrix<float> y = normal_population(31, d, 2);
        std::vector<double> squared;
        for (std::size_t i = 0; i < y.rows(); ++i) {
            for (std::size_t j = i + 1; j < y.rows(); ++j) {
                double sum = 0;
                for (std::size_t k = 0; k < d; ++k)
                    sum += std::pow(static_cast<double>(y(i, k)) - y(j, k), 2);
                squared.push_back(sum);
            }
        }
        std::ranges::sort(squared);
        ASSERT_EQ(squared.size() % 2, 1U);
        const double median = squared[squared.size() / 2];
        EXPECT_NEAR(inverse_median_distance(y.view()) * median, 1, 1e-5);
        const auto mean = [&](const Matrix<float>& a, const Matrix<float>& b) {
            double sum = 0;
            for (std::size_t i = 0; i < a.rows(); ++i) {
                for (std::size_t j = 0; j < b.rows(); ++j) {
                    double s = 0;
                    for (std::size_t k = 0; k < d; ++k)
                        s += std::pow(static_cast<double>(a(i, k)) - b(j, k), 2);
                    for (const double scale : mmd_scales) sum += std::exp(-scale / median * s) / 5;
                }
            }
            return sum / static_cast<double>(a.rows()) / static_cast<double>(b.rows());
        };
        const double expected = mean(x, x) + mean(y, y) - 2 * mean(x, y);
        const KernelDistances found = kernel_distances(x.view(), y.view(), inverse_median_distance(y.view()));
        EXPECT_NEAR(found.mmd_scaled, expected, 1e-5 * expected) << d;
        EXPECT_EQ(found.mmd, kernel_distances(x.view(), y.view()).mmd) << "the fixed kernels keep their bits";
    }
}

TEST(ScaledMmd, TellsPopulationsApartWhereTheFixedKernelsDoNot) {
    const Matrix<float> truth = normal_population(100, 2000, 1);
    const Matrix<float> same = normal_population(100, 2000, 2);
    const Matrix<float> off = normal_population(100, 2000, 3, 0.5F);
    const double inverse = inverse_median_distance(truth.view());
    const KernelDistances near = kernel_distances(same.view(), truth.view(), inverse);
    const KernelDistances far = kernel_distances(off.view(), truth.view(), inverse);
    EXPECT_TRUE(is_mmd_constant(near.mmd, 100, 100));
    EXPECT_TRUE(is_mmd_constant(far.mmd, 100, 100));
    EXPECT_GT(far.mmd_scaled, 5 * near.mmd_scaled);
    EXPECT_FALSE(is_mmd_constant(far.mmd_scaled, 100, 100));
}

TEST(ScaledMmd, IsUndefinedForEqualCells) {
    const auto one = rows({{1, 2}});
    const auto equal = rows({{1, 2}, {1, 2}, {1, 2}});
    EXPECT_EQ(inverse_median_distance(one.view()), 0);
    EXPECT_EQ(inverse_median_distance(equal.view()), 0);
    EXPECT_TRUE(std::isnan(kernel_distances(one.view(), one.view(), 0).mmd_scaled));
    // Six distances of zero and four of 4: the median is zero and the mean 1.6.
    const auto mostly = rows({{0, 0}, {0, 0}, {0, 0}, {0, 0}, {2, 0}});
    EXPECT_DOUBLE_EQ(inverse_median_distance(mostly.view()), 0.625);
}
