// SPDX-License-Identifier: MIT
#include "train/batch_coupling.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "ot/coupling.hpp"
#include "support/mpi_session.hpp"
#include "support/populations.hpp"

using popflow::linalg::ConstMatrixView;
using popflow::linalg::Matrix;
using popflow::support::normal_population;
using popflow::support::rows;
using popflow::train::BatchCoupling;

namespace {

class BatchCouplingOnOneRank : public popflow::support::WithMpi {
  protected:
    const std::vector<float> a{1, 0};
    const std::vector<float> b{0, 1};
};

std::vector<std::vector<float>> as_rows(ConstMatrixView<float> x) {
    std::vector<std::vector<float>> result;
    for (std::size_t i = 0; i < x.rows; ++i) result.emplace_back(x.row(i), x.row(i) + x.cols);
    return result;
}

}  // namespace

TEST_F(BatchCouplingOnOneRank, PairsCellsAcrossSlotsOfTheSameCondition) {
    // The controls of slots 0 and 2 are nearest to each other's treated cells. Slot 1 has another condition.
    const auto left = rows({{0, 0}, {0, 1}});
    const auto right = rows({{9, 0}, {9, 1}});
    const auto middle = rows({{5, 5}});
    BatchCoupling coupling(3, popflow::mpi::Communicator::world());
    coupling.add(0, a, left.view(), right.view());
    coupling.add(1, b, middle.view(), middle.view());
    coupling.add(2, a, right.view(), left.view());

    coupling.couple();

    EXPECT_EQ(as_rows(coupling.target(0)), as_rows(left.view()));
    EXPECT_EQ(as_rows(coupling.target(1)), as_rows(middle.view()));
    EXPECT_EQ(as_rows(coupling.target(2)), as_rows(right.view()));
}

TEST_F(BatchCouplingOnOneRank, MatchesOptimalTransportOfThePooledCells) {
    const Matrix<float> base = normal_population(50, 3, 1);
    const Matrix<float> target = normal_population(50, 3, 2, 0.5F);
    BatchCoupling coupling(2, popflow::mpi::Communicator::world());
    coupling.add(0, a, base.view().row_block(0, 20), target.view().row_block(0, 20));
    coupling.add(1, a, base.view().row_block(20, 30), target.view().row_block(20, 30));

    coupling.couple();

    const auto partner = popflow::ot::optimal_partners(base.view(), target.view());
    for (std::size_t i = 0; i < 50; ++i) {
        const auto found = i < 20 ? coupling.target(0).row_span(i) : coupling.target(1).row_span(i - 20);
        EXPECT_TRUE(std::ranges::equal(found, target.view().row_span(partner[i]))) << "row " << i;
    }
}

TEST_F(BatchCouplingOnOneRank, DiscardsTheCellsOfThePreviousStep) {
    const auto first = rows({{0, 0}, {0, 1}, {3, 3}});
    const auto second = rows({{7, 7}});
    BatchCoupling coupling(1, popflow::mpi::Communicator::world());
    coupling.add(0, a, first.view(), first.view());
    coupling.couple();
    coupling.add(0, b, second.view(), second.view());

    coupling.couple();

    EXPECT_EQ(as_rows(coupling.target(0)), as_rows(second.view()));
}

TEST_F(BatchCouplingOnOneRank, NonFiniteValueAffectsOnlyItsCondition) {
    const auto broken = rows({{std::numeric_limits<float>::quiet_NaN(), 0}});
    const auto good = rows({{1, 2}});
    BatchCoupling coupling(2, popflow::mpi::Communicator::world());
    coupling.add(0, a, good.view(), broken.view());
    coupling.add(1, b, good.view(), good.view());

    coupling.couple();

    EXPECT_TRUE(coupling.target(0).empty());
    EXPECT_EQ(as_rows(coupling.target(1)), as_rows(good.view()));
}
