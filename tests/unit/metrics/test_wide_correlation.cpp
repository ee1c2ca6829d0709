// SPDX-License-Identifier: MIT
#include "metrics/wide_correlation.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <numeric>

#include "metrics/correlation.hpp"
#include "support/populations.hpp"

using popflow::linalg::Matrix;
using popflow::metrics::correlation_r2;
using popflow::metrics::max_stored_correlations;
using popflow::metrics::wide_correlation_r2;
using popflow::support::normal_population;

namespace {

// Markers that share `strength` of a common factor, which differs between the halves of the markers.
Matrix<float> correlated_population(std::size_t n, std::size_t d, std::uint64_t seed, float strength) {
    Matrix<float> x = normal_population(n, d, seed);
    const Matrix<float> factors = normal_population(n, 2, seed + 100);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < d; ++j)
            x(i, j) = (1 - strength) * x(i, j) + strength * factors(i, 2 * j / d) + static_cast<float>(j);
    }
    return x;
}

std::vector<std::size_t> first_markers(std::size_t d) {
    std::vector<std::size_t> markers(d);
    std::iota(markers.begin(), markers.end(), std::size_t{0});
    return markers;
}

// Computes the definition in double: standardise, all correlations, Pearson.
double by_definition(const Matrix<float>& x, const Matrix<float>& y) {
    const std::size_t d = x.cols();
    const auto standardised = [&](const Matrix<float>& z) {
        Matrix<double> out(d, z.rows());
        for (std::size_t j = 0; j < d; ++j) {
            double mean = 0;
            double norm = 0;
            for (std::size_t i = 0; i < z.rows(); ++i) mean += z(i, j) / static_cast<double>(z.rows());
            for (std::size_t i = 0; i < z.rows(); ++i) norm += std::pow(z(i, j) - mean, 2);
            for (std::size_t i = 0; i < z.rows(); ++i) out(j, i) = (z(i, j) - mean) / std::sqrt(norm);
        }
        return out;
    };
    const Matrix<double> a = standardised(x);
    const Matrix<double> b = standardised(y);
    double n = 0, sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
    for (std::size_t j = 0; j < d; ++j) {
        for (std::size_t l = j + 1; l < d; ++l) {
            double u = 0, v = 0;
            for (std::size_t i = 0; i < a.cols(); ++i) u += a(j, i) * a(l, i);
            for (std::size_t i = 0; i < b.cols(); ++i) v += b(j, i) * b(l, i);
            n += 1, sx += u, sy += v, sxx += u * u, syy += v * v, sxy += u * v;
        }
    }
    return (sxy / n - sx * sy / n / n) / std::sqrt((sxx / n - sx * sx / n / n) * (syy / n - sy * sy / n / n));
}

}  // namespace

TEST(WideCorrelation, MatchesTheDefinitionByCellsAndByMarkers) {
    for (const float strength : {0.0F, 0.5F, 0.95F}) {
        for (const std::size_t n : {20, 400}) {  // fewer cells than markers, then more
            const Matrix<float> x = correlated_population(n, 300, 1, strength);
            const Matrix<float> y = correlated_population(n + 37, 300, 2, strength);
            EXPECT_NEAR(wide_correlation_r2(x.view(), y.view(), first_markers(300)), by_definition(x, y),
                        2e-6)
                << strength << " " << n;
        }
    }
}

TEST(WideCorrelation, UsesOnlyTheChosenMarkers) {
    const Matrix<float> x = correlated_population(50, 40, 1, 0.5F);
    const Matrix<float> y = correlated_population(60, 40, 2, 0.5F);
    Matrix<float> some_x(50, 20);
    Matrix<float> some_y(60, 20);
    std::vector<std::size_t> markers;
    for (std::size_t j = 0; j < 20; ++j) {
        markers.push_back(2 * j + 1);
        for (std::size_t i = 0; i < 50; ++i) some_x(i, j) = x(i, 2 * j + 1);
        for (std::size_t i = 0; i < 60; ++i) some_y(i, j) = y(i, 2 * j + 1);
    }
    EXPECT_NEAR(wide_correlation_r2(x.view(), y.view(), markers),
                correlation_r2(some_x.view(), some_y.view()), 2e-6);
}

TEST(WideCorrelation, ReplacesTheStoredMatricesAboveTheLimit) {
    const std::size_t d = max_stored_correlations + 1;
    const Matrix<float> x = correlated_population(30, d, 1, 0.5F);
    const Matrix<float> y = correlated_population(40, d, 2, 0.5F);
    EXPECT_EQ(correlation_r2(x.view(), y.view()), wide_correlation_r2(x.view(), y.view(), first_markers(d)));
    // One marker less barely changes the result, but not its bits by rounding alone.
    Matrix<float> x1(30, d - 1);
    Matrix<float> y1(40, d - 1);
    for (std::size_t j = 0; j + 1 < d; ++j) {
        for (std::size_t i = 0; i < 30; ++i) x1(i, j) = x(i, j);
        for (std::size_t i = 0; i < 40; ++i) y1(i, j) = y(i, j);
    }
    EXPECT_NEAR(wide_correlation_r2(x1.view(), y1.view(), first_markers(d - 1)),
                correlation_r2(x1.view(), y1.view()), 2e-6);
}

TEST(WideCorrelation, IsTheSameOnAnyNumberOfThreads) {
    const Matrix<float> x = correlated_population(300, 700, 1, 0.3F);
    const Matrix<float> y = correlated_population(310, 700, 2, 0.3F);
    const int before = omp_get_max_threads();
    omp_set_num_threads(1);
    const double one = wide_correlation_r2(x.view(), y.view(), first_markers(700));
    omp_set_num_threads(3);
    const double three = wide_correlation_r2(x.view(), y.view(), first_markers(700));
    omp_set_num_threads(before);
    EXPECT_EQ(one, three);
}

TEST(WideCorrelation, IsUndefinedForEqualCorrelations) {
    // All markers are the same up to their sign of +1, so all correlations are 1.
    Matrix<float> x = normal_population(20, 50, 1);
    for (std::size_t i = 0; i < 20; ++i) {
        for (std::size_t j = 1; j < 50; ++j) x(i, j) = x(i, 0);
    }
    EXPECT_TRUE(std::isnan(wide_correlation_r2(x.view(), x.view(), first_markers(50))));
}
