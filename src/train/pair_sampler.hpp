// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/random.hpp"
#include "models/model.hpp"
#include "models/moment_change.hpp"
#include "mpi/communicator.hpp"
#include "ot/coupling.hpp"
#include "screen/population.hpp"
#include "train/augmentation.hpp"
#include "train/batch_coupling.hpp"
#include "train/sampler.hpp"

namespace popflow::train {

/// How the cells of a slot are drawn and paired.
enum class Coupling {
    random,    ///< independent draws from both populations, paired at random
    ot,        ///< independent draws from both populations, paired by exact optimal transport
    entropic,  ///< independent draws from both populations, paired by draws from an entropic plan
    rows,      ///< same rows of both populations in the order of the file, row i paired with row i
    rows_ot,   ///< same rows of both populations, paired by exact optimal transport
};
/// Whether the same rows are drawn from both populations of a pair, which must have equal numbers of cells.
constexpr bool draws_rows(Coupling coupling) {
    return coupling == Coupling::rows || coupling == Coupling::rows_ot;
}
/// Whether the drawn cells are paired by exact optimal transport.
constexpr bool uses_optimal_transport(Coupling coupling) {
    return coupling == Coupling::ot || coupling == Coupling::rows_ot;
}
/// Set of cells that one exact transport problem couples.
enum class CouplingScope {
    pair,       ///< cells of one slot
    condition,  ///< cells of all slots of the batch with the same condition, see BatchCoupling
};

/// Options of the draws from pairs of populations. Each of them changes the result.
struct PairSampling {
    /// Number of cells that a slot draws without replacement from each population. A smaller population
    /// reduces it.
    std::size_t cells = 1024;
    models::Base base = models::Base::source;
    Coupling coupling = Coupling::random;
    CouplingScope coupling_scope = CouplingScope::pair;
    ot::EntropicCoupling entropic{};  ///< for Coupling::entropic
    Augmentation augmentation{};
    /// Fraction of the steps that use augmentation. The steps after it do not.
    double augment_until = 1;
    /// Returns the augmentation of one of `steps` steps, which is none after the fraction `augment_until`.
    Augmentation augmentation_at(std::uint64_t step, std::uint64_t steps) const;
};

/// Move of the control cells of a pair to the start of the model, see models::start_change().
struct StartMove {
    models::MomentChange change;
    std::vector<float> means;  ///< [d] means of the control cells
};

/// Training pair on the rank that owns it. Its cells are normalised.
struct TrainingPair {
    std::size_t index = 0;  ///< index among the training pairs of all ranks
    screen::CellsView control;
    screen::CellsView treated;
    std::vector<float> condition;      ///< condition vector
    std::size_t condition_row = 0;     ///< see models::DataShape::condition_rows
    std::size_t unit = 0;              ///< see screen::population_units()
    std::optional<StartMove> start{};  ///< empty if the flow starts at the control cells
    std::vector<float> context{};      ///< fixed context of the control, empty if the model computes it
};

/// Pairs that one slot of every batch draws from.
struct PairLane {
    std::size_t slot = 0;
    float weight = 1;  ///< see lane_weight()
    std::vector<TrainingPair> pairs;
};

/// Draws cells of a control and a treated population, couples and augments them, and draws flow times and
/// noise. Its inputs are models::PairInput.
class PairSampler : public Sampler {
  public:
    /// @param lanes  lanes of this rank, all non-empty
    /// @param slots  number of slots of a batch on all ranks
    /// @param steps  number of steps of the training, see PairSampling::augment_until
    PairSampler(const PairSampling& options, std::uint64_t seed, std::vector<PairLane> lanes,
                std::size_t slots, std::uint64_t steps, const mpi::Communicator& communicator);

    const std::vector<Lane>& lanes() const override { return lanes_; }
    std::size_t max_cells() const override { return options_.cells; }
    std::unique_ptr<models::SlotInput> make_input() const override;
    void draw(const Visit& visit, models::SlotInput& input) const override;
    BatchStage* batch_stage() override { return stage_ ? &*stage_ : nullptr; }

  private:
    // Input of a slot with the memory that its views refer to.
    struct Drawn : models::PairInput {
        linalg::Matrix<float> source;      ///< control cells, the input of the encoder
        linalg::Matrix<float> noise;       ///< base cells if the base is Gaussian
        linalg::Matrix<float> start;       ///< base cells if the pair has a start
        linalg::Matrix<float> target;      ///< treated cells
        linalg::Matrix<float> ordered;     ///< buffer for the treated cells in the order of a coupling
        linalg::Matrix<float> moved;       ///< base cells that unbalanced transport draws
        std::vector<std::uint32_t> drawn;  ///< drawn rows of a population
        std::vector<std::uint8_t> source_type;
        std::vector<float> t;
    };
    // Couples the cells of all slots of a step that have the same condition.
    class CouplingStage : public BatchStage {
      public:
        CouplingStage(std::size_t slots, const mpi::Communicator& communicator)
            : coupling_(slots, communicator) {}
        void add(std::size_t slot, const models::SlotInput& input) override;
        void run() override { coupling_.couple(); }
        void apply(std::size_t slot, models::SlotInput& input) const override;

      private:
        BatchCoupling coupling_;
    };

    /// Pairs the treated cells with those of the base. Returns the base cells, some of them more than once if
    /// transport is unbalanced.
    linalg::ConstMatrixView<float> couple(linalg::ConstMatrixView<float> base, core::Stream stream,
                                          Drawn& drawn) const;
    void draw_cells(const PairLane& lane, const TrainingPair& pair, std::uint64_t step, Drawn& drawn) const;
    static void prefetch(const PairLane& lane, const Visit& visit);

    PairSampling options_;
    std::uint64_t seed_;
    std::uint64_t steps_;
    std::vector<PairLane> pair_lanes_;
    std::vector<Lane> lanes_;  ///< lanes of pair_lanes_ as indices
    std::optional<CouplingStage> stage_;
};

}  // namespace popflow::train
