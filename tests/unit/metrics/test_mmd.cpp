// SPDX-License-Identifier: MIT
#include "metrics/mmd.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "support/populations.hpp"

using popflow::linalg::Matrix;
using popflow::metrics::kernel_distances;
using popflow::metrics::KernelDistances;
using popflow::metrics::mmd_gammas;
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
