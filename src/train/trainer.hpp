// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/model.hpp"
#include "mpi/communicator.hpp"
#include "mpi/exact_sum.hpp"
#include "nn/adam.hpp"
#include "train/sampler.hpp"

namespace popflow::train {

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
    std::size_t batch_pairs = 4;  ///< number of slots of a step, each of which draws one item
    std::uint64_t seed = 1;
    double rate = 1e-3;  ///< learning rate after the warm-up
    Schedule schedule = Schedule::cosine;
    std::uint64_t warmup_steps = 100;
    double clip_norm = 1;  ///< maximum norm of the gradient, 0 for no clipping
    nn::AdamOptions adam{};
    bool start_at_identity = false;  ///< see models::GradientTraining::start_at_identity()
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
/// A step computes a batch of slots, which are partitioned among the ranks. Slot b visits the items of lane b
/// in random order, epoch after epoch. The sampler draws the input of a slot, the model computes its
/// gradient. Each rank owns a part of the weights with its Adam moments. It sums the gradient of this part
/// over all ranks, updates the part and sends it to the other ranks.
///
/// Training is deterministic: the weights are bitwise identical on any number of ranks and threads. The
/// random streams of a slot are keyed by (seed, step, slot), and the sums of slot gradients are exact.
class Trainer {
  public:
    /// Initialises weights and optimiser state. Collective.
    /// @param model  must outlive the trainer
    /// @param sampler  must outlive the trainer. The samplers of all ranks have options.batch_pairs lanes.
    /// @throws core::Error if the model does not train by gradients
    Trainer(const models::Model& model, const TrainOptions& options, Sampler& sampler,
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
    /// Returns the state that the model keeps for each item, [items, memory_size()], from all ranks. A row of
    /// zeros is the sentinel for an item that has no state yet. Empty if memory_size() is 0.
    /// Collective.
    linalg::Matrix<float> memory() const;
    /// Restores the state of a checkpoint, so that training resumes from it.
    /// @throws core::ShapeMismatch if the state belongs to another model or another number of items
    void restore(linalg::AlignedVector<float> values, nn::AdamState adam,
                 const linalg::Matrix<float>& memory);

  private:
    // Buffers and results of one thread that computes a slot.
    struct SlotWork {
        models::GradientTraining::Scratch* scratch = nullptr;  ///< element of scratch_
        linalg::AlignedVector<float> gradient;
        std::unique_ptr<models::SlotInput> input;
        double loss = 0;
        bool finite = false;       ///< whether loss and gradient are finite
        std::exception_ptr error;  ///< exception that ended the slot, except for a NumericalError
    };

    void update(StepReport& report);
    void compute_lanes();
    void compute_last_lane(std::size_t lane_index, SlotWork& work);
    void compute_slot(std::size_t lane_index, const nn::GradientSink* gradient_sink, SlotWork& work);
    void skip_step();
    std::span<float> item_memory(std::size_t item);
    std::span<float> phase_part(std::span<float> buffer) const;
    void run_batch_stage();
    Visit visit(std::size_t lane_index);

    const models::GradientTraining& model_;
    TrainOptions options_;
    // Order in which a lane visits its items in one epoch.
    struct LaneOrder {
        std::uint64_t epoch = ~std::uint64_t{0};  ///< sentinel: no order drawn yet
        std::vector<std::uint32_t> items;
    };

    Sampler& sampler_;
    const std::vector<Lane>& lanes_;  ///< lanes of the sampler
    std::vector<LaneOrder> orders_;   ///< order of each lane in its current epoch
    mpi::Communicator communicator_;
    linalg::AlignedVector<float> values_;
    std::vector<std::size_t> bounds_;        ///< bounds of each rank's part of all weights
    std::vector<std::size_t> phase_bounds_;  ///< bounds of each rank's part within the weights of phase_
    nn::AdamState adam_;                     ///< updated in this rank's part, initial values elsewhere
    std::vector<SlotWork> work_;             ///< one element for each slot that is computed at a time
    std::vector<std::unique_ptr<models::GradientTraining::Scratch>> scratch_;
    mpi::ExactSum sum_;
    linalg::AlignedVector<float> gradient_;  ///< summed over all slots, valid in this rank's part
    linalg::Matrix<float> memory_;           ///< rows of items of other ranks are zero
    nn::UpdatePhase phase_;                  ///< parameters that the current step updates
    std::uint64_t skipped_ = 0;              ///< number of consecutive skipped steps
    StepSummary summary_;
    std::vector<double> message_;  ///< packed summary_, the buffer of the all-reduce
};

}  // namespace popflow::train
