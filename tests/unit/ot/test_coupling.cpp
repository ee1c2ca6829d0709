// SPDX-License-Identifier: MIT
#include "ot/coupling.hpp"

#include <gtest/gtest.h>

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.hpp"
#include "core/random.hpp"
#include "ot/cost.hpp"
#include "ot/sinkhorn.hpp"
#include "support/populations.hpp"

using popflow::linalg::Matrix;
using popflow::support::normal_population;
using popflow::support::rows;

TEST(Coupling, PairsNearestCells) {
    const auto x0 = rows({{0, 0}, {10, 0}, {0, 10}});
    const auto x1 = rows({{1, 9}, {1, 1}, {9, 1}});

    const auto partner = popflow::ot::optimal_partners(x0.view(), x1.view());

    EXPECT_EQ(partner, (std::vector<std::uint32_t>{1, 2, 0}));
}

TEST(Coupling, IsAPermutationThatNoSwapImproves) {
    const Matrix<float> x0 = normal_population(200, 5, 1);
    const Matrix<float> x1 = normal_population(200, 5, 2, 0.3F);

    const auto partner = popflow::ot::optimal_partners(x0.view(), x1.view());

    EXPECT_EQ(std::set<std::uint32_t>(partner.begin(), partner.end()).size(), 200U);
    const auto squared = [&](std::size_t i, std::size_t j) {
        double sum = 0;
        for (std::size_t k = 0; k < 5; ++k) sum += std::pow(static_cast<double>(x0(i, k)) - x1(j, k), 2);
        return sum;
    };
    for (std::size_t i = 0; i < 200; ++i) {
        for (std::size_t l = 0; l < i; ++l) {
            EXPECT_LE(squared(i, partner[i]) + squared(l, partner[l]),
                      squared(i, partner[l]) + squared(l, partner[i]) + 1e-9);
        }
    }
}

TEST(Coupling, RefusesBatchesOfDifferentShapes) {
    const Matrix<float> x0 = normal_population(5, 2, 1);
    const Matrix<float> x1 = normal_population(6, 2, 1);
    EXPECT_THROW(popflow::ot::optimal_partners(x0.view(), x1.view()), popflow::core::ShapeMismatch);
}

namespace {

using popflow::core::Purpose;
using popflow::core::Stream;
using popflow::ot::entropic_partners;
using popflow::ot::Partners;

double squared_distance(const Matrix<float>& x, std::size_t i, const Matrix<float>& y, std::size_t j) {
    double sum = 0;
    for (std::size_t k = 0; k < x.cols(); ++k) sum += std::pow(static_cast<double>(x(i, k)) - y(j, k), 2);
    return sum;
}

// Mean and standard error of the cost of drawn pairs, over many draws.
struct DrawnCost {
    double mean = 0;
    double error = 0;
};

DrawnCost drawn_cost(const Matrix<float>& x, const Matrix<float>& y,
                     const popflow::ot::EntropicCoupling& options) {
    constexpr std::size_t draws = 400;
    double sum = 0;
    double squares = 0;
    for (std::size_t draw = 0; draw < draws; ++draw) {
        const Partners partners =
            entropic_partners(x.view(), y.view(), options, Stream(1, Purpose::test, draw));
        double cost = 0;
        for (std::size_t k = 0; k < x.rows(); ++k)
            cost +=
                squared_distance(x, partners.base[k], y, partners.target[k]) / static_cast<double>(x.rows());
        sum += cost;
        squares += cost * cost;
    }
    const double mean = sum / draws;
    return {mean, std::sqrt((squares / draws - mean * mean) / draws)};
}

}  // namespace

