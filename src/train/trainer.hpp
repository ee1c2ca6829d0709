// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/model.hpp"
#include "mpi/communicator.hpp"
#include "mpi/exact_sum.hpp"
#include "nn/adam.hpp"
#include "screen/population.hpp"
#include "train/augmentation.hpp"
#include "train/batch_coupling.hpp"

namespace popflow::train {

enum class Base { source, gaussian };
/// How the cells of a slot are drawn and paired.
enum class Coupling {
    random,
    ot,       ///< drawn from each population on its own, paired by exact optimal transport
    rows,     ///< cell i of the control with cell i of the treated population, in the order of the file
    rows_ot,  ///< the same cells, paired by exact optimal transport
};
/// The same rows are drawn from both populations of a pair, which are of one size.
constexpr bool draws_rows(Coupling coupling) {
    return coupling == Coupling::rows || coupling == Coupling::rows_ot;
}
constexpr bool by_transport(Coupling coupling) {
    return coupling == Coupling::ot || coupling == Coupling::rows_ot;
}
/// Which cells exact transport pairs with each other.
enum class CouplingScope {
    pair,       ///< those that a slot draws from its pair of populations
    condition,  ///< those of all slots of the batch that have the same condition, see BatchCoupling
};
enum class Schedule { constant, cosine };
/// What becomes of a step whose loss or gradient is not finite: skip leaves weights and moments as they are
/// and counts the step, so that the next one draws other cells.
enum class OnNan { stop, skip };

/// How a model is trained. Everything here changes the result.
struct TrainOptions {
    std::uint64_t steps = 5000;
    std::size_t batch_pairs = 4;  ///< slots of a step; each draws one pair
    std::size_t cells = 1024;     ///< cells of a slot, without replacement; fewer if a population is smaller
    std::uint64_t seed = 1;
    Base base = Base::source;
    Coupling coupling = Coupling::random;
    CouplingScope coupling_scope = CouplingScope::pair;
    Augmentation augmentation{};
    /// Share of the steps that augment; those after it see the pairs as they are.
    double augment_until = 1;
    Augmentation augmentation_at(std::uint64_t step) const;
    bool normalise =
        true;  ///< see screen::Normalisation; otherwise the model works on the transformed values
    double rate = 1e-3;
    Schedule schedule = Schedule::cosine;
    std::uint64_t warmup_steps = 100;
    double clip_norm = 1;  ///< 0: none
    nn::AdamOptions adam{};
    OnNan on_nan = OnNan::stop;
};

/// Steps in a row that OnNan::skip passes over before it stops.
inline constexpr std::uint64_t max_skipped_in_a_row = 20;

/// Learning rate of update `step` (0, 1, ...): linear warm-up, then constant, or a half cosine that ends at
/// 0.
double learning_rate(const TrainOptions& options, std::uint64_t step);

/// Whether slots are computed one by one by all threads, each block of rows by one of them, or at a time by
/// one thread each: the former if there are threads to spare and it saves a tenth, since not all of a slot is
/// blocks of rows.
bool should_serialise_slots(std::size_t slots, std::size_t threads, std::size_t cells);

/// One training pair on the rank that owns it; cells are normalised.
struct TrainingPair {
    std::size_t index = 0;  ///< among all training pairs
    screen::CellsView control;
    screen::CellsView treated;
    std::vector<float> condition;
};

/// What the loss and the gradient of a slot count: the pairs of its lane over the mean of all lanes. A lane
/// may have one pair more than another, each of which then comes less often; so every pair counts the same.
float lane_weight(std::size_t pairs_of_lane, std::size_t lanes, std::size_t pairs);

/// The pairs that one slot of every batch draws from, each once in as many steps as there are.
struct Lane {
    std::size_t slot = 0;
    float weight = 1;  ///< see lane_weight()
    std::vector<TrainingPair> pairs;
};

/// What one step did; the same on every rank.
struct StepReport {
    double loss = 0;           ///< mean over the slots, each with the weight of its lane
    double gradient_norm = 0;  ///< before clipping
    double rate = 0;
    std::uint64_t cells = 0;  ///< control cells of all slots
    bool stop = false;        ///< some rank was asked to stop
    bool save = false;        ///< some rank finds it time for a checkpoint
    bool skipped = false;     ///< nothing was updated; loss and gradient_norm are 0
};

/// What a rank wants of all.
struct StepRequest {
    bool stop = false;
    bool save = false;
};

/// Distributed training of a model.
///
/// A step is a list of slots, dealt to the ranks; slot b visits the pairs of lane b in a random order, epoch
/// after epoch. Whatever a slot draws comes from streams keyed by (seed, step, slot) and slot gradients are
/// summed exactly: the weights have the same bits on any number of ranks and threads. Each rank sums, keeps
/// the moments of and updates its own part of the weights, and gives it to the others.
class Trainer {
  public:
    /// @param lanes  this rank's; together the ranks hold options.batch_pairs of them, none of them empty
    Trainer(const models::Model& model, const TrainOptions& options, std::vector<Lane> lanes,
            const mpi::Communicator& communicator);

