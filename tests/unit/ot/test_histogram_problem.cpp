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
using popflow::ot::Histogram;
using popflow::ot::histogram_problem;
using popflow::ot::HistogramProblem;
using popflow::ot::make_histogram;

namespace {

Matrix<double> points(std::initializer_list<std::initializer_list<double>> values) {
    Matrix<double> x(values.size(), values.begin()->size());
    std::size_t l = 0;
    for (const auto& row : values) {
        for (const double v : row) x.values()[l++] = v;
    }
    return x;
}

Histogram histogram(const std::vector<double>& weights) {
    return make_histogram(weights, "test");
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
    const Histogram source = histogram({3, 0, 1});
    const Histogram target = histogram({0, 2, 2});
    const HistogramProblem p = histogram_problem(c, source, target);
    EXPECT_EQ(source.atoms, (std::vector<std::uint32_t>{0, 2}));
    EXPECT_EQ(target.atoms, (std::vector<std::uint32_t>{1, 2}));
    EXPECT_EQ(source.weights, (std::vector<double>{0.75, 0.25}));
    EXPECT_EQ(target.weights, (std::vector<double>{0.5, 0.5}));
    EXPECT_EQ(source.total, 4);
    EXPECT_EQ(p.c(1, 0), 8);
    EXPECT_EQ(p.c(0, 1), 3);
}

TEST(HistogramProblem, RefusesWeightsThatAreNoHistogram) {
    EXPECT_THROW(histogram({0, 0}), NumericalError);
    EXPECT_THROW(histogram({2, -1}), NumericalError);
    EXPECT_THROW(histogram({std::nan(""), 1}), NumericalError);
    const Histogram good = histogram({1, 1});
    EXPECT_THROW(histogram_problem(points({{1, 2}}), good, good), ShapeMismatch);
}

TEST(HistogramProblem, ExtendsPotentialsToAtomsWithoutMass) {
    const Matrix<double> x = points({{0}, {1}, {2}, {3}});
    const Matrix<double> c = cost_matrix(AtomCost::squared_euclidean, x, x);
    const double epsilon = 0.5;
    const Histogram source = histogram({1, 0, 1, 0});
    const Histogram target = histogram({0, 1, 0, 2});
    const HistogramProblem p = histogram_problem(c, source, target);
    const auto result = popflow::ot::solve_entropic(p.c.view(), source.weights, target.weights,
                                                    {.epsilon = epsilon, .tolerances = {1e-12}});
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

TEST(HistogramProblem, ExtendsExactPotentialsByTheSmallestReducedCost) {
    const Matrix<double> x = points({{0}, {1}, {2}, {3}});
    const Matrix<double> c = cost_matrix(AtomCost::squared_euclidean, x, x);
    const Histogram source = histogram({1, 0, 1, 0});
    const Histogram target = histogram({0, 1, 0, 1});
    const HistogramProblem p = histogram_problem(c, source, target);
    const auto all = popflow::ot::extended_potentials(p, c, 0, {{0, 0}, {1, 1}});
    EXPECT_EQ(all.f, (std::vector<double>{0, -1, 0, -1}));
    EXPECT_EQ(all.g, (std::vector<double>{0, 1, 0, 1}));
}
