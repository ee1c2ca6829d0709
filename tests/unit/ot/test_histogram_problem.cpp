// SPDX-License-Identifier: MIT
#include "ot/histogram_problem.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "core/error.hpp"
#include "ot/cost_matrix.hpp"
#include "ot/entropic.hpp"

using popflow::core::NumericalError;
using popflow::core::ShapeMismatch;
using popflow::linalg::Matrix;
using popflow::ot::AtomCost;
using popflow::ot::cost_matrix;
using popflow::ot::histogram_problem;
using popflow::ot::HistogramProblem;

namespace {

Matrix<double> points(std::initializer_list<std::initializer_list<double>> values) {
    Matrix<double> x(values.size(), values.begin()->size());
    std::size_t l = 0;
    for (const auto& row : values) {
        for (const double v : row) x.values()[l++] = v;
    }
    return x;
}

}  // namespace

TEST(CostMatrix, HasEuclideanDistancesAndTheirSquares) {
    const Matrix<double> x = points({{0, 0}, {1, 0}});
    const Matrix<double> y = points({{3, 4}, {1, 2}, {0, 0}});
    const Matrix<double> squared = cost_matrix(AtomCost::squared_euclidean, x, y);
    const Matrix<double> plain = cost_matrix(AtomCost::euclidean, x, y);
    EXPECT_EQ(squared(0, 0), 25);
    EXPECT_EQ(plain(0, 0), 5);
    EXPECT_EQ(squared(1, 1), 4);
    EXPECT_EQ(plain(1, 2), 1);
}

TEST(CostMatrix, HasAnglesThatAreAccurateForNearAndOppositePoints) {
    const double small = 1e-9;
    const Matrix<double> x = points({{2, 0, 0}});
    const Matrix<double> y =
        points({{0, 5, 0}, {std::cos(small), std::sin(small), 0}, {-1, 0, 0}, {1, 0, 0}});
    const Matrix<double> c = cost_matrix(AtomCost::sphere, x, y);
    EXPECT_DOUBLE_EQ(c(0, 0), std::numbers::pi / 2);
    EXPECT_NEAR(c(0, 1), small, 1e-15);
    EXPECT_DOUBLE_EQ(c(0, 2), std::numbers::pi);
    EXPECT_EQ(c(0, 3), 0);
    EXPECT_THROW(cost_matrix(AtomCost::sphere, x, points({{0, 0, 0}})), NumericalError);
}

TEST(CostMatrix, RefusesInvalidPositions) {
    const Matrix<double> x = points({{0, 0}});
    EXPECT_THROW(cost_matrix(AtomCost::euclidean, x, points({{1, 2, 3}})), ShapeMismatch);
    EXPECT_THROW(cost_matrix(AtomCost::euclidean, x, points({{1, std::numeric_limits<double>::infinity()}})),
                 NumericalError);
}

TEST(HistogramProblem, LeavesOutAtomsWithoutMass) {
    const Matrix<double> c = points({{1, 2, 3}, {4, 5, 6}, {7, 8, 9}});
    const HistogramProblem p =
        histogram_problem(c, std::vector<double>{3, 0, 1}, std::vector<double>{0, 2, 2});
    EXPECT_EQ(p.rows, (std::vector<std::uint32_t>{0, 2}));
    EXPECT_EQ(p.cols, (std::vector<std::uint32_t>{1, 2}));
    EXPECT_EQ(p.a, (std::vector<double>{0.75, 0.25}));
    EXPECT_EQ(p.b, (std::vector<double>{0.5, 0.5}));
    EXPECT_EQ(p.c(1, 0), 8);
    EXPECT_EQ(p.c(0, 1), 3);
}

TEST(HistogramProblem, RefusesWeightsThatAreNoHistogram) {
    const Matrix<double> c = points({{1, 2}, {3, 4}});
    const std::vector<double> good{1, 1};
    EXPECT_THROW(histogram_problem(c, std::vector<double>{0, 0}, good), NumericalError);
    EXPECT_THROW(histogram_problem(c, good, std::vector<double>{2, -1}), NumericalError);
    EXPECT_THROW(histogram_problem(c, good, std::vector<double>{std::nan(""), 1}), NumericalError);
    EXPECT_THROW(histogram_problem(c, std::vector<double>{1}, good), ShapeMismatch);
}

TEST(HistogramProblem, ExtendsPotentialsToAtomsWithoutMass) {
    const Matrix<double> x = points({{0}, {1}, {2}, {3}});
    const Matrix<double> c = cost_matrix(AtomCost::squared_euclidean, x, x);
    const double epsilon = 0.5;
    const HistogramProblem p =
        histogram_problem(c, std::vector<double>{1, 0, 1, 0}, std::vector<double>{0, 1, 0, 2});
    const auto result =
        popflow::ot::solve_entropic(p.c.view(), p.a, p.b, {.epsilon = epsilon, .tolerances = {1e-12}});
    const auto all = popflow::ot::extended_potentials(p, c, epsilon, result.potentials);
    EXPECT_EQ(all.f[0], result.potentials.f[0]);
    EXPECT_EQ(all.g[3], result.potentials.g[1]);
    const double f1 =
        -epsilon * std::log(std::exp(all.g[1] / epsilon) / 3 + 2 * std::exp((all.g[3] - 4) / epsilon) / 3);
    EXPECT_NEAR(all.f[1], f1, 1e-12);
    const double g0 =
        -epsilon * std::log((std::exp(all.f[0] / epsilon) + std::exp((all.f[2] - 4) / epsilon)) / 2);
    EXPECT_NEAR(all.g[0], g0, 1e-12);
}