    /// One update. Collective.
    /// @param request  of this rank; seen by all in the report
    /// @throws core::NumericalError on all ranks if a loss or gradient of any is not finite and such a step
    /// is not to be skipped, or too many were; weights are unchanged
    StepReport step(const StepRequest& request);

    std::uint64_t steps_done() const { return adam_.step; }
    const linalg::AlignedVector<float>& values() const { return values_; }
    /// Put together from the parts that the ranks have. Collective.
    nn::AdamState adam() const;
    /// What the model keeps of each pair, [training pairs, model.memory_size()]; empty if it keeps nothing.
    /// Collective.
    linalg::Matrix<float> memory() const;
    /// Goes on from a saved state.
    void restore(linalg::AlignedVector<float> values, nn::AdamState adam,
                 const linalg::Matrix<float>& memory);

  private:
    // What a thread needs to compute one slot.
    struct SlotWork {
        models::Model::Scratch* scratch = nullptr;  ///< of scratch_
        linalg::AlignedVector<float> gradient;
        linalg::Matrix<float> source;  ///< cells of the control, the encoder's input
        linalg::Matrix<float> noise;   ///< the base, if Gaussian
        linalg::Matrix<float> target;
        linalg::Matrix<float> ordered;     ///< the target in the order of a coupling
        std::vector<std::uint32_t> drawn;  ///< rows of a population
        std::vector<std::uint8_t> source_type;
        std::vector<float> t;
        double loss = 0;
        bool finite = false;
        std::exception_ptr error;  ///< that the slot ended with, other than by a loss that is not finite
    };

    /// What the ranks tell each other in a step, after the losses of the slots and before the squares of the
    /// blocks of the gradient.
    enum class Shared : std::uint8_t { not_finite, save, stop, cells };
    static constexpr std::size_t shared_values = 4;
    double& told(Shared what) { return shared_[options_.batch_pairs + static_cast<std::size_t>(what)]; }

    void update(StepReport& report);
    void compute_lanes();
    void compute_last(std::size_t lane_index, SlotWork& work);
    void compute_slot(std::size_t lane_index, SlotWork& work);
    void skip_step();
    std::span<float> memory_of(const TrainingPair& pair);
    std::span<float> turn_part(std::span<float> buffer) const;
    void draw_slot(const Lane& lane, const TrainingPair& pair, SlotWork& work) const;
    void couple_batch();
    void couple(std::size_t slot, SlotWork& work) const;
    const linalg::Matrix<float>& base_of(const SlotWork& work) const;
    void prefetch_next_step(std::size_t lane_index) const;
    const TrainingPair& pair_of_step(std::size_t lane_index);

    const models::Model& model_;
    TrainOptions options_;
    // The order in which a lane visits its pairs in an epoch.
    struct LaneOrder {
        std::uint64_t epoch = ~std::uint64_t{0};
        std::vector<std::uint32_t> pairs;
    };

    std::vector<Lane> lanes_;
    std::vector<LaneOrder> orders_;  ///< of each lane, the current epoch
    mpi::Communicator communicator_;
    linalg::AlignedVector<float> values_;
    std::vector<std::size_t> bounds_;       ///< of the parts of the weights that the ranks have
    std::vector<std::size_t> turn_bounds_;  ///< of the parts of those whose turn it is
    nn::AdamState adam_;  ///< moments and averages of this rank's part; elsewhere as they started
    std::vector<SlotWork> work_;
    std::vector<std::unique_ptr<models::Model::Scratch>> scratch_;
    std::optional<BatchCoupling> batch_coupling_;
    mpi::ExactSum sum_;
    linalg::AlignedVector<float> gradient_;
    linalg::Matrix<float> memory_;  ///< rows of the pairs of other ranks are zero
    nn::UpdatePhase turn_;          ///< of the current step
    std::uint64_t skipped_ = 0;     ///< steps in a row
    std::vector<double> shared_;    ///< what the ranks tell each other in a step, see Shared
};

}  // namespace popflow::train
