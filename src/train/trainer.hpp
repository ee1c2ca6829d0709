// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
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

/// Start of the flow: control cells or Gaussian noise.
enum class Base { source, gaussian };
/// How the cells of a slot are drawn and paired.
enum class Coupling {
    random,   ///< independent draws from both populations, paired at random
    ot,       ///< independent draws from both populations, paired by exact optimal transport
    rows,     ///< same rows of both populations in the order of the file, row i paired with row i
    rows_ot,  ///< same rows of both populations, paired by exact optimal transport
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
/// Learning rate after the warm-up.
enum class Schedule { constant, cosine };
/// How a step with a loss or a gradient that is not finite is handled.
enum class OnNan {
    stop,  ///< throws
    skip,  ///< leaves weights and moments unchanged, and counts the step so that the next draws other cells
};

/// Options of training. Each of them changes the result.
struct TrainOptions {
    std::uint64_t steps = 5000;
    std::size_t batch_pairs = 4;  ///< number of slots of a step, each of which draws one pair
    /// Number of cells that a slot draws without replacement from each population. A smaller population
    /// reduces it.
    std::size_t cells = 1024;
    std::uint64_t seed = 1;
    Base base = Base::source;
    Coupling coupling = Coupling::random;
    CouplingScope coupling_scope = CouplingScope::pair;
    Augmentation augmentation{};
    /// Fraction of the steps that use augmentation. The steps after it do not.
    double augment_until = 1;
    /// Returns the augmentation of a step, which is none after the fraction `augment_until`.
    Augmentation augmentation_at(std::uint64_t step) const;
    /// Whether the model works on normalised values, see screen::Normalisation. If false, it works on the
    /// transformed values.
    bool normalise = true;
    double rate = 1e-3;  ///< learning rate after the warm-up
    Schedule schedule = Schedule::cosine;
    std::uint64_t warmup_steps = 100;
    double clip_norm = 1;  ///< maximum norm of the gradient, 0 for no clipping
    nn::AdamOptions adam{};
    OnNan on_nan = OnNan::stop;
};

/// Maximum number of consecutive steps that OnNan::skip skips. The next such step throws.
inline constexpr std::uint64_t max_skipped_in_a_row = 20;

/// Returns the learning rate of update `step` (0, 1, ...): a linear warm-up, then a constant or a half cosine
/// that ends at 0.
double learning_rate(const TrainOptions& options, std::uint64_t step);

/// Returns whether to compute slots one after another, each with all threads, instead of one slot per thread.
///
/// Serial slots spread their blocks of rows over the threads, which helps only with more threads than slots.
/// The blocks must take less than nine tenths of the time that they take with one slot per thread, since a
/// slot also has work outside its blocks. A single slot always uses all threads.
bool should_serialise_slots(std::size_t slots, std::size_t threads, std::size_t cells);

/// Training pair on the rank that owns it. Its cells are normalised.
struct TrainingPair {
    std::size_t index = 0;  ///< index among the training pairs of all ranks
    screen::CellsView control;
    screen::CellsView treated;
    std::vector<float> condition;  ///< treatment vector
};

/// Returns the weight of a lane's slots in loss and gradient: the number of its pairs divided by the mean
/// number over all lanes.
///
/// Lanes differ by up to one pair, and a slot visits each pair of a longer lane less often. The weight
/// compensates for this, so that all pairs count equally.
float lane_weight(std::size_t pairs_of_lane, std::size_t lanes, std::size_t pairs);

/// Pairs that one slot of every batch draws from. An epoch of a lane visits each of its pairs once.
struct Lane {
    std::size_t slot = 0;
    float weight = 1;  ///< see lane_weight()
    std::vector<TrainingPair> pairs;
};

/// Result of one step, equal on all ranks.
struct StepReport {
    double loss = 0;           ///< mean over the slots, weighted by lane_weight()
    double gradient_norm = 0;  ///< norm before clipping
    double rate = 0;           ///< learning rate
    std::uint64_t cells = 0;   ///< number of control cells of all slots
    bool stop = false;         ///< whether any rank requested to stop
    bool save = false;         ///< whether any rank requested a checkpoint
    bool skipped = false;      ///< whether the update was skipped, in which case loss and norm are 0
};

/// Requests of one rank that apply to all ranks.
struct StepRequest {
    bool stop = false;
    bool save = false;  ///< requests a checkpoint
};

/// Values of one step that the ranks sum with a single all-reduce.
///
/// Before the all-reduce it holds the values of one rank, afterwards those of all ranks.
struct StepSummary {
    /// @param slots  number of slots of a step on all ranks
    /// @param blocks  number of blocks of the gradient, see nn::block_squares()
    StepSummary(std::size_t slots, std::size_t blocks);

    /// Sets all values to zero and all flags to false.
    void clear();
    /// Number of packed values.
    std::size_t packed_size() const { return losses.size() + 4 + squares.size(); }
    /// Overwrites `message` with [losses | not_finite, save, stop, cells | squares]. Flags become 0 or 1.
    /// Shape: message [packed_size()].
    void pack(std::span<double> message) const;
    /// Reads all values from a packed message, or from a sum of packed messages. A flag is true if it is true
    /// in any of them. Shape: message [packed_size()].
    void unpack(std::span<const double> message);

