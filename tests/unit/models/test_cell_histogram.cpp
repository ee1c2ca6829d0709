// SPDX-License-Identifier: MIT
#include "models/cell_histogram.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "core/error.hpp"
#include "support/random_matrix.hpp"

using popflow::linalg::Matrix;
using popflow::support::random_matrix;
namespace core = popflow::core;
namespace models = popflow::models;

namespace {

Matrix<double> unit_matrix(std::size_t d) {
    Matrix<double> unit(d, d);
    for (std::size_t k = 0; k < d; ++k) unit(k, k) = 1;
    return unit;
}

std::vector<double> features(const Matrix<double>& cells, std::size_t bins) {
    std::vector<double> out(models::histogram_size(bins, cells.cols()), -1);
    models::histogram_features<double>(cells.view(), unit_matrix(cells.cols()), bins, out);
    return out;
}

}  // namespace

TEST(CellHistogram, HasTheLastMarkerFastestAndCutsOffAtThreeDeviations) {
    // Bins end at -3, -1, 1 and 3.
    Matrix<double> cells(4, 2);
    const std::array<double, 8> values{-2, 2, -7, 2.5, 0, -1, 1, 9};
    std::ranges::copy(values, cells.values().begin());
    const std::vector<double> found = features(cells, 3);
    // Two cells in (0, 2), one in (1, 1) and one in (2, 2).
    const double one = std::sqrt(9.0 / 4);
    const std::vector<double> expected{0, 0, std::sqrt(9.0 / 2), 0, one, 0, 0, 0, one};
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_DOUBLE_EQ(found[i], expected[i]) << i;
}

TEST(CellHistogram, AgreesWithCountsOfTheEdges) {
    // Counts by comparison with the edges, as numpy.histogramdd does it.
    const Matrix<double> cells = random_matrix<double>(500, 3, 4);
    const std::size_t bins = 6;
    std::map<std::array<std::size_t, 3>, double> counts;
    for (std::size_t i = 0; i < cells.rows(); ++i) {
        std::array<std::size_t, 3> at{};
        for (std::size_t k = 0; k < 3; ++k) {
            for (int edge = -2; edge <= 2; ++edge) at[k] += cells(i, k) >= edge ? 1 : 0;
        }
        ++counts[at];
    }
    const std::vector<double> found = features(cells, bins);
    for (std::size_t i = 0; i < found.size(); ++i) {
        const auto at = counts.find({i / 36, i / 6 % 6, i % 6});
        const double share = at == counts.end() ? 0 : at->second / 500;
        EXPECT_NEAR(found[i], std::sqrt(216 * share), 1e-12) << i;
    }
    const double squares = std::inner_product(found.begin(), found.end(), found.begin(), 0.0);
    EXPECT_NEAR(squares / 216, 1, 1e-12);
}

TEST(CellHistogram, CoordinatesHaveUnitCovariance) {
    const std::vector<double> triangle{4, 1, 3};
    const Matrix<double> w = models::histogram_coordinates<double>(triangle, 2);
    const double ridge = 1e-3 * 3.5;
    const double c[2][2] = {{4 + ridge, 1}, {1, 3 + ridge}};
    for (std::size_t i = 0; i < 2; ++i) {
        for (std::size_t j = 0; j < 2; ++j) {
            double sum = 0;
            for (std::size_t k = 0; k < 2; ++k) {
                for (std::size_t l = 0; l < 2; ++l) sum += w(i, k) * c[k][l] * w(l, j);
            }
            EXPECT_NEAR(sum, i == j ? 1 : 0, 1e-12);
        }
    }
}

TEST(CellHistogram, KeepsDirectionsWithoutVariationNearZero) {
    // Grey colours: all markers are equal.
    const std::vector<float> triangle{1, 1, 1, 1, 1, 1};
    const Matrix<double> w = models::histogram_coordinates<float>(triangle, 3);
    double across = 0;
    for (std::size_t k = 0; k < 3; ++k) across += w(k, 0) * 1e-4 - w(k, 1) * 1e-4;
    EXPECT_LT(std::abs(across), 0.01);
    EXPECT_THROW(models::histogram_coordinates<float>(std::vector<float>(6, 0.0F), 3), core::NumericalError);
}

TEST(CellHistogram, HasALimitedNumberOfBins) {
    EXPECT_EQ(models::histogram_size(16, 3), 4096U);
    EXPECT_EQ(models::histogram_size(2, 16), 65536U);
    EXPECT_GT(models::histogram_size(2, 1000), models::max_histogram_bins);
}

TEST(CellHistogram, RefusesValuesThatAreNotFinite) {
    Matrix<double> cells(1, 1);
    cells(0, 0) = std::numeric_limits<double>::quiet_NaN();
    EXPECT_THROW(features(cells, 2), core::NumericalError);
    EXPECT_THROW(features(Matrix<double>(0, 1), 2), core::ShapeMismatch);
}
