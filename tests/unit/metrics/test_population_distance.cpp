// SPDX-License-Identifier: MIT
#include "metrics/population_distance.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/random.hpp"
#include "metrics/mmd.hpp"

using popflow::linalg::ConstMatrixView;
using popflow::linalg::Matrix;
using popflow::metrics::compared_population;
using popflow::metrics::distance_bounds;
using popflow::metrics::DistanceBound;
using popflow::metrics::marginal_bound;
using popflow::metrics::population_distance;
using popflow::metrics::PopulationDistance;
using popflow::metrics::WithBounds;

namespace {

Matrix<float> cells(std::size_t n, std::size_t d, std::uint64_t key, float shift = 0) {
    Matrix<float> x(n, d);
    popflow::core::Stream(2, popflow::core::Purpose::test, key).fill_normal(x.values());
    for (float& value : x.values()) value += shift;
    return x;
}

double distance(PopulationDistance kind, ConstMatrixView<float> x, ConstMatrixView<float> y) {
    return population_distance(kind, compared_population(kind, x), compared_population(kind, y));
}

double squared(ConstMatrixView<float> x, std::size_t i, ConstMatrixView<float> y, std::size_t j) {
    double sum = 0;
    for (std::size_t k = 0; k < x.cols; ++k) {
        const double difference = static_cast<double>(x(i, k)) - static_cast<double>(y(j, k));
        sum += difference * difference;
    }
    return sum;
}

double one_sided_chamfer(ConstMatrixView<float> x, ConstMatrixView<float> y) {
    double sum = 0;
    for (std::size_t i = 0; i < x.rows; ++i) {
        double nearest = std::numeric_limits<double>::infinity();
        for (std::size_t j = 0; j < y.rows; ++j) nearest = std::min(nearest, squared(x, i, y, j));
        sum += nearest;
    }
    return sum / static_cast<double>(x.rows);
}

}  // namespace

TEST(PopulationDistance, ChamferAddsTheMeansOfBothSides) {
    const Matrix<float> x = cells(30, 3, 1);
    const Matrix<float> y = cells(45, 3, 2, 0.5F);
    const double expected = one_sided_chamfer(x, y) + one_sided_chamfer(y, x);
    EXPECT_NEAR(distance(PopulationDistance::chamfer, x, y), expected, 1e-9);
}

TEST(PopulationDistance, EnergyIsThatOfTheMetric) {
    const Matrix<float> x = cells(40, 5, 3);
    const Matrix<float> y = cells(50, 5, 4, 1);
    EXPECT_NEAR(distance(PopulationDistance::energy, x, y), popflow::metrics::kernel_distances(x, y).energy,
                1e-6);
}

TEST(PopulationDistance, TwoPointsOnALine) {
    Matrix<float> x(1, 1);
    Matrix<float> y(1, 1);
    y(0, 0) = 3;
    EXPECT_DOUBLE_EQ(distance(PopulationDistance::w1, x, y), 3);
    EXPECT_DOUBLE_EQ(distance(PopulationDistance::w2, x, y), 3);
    EXPECT_DOUBLE_EQ(distance(PopulationDistance::chamfer, x, y), 18);
    EXPECT_DOUBLE_EQ(distance(PopulationDistance::energy, x, y), 6);
    EXPECT_DOUBLE_EQ(distance(PopulationDistance::bures, x, y), 3);
}

TEST(PopulationDistance, NoBoundIsAboveTheDistance) {
    for (const PopulationDistance kind : {PopulationDistance::w1, PopulationDistance::w2}) {
        for (std::uint64_t key = 0; key < 30; ++key) {
            const Matrix<float> x = cells(20 + key, 1 + key % 5, 10 + key);
            // The last ones are equal, or translates.
            Matrix<float> y = key < 20 ? cells(25, x.cols(), 50 + key, 0.1F * static_cast<float>(key)) : x;
            if (key > 25) {
                for (float& value : y.values()) value += 0.25F;
            }
            const auto a = compared_population(kind, x, WithBounds::yes);
            const auto b = compared_population(kind, y, WithBounds::yes);
            for (const DistanceBound bound : distance_bounds(kind))
                EXPECT_LE(bound(kind, a, b), population_distance(kind, a, b)) << key;
        }
    }
}

TEST(PopulationDistance, TheMarginalBoundOfTranslatesIsTheDistance) {
    const Matrix<float> x = cells(50, 3, 9);
    Matrix<float> y = x;
    for (float& value : y.values()) value += 2;
    for (const PopulationDistance kind : {PopulationDistance::w1, PopulationDistance::w2}) {
        const auto a = compared_population(kind, x, WithBounds::yes);
        const auto b = compared_population(kind, y, WithBounds::yes);
        EXPECT_NEAR(marginal_bound(kind, a, b), 2 * std::sqrt(3.0), 1e-4);
    }
}

TEST(PopulationDistance, TheMarginalBoundIsTheDistanceOnALine) {
    // Unequal sizes: each of 3 cells has the mass of 4 thirds of a cell of the other population.
    Matrix<float> x(3, 1);
    Matrix<float> y(4, 1);
    for (const std::size_t i : {0, 1, 2}) x(i, 0) = static_cast<float>(3 * i);
    for (const std::size_t i : {0, 1, 2, 3}) y(i, 0) = static_cast<float>(7 - 2 * i);
    for (const PopulationDistance kind : {PopulationDistance::w1, PopulationDistance::w2}) {
        const auto a = compared_population(kind, x, WithBounds::yes);
        const auto b = compared_population(kind, y, WithBounds::yes);
        EXPECT_NEAR(marginal_bound(kind, a, b), population_distance(kind, a, b), 1e-4);
    }
}

TEST(PopulationDistance, CloudsThatDifferAlongADiagonalHaveATightBound) {
    // Cells on the two diagonals of a square have equal coordinates along both axes.
    Matrix<float> x(101, 2);
    Matrix<float> y(101, 2);
    for (std::size_t i = 0; i < 101; ++i) {
        const float t = 0.02F * static_cast<float>(i) - 1;
        x(i, 0) = x(i, 1) = y(i, 0) = t;
        y(i, 1) = -t;
    }
    const auto a = compared_population(PopulationDistance::w1, x, WithBounds::yes);
    const auto b = compared_population(PopulationDistance::w1, y, WithBounds::yes);
    EXPECT_GT(marginal_bound(PopulationDistance::w1, a, b),
              0.7 * population_distance(PopulationDistance::w1, a, b));
}

TEST(PopulationDistance, RefusesValuesThatAreNotFinite) {
    Matrix<float> x = cells(5, 2, 9);
    x(3, 1) = NAN;
    EXPECT_THROW(compared_population(PopulationDistance::w1, x, WithBounds::yes),
                 popflow::core::NumericalError);
}