TEST(EntropicCoupling, DrawsFromThePlanOfSinkhorn) {
    const Matrix<float> x = normal_population(60, 4, 1);
    const Matrix<float> y = normal_population(80, 4, 2, 0.5F);
    const popflow::ot::Cost cost(popflow::ot::CostKind::squared_euclidean, x.view(), y.view());
    for (const double rho : {0.0, 0.5}) {
        for (const double epsilon : {0.05, 0.3, 1.0}) {
            popflow::ot::SinkhornOptions options{
                .epsilon = epsilon, .sweeps = 5000, .tolerance = 1e-5, .values = true};
            if (rho > 0) options.rho_rows = options.rho_cols = rho;
            const auto plan = popflow::ot::sinkhorn(cost, {}, {}, options);
            const DrawnCost drawn = drawn_cost(x, y, {epsilon, rho});
            EXPECT_NEAR(drawn.mean, plan.transport_cost / plan.mass, 4 * drawn.error + 1e-3 * drawn.mean)
                << "epsilon " << epsilon << ", rho " << rho;
        }
    }
}

TEST(EntropicCoupling, LiesBetweenOptimalTransportAndIndependentDraws) {
    const Matrix<float> x = normal_population(100, 3, 1);
    const Matrix<float> y = normal_population(100, 3, 2, 0.3F);
    const auto optimal = popflow::ot::optimal_partners(x.view(), y.view());
    const Partners near = entropic_partners(x.view(), y.view(), {.epsilon = 1e-3}, Stream(1, Purpose::test));
    std::size_t equal = 0;
    for (std::size_t i = 0; i < 100; ++i) equal += near.target[i] == optimal[i] ? 1 : 0;
    EXPECT_GE(equal, 90U);

    double mean = 0;
    for (std::size_t i = 0; i < 100; ++i) {
        for (std::size_t j = 0; j < 100; ++j) mean += squared_distance(x, i, y, j) / 1e4;
    }
    const DrawnCost far = drawn_cost(x, y, {.epsilon = 1000});
    EXPECT_NEAR(far.mean, mean, 4 * far.error + 0.005 * mean);
}

TEST(EntropicCoupling, KeepsEachRowWithExactMarginalsAndDropsOutliersWithPenalties) {
    Matrix<float> x = normal_population(100, 3, 1);
    const Matrix<float> y = normal_population(100, 3, 2);
    for (std::size_t k = 0; k < 3; ++k) x(7, k) = 50;  // a cell without a counterpart
    const Partners exact = entropic_partners(x.view(), y.view(), {.epsilon = 0.1}, Stream(1, Purpose::test));
    EXPECT_EQ(std::set<std::uint32_t>(exact.base.begin(), exact.base.end()).size(), 100U);
    const Partners free =
        entropic_partners(x.view(), y.view(), {.epsilon = 0.01, .rho = 0.05}, Stream(1, Purpose::test));
    EXPECT_EQ(std::ranges::count(free.base, 7U), 0);
    EXPECT_EQ(free.base.size(), 100U);
}

TEST(EntropicCoupling, DoesNotDependOnTheNumberOfThreads) {
    const Matrix<float> x = normal_population(400, 5, 1);
    const Matrix<float> y = normal_population(300, 5, 2);
    omp_set_num_threads(1);
    const Partners one = entropic_partners(x.view(), y.view(), {.rho = 1}, Stream(1, Purpose::test));
    omp_set_num_threads(3);
    const Partners three = entropic_partners(x.view(), y.view(), {.rho = 1}, Stream(1, Purpose::test));
    omp_set_num_threads(2);
    EXPECT_EQ(one.base, three.base);
    EXPECT_EQ(one.target, three.target);
}

TEST(EntropicCoupling, DrawsUniformlyBetweenEqualCells) {
    const Matrix<float> x(200, 2);
    const Matrix<float> y(50, 2);
    const Partners partners = entropic_partners(x.view(), y.view(), {}, Stream(1, Purpose::test));
    EXPECT_GE(std::set<std::uint32_t>(partners.target.begin(), partners.target.end()).size(), 40U);
    Matrix<float> broken = y;
    broken(3, 1) = std::nanf("");
    EXPECT_THROW(entropic_partners(x.view(), broken.view(), {}, Stream(1, Purpose::test)),
                 popflow::core::NumericalError);
}
