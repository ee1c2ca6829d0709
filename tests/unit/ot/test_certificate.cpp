// SPDX-License-Identifier: MIT
#include "ot/certificate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "ot/exact.hpp"
#include "support/populations.hpp"

using popflow::linalg::Matrix;
using popflow::ot::Certificate;
using popflow::ot::certify;
using popflow::ot::Cost;
using popflow::ot::CostKind;
using popflow::ot::TransportPlan;
using popflow::support::normal_population;
using popflow::support::rows;

TEST(Certificate, MatchesAnExampleByHand) {
    // Costs 1 3 / 4 2. The plan uses the two expensive arcs, and the duals violate one arc by 0.5.
    Matrix<double> c(2, 2);
    const double values[] = {1, 3, 4, 2};
    std::copy(std::begin(values), std::end(values), c.values().begin());
    const Cost cost(c.view());
    TransportPlan t;
    t.plan = {{0, 1, 0.5}, {1, 0, 0.5}};
    t.duals = {{1.5, 2}, {0, 0}};

    const Certificate found = certify(cost, t);

    EXPECT_DOUBLE_EQ(found.violation, 0.5);
    EXPECT_DOUBLE_EQ(found.gap, 0.5 * (3 - 1.5) + 0.5 * (4 - 2));
}

TEST(Certificate, FindsTheLargestViolationExactly) {
    const Matrix<float> x = normal_population(150, 3, 1);
    const Matrix<float> y = normal_population(130, 3, 2);
    for (const CostKind kind : {CostKind::euclidean, CostKind::squared_euclidean, CostKind::cosine}) {
        const Cost cost(kind, x.view(), y.view());
        TransportPlan t = solve_exact(cost);
        for (const double error : {0.0, 1e-9, 1e-3, 1.0}) {
            TransportPlan perturbed = t;
            perturbed.duals.f[70] += error;
            perturbed.duals.g[11] += error / 2;
            double violation = 0;
            for (std::size_t i = 0; i < 150; ++i) {
                for (std::size_t j = 0; j < 130; ++j) {
                    violation = std::max(violation, perturbed.duals.f[i] + perturbed.duals.g[j] -
                                                        cost.unit() * cost.exact(i, j));
                }
            }
            EXPECT_EQ(certify(cost, perturbed).violation, violation) << error;
        }
        EXPECT_EQ(certify(cost, t).violation, t.violation);
        EXPECT_EQ(certify(cost, t).gap, t.gap);
    }
}

TEST(Certificate, FitRowsGivesTheLargestFeasibleRowDuals) {
    const Matrix<float> x = normal_population(120, 3, 1);
    const Matrix<float> y = normal_population(90, 3, 2);
    for (const CostKind kind : {CostKind::euclidean, CostKind::squared_euclidean}) {
        const Cost cost(kind, x.view(), y.view());
        popflow::ot::Potentials duals = solve_exact(cost).duals;
        for (std::size_t j = 0; j < 90; ++j) duals.g[j] += std::sin(static_cast<double>(j));

        popflow::ot::apply_c_transform(cost, duals);

        for (std::size_t i = 0; i < 120; ++i) {
            double smallest = 1e300;
            for (std::size_t j = 0; j < 90; ++j)
                smallest = std::min(smallest, cost.unit() * cost.exact(i, j) - duals.g[j]);
            EXPECT_EQ(duals.f[i], smallest);
        }
    }
}

TEST(Certificate, RefusesDualsOfAnotherProblem) {
    const auto x = rows({{0, 0}, {1, 1}});
    const Cost cost(CostKind::euclidean, x.view(), x.view());
    TransportPlan t = solve_exact(cost);
    t.duals.f.push_back(0);
    EXPECT_THROW(certify(cost, t), popflow::core::ShapeMismatch);
}
