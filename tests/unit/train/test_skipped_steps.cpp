// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <limits>

#include "core/error.hpp"
#include "support/mpi_session.hpp"
#include "support/one_weight.hpp"
#include "support/pair_trainer.hpp"

namespace train = popflow::train;
namespace models = popflow::models;
namespace linalg = popflow::linalg;

namespace {

// Model of one weight with a gradient of 1. The step after i updates has loss `losses[i]`.
class FixedLosses : public popflow::support::OneWeight {
  public:
    explicit FixedLosses(std::vector<double> losses) : losses_(std::move(losses)) {}
    double slot_gradient(const Request& request, const models::SlotInput&, Scratch&,
                         std::span<float> gradients) const override {
        gradients[0] += 1;
        return losses_.at(request.phase.updates);
    }

  private:
    std::vector<double> losses_;
};

// One lane with one pair of two equal populations of three cells.
struct OneLane {
    popflow::screen::Cells cells;
    OneLane() {
        cells.x = linalg::Matrix<float>(3, 2);
        cells.cell_type.resize(3);
    }
    std::vector<train::PairLane> get() const {
        return {
            {.slot = 0,
             .pairs = {{.index = 0, .control = cells.view(), .treated = cells.view(), .condition = {1}}}}};
    }
};

using NonFiniteStep = popflow::support::WithMpi;

const double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_F(NonFiniteStep, ThrowsAndLeavesTheWeightsUnchanged) {
    const popflow::mpi::Communicator comm = popflow::mpi::Communicator::world();
    const FixedLosses model({1, not_a_number, 1});
    const OneLane lane;
    popflow::support::PairTrainer run(model, {.batch_pairs = 1}, {.cells = 3}, lane.get(), comm);
    train::Trainer& trainer = run.trainer;
    trainer.step({});
    const auto before = trainer.values();
    EXPECT_THROW(trainer.step({}), popflow::core::NumericalError);
    EXPECT_EQ(trainer.values(), before);
    EXPECT_EQ(trainer.steps_done(), 1U);
}

TEST_F(NonFiniteStep, IsSkippedOnRequest) {
    const popflow::mpi::Communicator comm = popflow::mpi::Communicator::world();
    const FixedLosses model({1, not_a_number, 1});
    const OneLane lane;
    popflow::support::PairTrainer run(model, {.batch_pairs = 1, .on_nan = train::OnNan::skip}, {.cells = 3},
                                      lane.get(), comm);
    train::Trainer& trainer = run.trainer;
    EXPECT_FALSE(trainer.step({}).skipped);
    const auto before = trainer.values();
    const auto moments = trainer.adam().first;
    EXPECT_TRUE(trainer.step({}).skipped);
    EXPECT_EQ(trainer.values(), before);
    EXPECT_EQ(trainer.adam().first, moments);
    EXPECT_FALSE(trainer.step({}).skipped);
    EXPECT_NE(trainer.values(), before);
    EXPECT_EQ(trainer.steps_done(), 3U);
}

TEST_F(NonFiniteStep, ThrowsAfterTooManySkipsInARow) {
    const popflow::mpi::Communicator comm = popflow::mpi::Communicator::world();
    const FixedLosses model(std::vector<double>(100, not_a_number));
    const OneLane lane;
    popflow::support::PairTrainer run(model, {.batch_pairs = 1, .on_nan = train::OnNan::skip}, {.cells = 3},
                                      lane.get(), comm);
    train::Trainer& trainer = run.trainer;
    for (std::uint64_t i = 0; i < train::max_skipped_in_a_row; ++i) EXPECT_TRUE(trainer.step({}).skipped);
    EXPECT_THROW(trainer.step({}), popflow::core::NumericalError);
}
