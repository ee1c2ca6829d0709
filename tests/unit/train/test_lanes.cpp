// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>

#include "mpi/partition.hpp"
#include "support/mpi_session.hpp"
#include "support/one_weight.hpp"
#include "support/pair_trainer.hpp"

namespace train = popflow::train;
namespace models = popflow::models;
namespace linalg = popflow::linalg;

namespace {

// Loss and gradient of each pair.
constexpr std::array<float, 5> pair_losses{1, 2, 4, 8, 16};

// Model whose loss and gradient for each pair come from pair_losses.
class FixedPairLosses : public popflow::support::OneWeight {
  public:
    double slot_gradient(const Request&, const models::SlotInput& input, Scratch&,
                         std::span<float> gradients) const override {
        const std::size_t pair = static_cast<const models::PairInput&>(input).slot.pair;
        gradients[0] += pair_losses[pair];
        return static_cast<double>(pair_losses[pair]);
    }
};

using Lanes = popflow::support::WithMpi;

}  // namespace

TEST_F(Lanes, WeighEveryPairEqually) {
    popflow::screen::Cells cells;
    cells.x = linalg::Matrix<float>(3, 2);
    cells.cell_type.resize(3);
    std::vector<train::PairLane> lanes;
    const std::vector<std::size_t> sizes(pair_losses.size(), 3);
    for (const auto& part : popflow::mpi::partition_by_weight(sizes, 2)) {
        train::PairLane lane{.slot = lanes.size(),
                             .weight = train::lane_weight(part.size(), 2, pair_losses.size()),
                             .pairs = {}};
        for (const std::size_t i : part)
            lane.pairs.push_back(
                {.index = i, .control = cells.view(), .treated = cells.view(), .condition = {1}});
        lanes.push_back(std::move(lane));
    }
    ASSERT_NE(lanes[0].pairs.size(), lanes[1].pairs.size());
    const popflow::mpi::Communicator comm = popflow::mpi::Communicator::world();
    const FixedPairLosses model;
    popflow::support::PairTrainer run(model, {.batch_pairs = 2}, {.cells = 3}, std::move(lanes), comm);
    double loss = 0;
    double gradient = 0;
    constexpr int steps = 6;  // whole epochs of both lanes, which have three and two pairs
    for (int i = 0; i < steps; ++i) {
        const train::StepReport report = run.step();
        loss += report.loss / steps;
        gradient += report.gradient_norm / steps;
    }
    const double mean = 31.0 / 5;
    EXPECT_NEAR(loss, mean, 1e-6);
    EXPECT_NEAR(gradient, mean, 1e-6);
}

TEST_F(Lanes, HaveWeightOneWithEqualNumbersOfPairs) {
    EXPECT_EQ(train::lane_weight(24, 10, 240), 1.0F);
}