    std::vector<double> losses;  ///< weighted loss of each slot, 0 on ranks that do not own the slot
    bool not_finite = false;     ///< whether a loss or a gradient is not finite or out of range
    bool save = false;           ///< whether a checkpoint is requested
    bool stop = false;           ///< whether a stop is requested
    std::uint64_t cells = 0;     ///< number of control cells of the slots
    /// Sum of squares of each block of the gradient, 0 on ranks that do not own the block.
    std::vector<double> squares;
};

/// Distributed training of a model.
///
/// A step computes a batch of slots, which are partitioned among the ranks. Slot b visits the pairs of lane b
/// in random order, epoch after epoch. Each rank owns a part of the weights with its Adam moments. It sums
/// the gradient of this part over all ranks, updates the part and sends it to the other ranks.
///
/// Training is deterministic: the weights are bitwise identical on any number of ranks and threads. The
/// random streams of a slot are keyed by (seed, step, slot), and the sums of slot gradients are exact.
class Trainer {
  public:
    /// Initialises weights and optimiser state. Collective.
    /// @param model  must outlive the trainer
    /// @param lanes  lanes of this rank. All ranks together have options.batch_pairs non-empty lanes.
    Trainer(const models::Model& model, const TrainOptions& options, std::vector<Lane> lanes,
            const mpi::Communicator& communicator);

    /// Computes one batch and updates the weights. Collective.
    /// @param request  requests of this rank. All ranks see them in the report.
    /// @throws core::NumericalError on all ranks if a loss or a gradient of any rank is not finite, with
    ///         OnNan::stop or after max_skipped_in_a_row skipped steps. The weights do not change.
    StepReport step(const StepRequest& request);

    /// Number of steps done, skipped ones included.
    std::uint64_t steps_done() const { return adam_.step; }
    /// Weights after the last step, equal on all ranks.
    const linalg::AlignedVector<float>& values() const { return values_; }
    /// Returns the complete optimiser state, assembled from the parts of the ranks. Collective.
    nn::AdamState adam() const;
    /// Returns the state that the model keeps for each pair, [training pairs, model.memory_size()], from all
    /// ranks. A row of zeros is the sentinel for a pair that has no state yet. Empty if memory_size() is 0.
    /// Collective.
    linalg::Matrix<float> memory() const;
    /// Restores the state of a checkpoint, so that training resumes from it.
    /// @throws core::ShapeMismatch if the state belongs to another model or another number of pairs
    void restore(linalg::AlignedVector<float> values, nn::AdamState adam,
                 const linalg::Matrix<float>& memory);

  private:
    // Buffers and results of one thread that computes a slot.
    struct SlotWork {
        models::Model::Scratch* scratch = nullptr;  ///< element of scratch_
        linalg::AlignedVector<float> gradient;
        linalg::Matrix<float> source;      ///< control cells, the input of the encoder
        linalg::Matrix<float> noise;       ///< base cells if the base is Gaussian
        linalg::Matrix<float> target;      ///< treated cells
        linalg::Matrix<float> ordered;     ///< buffer for the treated cells in the order of a coupling
        std::vector<std::uint32_t> drawn;  ///< drawn rows of a population
        std::vector<std::uint8_t> source_type;
        std::vector<float> t;
        double loss = 0;
        bool finite = false;       ///< whether loss and gradient are finite
        std::exception_ptr error;  ///< exception that ended the slot, except for a NumericalError
    };

    void update(StepReport& report);
    void compute_lanes();
    void compute_last_lane(std::size_t lane_index, SlotWork& work);
    void compute_slot(std::size_t lane_index, SlotWork& work);
    void skip_step();
    std::span<float> pair_memory(const TrainingPair& pair);
    std::span<float> phase_part(std::span<float> buffer) const;
    void draw_slot(const Lane& lane, const TrainingPair& pair, SlotWork& work) const;
    void couple_batch();
    void couple(std::size_t slot, SlotWork& work) const;
    const linalg::Matrix<float>& base_cells(const SlotWork& work) const;
    void prefetch_next_step(std::size_t lane_index) const;
    const TrainingPair& current_pair(std::size_t lane_index);

    const models::Model& model_;
    TrainOptions options_;
    // Order in which a lane visits its pairs in one epoch.
    struct LaneOrder {
        std::uint64_t epoch = ~std::uint64_t{0};  ///< sentinel: no order drawn yet
        std::vector<std::uint32_t> pairs;
    };

    std::vector<Lane> lanes_;
    std::vector<LaneOrder> orders_;  ///< order of each lane in its current epoch
    mpi::Communicator communicator_;
    linalg::AlignedVector<float> values_;
    std::vector<std::size_t> bounds_;        ///< bounds of each rank's part of all weights
    std::vector<std::size_t> phase_bounds_;  ///< bounds of each rank's part within the weights of phase_
    nn::AdamState adam_;                     ///< updated in this rank's part, initial values elsewhere
    std::vector<SlotWork> work_;             ///< one element for each slot that is computed at a time
    std::vector<std::unique_ptr<models::Model::Scratch>> scratch_;
    std::optional<BatchCoupling> batch_coupling_;
    mpi::ExactSum sum_;
    linalg::AlignedVector<float> gradient_;  ///< summed over all slots, valid in this rank's part
    linalg::Matrix<float> memory_;           ///< rows of pairs of other ranks are zero
    nn::UpdatePhase phase_;                  ///< parameters that the current step updates
    std::uint64_t skipped_ = 0;              ///< number of consecutive skipped steps
    StepSummary summary_;
    std::vector<double> message_;  ///< packed summary_, the buffer of the all-reduce
};

}  // namespace popflow::train
