// SPDX-License-Identifier: MIT
#include "ot/exact/assignment.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"

using popflow::core::NumericalError;
using popflow::ot::ArcList;
using popflow::ot::Assignment;

namespace {

ArcList dense_3x3(const std::vector<std::int64_t>& cost) {
    return {{0, 3, 6, 9}, {0, 1, 2, 0, 1, 2, 0, 1, 2}, cost};
}

}  // namespace

TEST(Assignment, MatchesAThreeByThreeExample) {
    // The minimum is 2 + 1 + 2: rows to columns 1, 0, 2.
    Assignment solver(std::vector<std::int64_t>(3, 0));
    solver.solve(dense_3x3({4, 2, 8, 1, 3, 7, 5, 4, 2}));

    const auto plan = solver.plan();

    EXPECT_EQ(plan[0].j, 1U);
    EXPECT_EQ(plan[1].j, 0U);
    EXPECT_EQ(plan[2].j, 2U);
    EXPECT_EQ(solver.f()[0] + solver.g()[1], 2);
    EXPECT_EQ(solver.f()[1] + solver.g()[0], 1);
    EXPECT_EQ(solver.f()[2] + solver.g()[2], 2);
}

TEST(Assignment, ValueDoesNotDependOnTheInitialDuals) {
    const ArcList arcs = dense_3x3({7, 5, 11, 5, 4, 1, 9, 3, 2});
    for (const std::int64_t shift : {-100, 0, 3, 1000}) {
        Assignment solver({shift, 0, -shift});
        solver.solve(arcs);

        std::int64_t value = 0;
        for (const auto& flow : solver.plan()) value += arcs.cost[flow.i * 3 + flow.j];

        EXPECT_EQ(value, 7 + 1 + 3) << shift;
    }
}

TEST(Assignment, ContinuesAfterArcsAreAdded) {
    Assignment solver(std::vector<std::int64_t>(2, 0));
    solver.solve({{0, 1, 2}, {0, 1}, {10, 10}});

    solver.solve({{0, 2, 4}, {0, 1, 0, 1}, {10, 1, 2, 10}});

    EXPECT_EQ(solver.plan()[0].j, 1U);
    EXPECT_EQ(solver.plan()[1].j, 0U);
    EXPECT_EQ(solver.f()[0] + solver.f()[1] + solver.g()[0] + solver.g()[1], 3);
}

TEST(Assignment, ThrowsIfTheArcsHoldNoAssignment) {
    Assignment solver(std::vector<std::int64_t>(2, 0));
    EXPECT_THROW(solver.solve({{0, 1, 2}, {0, 0}, {1, 1}}), NumericalError);
}
