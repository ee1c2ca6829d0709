// SPDX-License-Identifier: MIT
#include "simulate/dirichlet.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "support/kolmogorov_smirnov.hpp"

using popflow::core::Purpose;
using popflow::core::Stream;
using popflow::simulate::draw_dirichlet;
using popflow::simulate::draw_log_gamma;

TEST(LogGamma, HasTheMeanAndVarianceOfItsShape) {
    struct Case {
        double shape, mean, variance;  // digamma and trigamma of the shape, from SciPy
    };
    constexpr std::size_t n = 40000;
    for (const auto& [shape, mean, variance] : {Case{0.1, -10.423754940411076, 101.43329915079276},
                                                Case{1, -0.5772156649015329, 1.6449340668482266},
                                                Case{7.5, 1.9467574842460866, 0.1426158966967038}}) {
        Stream stream(1, Purpose::test, 1);
        std::vector<double> x(n);
        for (double& value : x) value = draw_log_gamma(stream, shape);
        const double found = std::accumulate(x.begin(), x.end(), 0.0) / n;
        double square = 0;
        double fourth = 0;
        for (const double value : x) {
            square += std::pow(value - found, 2) / n;
            fourth += std::pow(value - found, 4) / n;
        }
        // Five standard errors.
        EXPECT_NEAR(found, mean, 5 * std::sqrt(variance / n)) << shape;
        EXPECT_NEAR(square, variance, 5 * std::sqrt((fourth - square * square) / n)) << shape;
    }
}

TEST(LogGamma, OfShapeOneIsTheLogarithmOfAnExponential) {
    Stream stream(1, Purpose::test, 2);
    std::vector<double> x(20000);
    for (double& value : x) value = std::exp(draw_log_gamma(stream, 1));
    EXPECT_LT(popflow::support::scaled_ks(x, [](double v) { return 1 - std::exp(-v); }),
              popflow::support::ks_limit);
}

TEST(Dirichlet, HasTheMeanAndCovarianceOfItsParameters) {
    const std::vector<double> a{0.3, 1, 2.5, 4};
    const double sum = 7.8;
    constexpr std::size_t n = 40000;
    Stream stream(1, Purpose::test, 3);
    std::vector<std::vector<double>> w;
    for (std::size_t i = 0; i < n; ++i) {
        w.push_back(draw_dirichlet(stream, a));
        ASSERT_NEAR(std::accumulate(w[i].begin(), w[i].end(), 0.0), 1, 1e-14);
    }
    for (std::size_t k = 0; k < 4; ++k) {
        for (std::size_t l = 0; l <= k; ++l) {
            const double expected = ((k == l ? a[k] * sum : 0) - a[k] * a[l]) / (sum * sum * (sum + 1));
            double mean = 0;
            double covariance = 0;
            double square = 0;
            for (const std::vector<double>& v : w) {
                const double product = (v[k] - a[k] / sum) * (v[l] - a[l] / sum);
                mean += v[k] / n;
                covariance += product / n;
                square += product * product / n;
            }
            const double variance = a[k] * (sum - a[k]) / (sum * sum * (sum + 1));
            EXPECT_NEAR(mean, a[k] / sum, 5 * std::sqrt(variance / n)) << k;
            EXPECT_NEAR(covariance, expected, 5 * std::sqrt((square - covariance * covariance) / n))
                << k << l;
        }
    }
}

TEST(Dirichlet, OfTinyParametersPutsAllWeightOnOneEntry) {
    // All gamma variates are below the smallest double.
    Stream stream(1, Purpose::test, 4);
    std::vector<std::size_t> counts(3, 0);
    for (int i = 0; i < 3000; ++i) {
        const std::vector<double> w = draw_dirichlet(stream, std::vector<double>(3, 1e-6));
        for (std::size_t k = 0; k < 3; ++k) counts[k] += w[k] > 0.999 ? 1 : 0;
    }
    // Five standard errors of a binomial count.
    for (const std::size_t count : counts) EXPECT_NEAR(static_cast<double>(count), 1000, 5 * 25.9);
}
