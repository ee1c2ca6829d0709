// SPDX-License-Identifier: MIT
#include "ot/coupling.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "core/error.hpp"
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
