// SPDX-License-Identifier: MIT
#include "train/trainer.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>

#include "core/error.hpp"
#include "core/random.hpp"
#include "linalg/row_blocks.hpp"
#include "mpi/partition.hpp"

namespace popflow::train {

namespace {

const models::GradientTraining& require_gradients(const models::Model& model) {
    if (const models::GradientTraining* training = model.gradient_training()) return *training;
    throw core::Error("trainer: the model does not train by gradients");
}

linalg::AlignedVector<float> initial_values(const models::GradientTraining& model,
                                            const TrainOptions& options) {
    linalg::AlignedVector<float> values = model.initial_values(options.seed);
    if (options.start_at_identity) model.start_at_identity(values);
    return values;
}

}  // namespace

double learning_rate(const TrainOptions& options, std::uint64_t step) {
    const auto s = static_cast<double>(step);
    const auto warmup = static_cast<double>(options.warmup_steps);
    if (step < options.warmup_steps) return options.rate * (s + 1) / warmup;
    if (options.schedule == Schedule::constant) return options.rate;
    const double rest = std::max(1.0, static_cast<double>(options.steps) - warmup);
    const double progress = std::min(1.0, (s - warmup) / rest);
    return options.rate * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

StepSummary::StepSummary(std::size_t slots, std::size_t blocks) : losses(slots), squares(blocks) {}

void StepSummary::clear() {
    std::ranges::fill(losses, 0.0);
    not_finite = save = stop = false;
    cells = 0;
    std::ranges::fill(squares, 0.0);
}

void StepSummary::pack(std::span<double> message) const {
    core::check_shape("step_summary", message.size(), 1, packed_size(), 1);
    const auto to = std::ranges::copy(losses, message.begin()).out;
    to[0] = not_finite ? 1 : 0;
    to[1] = save ? 1 : 0;
    to[2] = stop ? 1 : 0;
    to[3] = static_cast<double>(cells);
    std::ranges::copy(squares, to + 4);
}

void StepSummary::unpack(std::span<const double> message) {
    core::check_shape("step_summary", message.size(), 1, packed_size(), 1);
    const auto from = message.begin() + std::ssize(losses);
    std::copy(message.begin(), from, losses.begin());
    not_finite = from[0] > 0;
    save = from[1] > 0;
    stop = from[2] > 0;
    cells = static_cast<std::uint64_t>(from[3]);
    std::copy(from + 4, message.end(), squares.begin());
}

bool should_serialise_slots(std::size_t slots, std::size_t threads, std::size_t cells) {
    if (slots == 1 || threads <= slots) return slots == 1;
    const std::size_t blocks = linalg::count_row_blocks(cells);
    const std::size_t rounds = slots * ((blocks + threads - 1) / threads);
    return 10 * rounds < 9 * blocks;
}

Trainer::Trainer(const models::Model& model, const TrainOptions& options, Sampler& sampler,
                 const mpi::Communicator& communicator)
    : model_(require_gradients(model)),
      options_(options),
      sampler_(sampler),
      lanes_(sampler.lanes()),
      orders_(lanes_.size()),
      communicator_(communicator),
      values_(initial_values(model_, options)),
      bounds_(mpi::part_bounds(values_.size(), nn::norm_block, communicator.size())),
      phase_bounds_(bounds_),
      adam_(nn::AdamState::start(values_)),
      work_(std::clamp(lanes_.size(), std::size_t{1}, static_cast<std::size_t>(omp_get_max_threads()))),
      sum_(values_.size(), model_.gradient_unit()),
      gradient_(values_.size()),
      summary_(options.batch_pairs, (values_.size() + nn::norm_block - 1) / nn::norm_block),
      message_(summary_.packed_size()) {
    for (SlotWork& work : work_) {
        work.scratch = scratch_.emplace_back(model_.make_scratch()).get();
        work.input = sampler.make_input();
    }
    if (model_.memory_size() == 0) return;
    std::int64_t items[] = {0};
    for (const Lane& lane : lanes_) items[0] += std::ssize(lane.items);
    communicator_.sum(std::span<std::int64_t>(items));
    memory_ = linalg::Matrix<float>(static_cast<std::size_t>(items[0]), model_.memory_size());
}

linalg::Matrix<float> Trainer::memory() const {
    if (memory_.size() == 0) return {};
    // Each row is non-zero only on the rank of its pair, so the sum is exact.
    std::vector<double> rows(memory_.values().begin(), memory_.values().end());
    communicator_.sum(std::span<double>(rows));
    linalg::Matrix<float> all(memory_.rows(), memory_.cols());
    for (std::size_t i = 0; i < rows.size(); ++i) all.values()[i] = static_cast<float>(rows[i]);
    return all;
}

void Trainer::restore(linalg::AlignedVector<float> values, nn::AdamState adam,
                      const linalg::Matrix<float>& memory) {
    core::check_shape("trainer.restore", values.size(), adam.first.size(), values_.size(), values_.size());
    core::check_shape("trainer.restore.memory", memory.rows(), memory.cols(), memory_.rows(), memory_.cols());
    if (memory_.size() > 0) {
        for (const Lane& lane : lanes_) {
            for (const std::size_t item : lane.items)
                std::ranges::copy(memory.view().row_span(item), memory_.view().row(item));
        }
    }
    values_ = std::move(values);
    adam_ = std::move(adam);
}

// Returns the visit of a lane in the current step, and the item of the next step if its epoch is the same.
Visit Trainer::visit(std::size_t lane_index) {
    const Lane& lane = lanes_[lane_index];
    LaneOrder& order = orders_[lane_index];
    const std::size_t n = lane.items.size();
    if (order.epoch != adam_.step / n) {
        order.epoch = adam_.step / n;
        core::Stream(options_.seed, core::Purpose::pair_order, lane.slot, order.epoch)
            .sample(n, n, order.items);
    }
    Visit visit{.lane = lane_index, .item = order.items[adam_.step % n], .step = adam_.step};
    if ((adam_.step + 1) % n != 0) visit.next = order.items[(adam_.step + 1) % n];
    return visit;
}

// Adds the draws of all slots to the batch stage. They are drawn again when their gradient is computed, so
// that one set of buffers is enough.
void Trainer::run_batch_stage() {
    BatchStage* stage = sampler_.batch_stage();
    if (stage == nullptr) return;
    models::SlotInput& input = *work_[0].input;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        Visit first = visit(i);
        first.is_last = false;
        sampler_.draw(first, input);
        stage->add(lanes_[i].slot, input);
    }
    stage->run();
}

void Trainer::compute_slot(std::size_t lane_index, const nn::GradientSink* gradient_sink, SlotWork& work) {
    work.finite = false;
    try {
        const Visit now = visit(lane_index);
        sampler_.draw(now, *work.input);
        if (const BatchStage* stage = sampler_.batch_stage())
            stage->apply(lanes_[lane_index].slot, *work.input);
        work.gradient.assign(values_.size(), 0.0F);  // first touch: allocates in this thread's NUMA domain
        work.loss = model_.slot_gradient({.values = values_,
                                          .phase = phase_,
                                          .memory = item_memory(lanes_[lane_index].items[now.item]),
                                          .gradient_sink = gradient_sink},
                                         *work.input, *work.scratch, work.gradient);
        work.finite = std::isfinite(work.loss);
    } catch (const core::NumericalError&) {
        // `finite` stays false. StepSummary passes this to all ranks, so that no rank blocks in a collective.
    } catch (...) {
        // For example std::bad_alloc. An exception must not leave a parallel region.
        work.error = std::current_exception();
    }
}

// Returns the state of an item. Each item belongs to one lane, so no two threads access the same row.
std::span<float> Trainer::item_memory(std::size_t item) {
    return memory_.size() == 0 ? std::span<float>() : memory_.view().row_span(item);
}

// Computes the slots of this rank, one slot per thread at a time or one slot with all threads. The result is
// bitwise identical.
void Trainer::compute_lanes() {
    const auto threads = static_cast<std::size_t>(omp_get_max_threads());
    for (std::size_t first = 0; first < lanes_.size();) {
        std::size_t count = std::min(work_.size(), lanes_.size() - first);
        if (should_serialise_slots(count, threads, sampler_.max_cells())) count = 1;
        const bool is_overlapped = count == 1 && first + 1 == lanes_.size() && communicator_.size() > 1;
        if (is_overlapped) {
            compute_last_lane(first, work_[0]);
        } else if (count == 1) {
            compute_slot(first, nullptr, work_[0]);
        } else {
#pragma omp parallel for schedule(static, 1)
            for (std::size_t i = 0; i < count; ++i) compute_slot(first + i, nullptr, work_[i]);
        }
        for (std::size_t i = 0; i < count; ++i) {
            if (work_[i].error) std::rethrow_exception(work_[i].error);
            summary_.cells += work_[i].input->n_cells;
            const Lane& lane = lanes_[first + i];
            summary_.losses[lane.slot] =
                work_[i].finite ? static_cast<double>(lane.weight) * work_[i].loss : 0;
            if (!is_overlapped && work_[i].finite)
                work_[i].finite = sum_.add(phase_part(work_[i].gradient), lane.weight);
            if (!work_[i].finite) summary_.not_finite = true;
        }
        first += count;
    }
}

// Computes the last slot and overlaps it with the reduction: parts of the gradient that are final go to the
// ranks that own them during the backward pass.
void Trainer::compute_last_lane(std::size_t lane_index, SlotWork& work) {
    sum_.start_reduce(communicator_, phase_bounds_);
    bool inside = true;
    const auto add_from = [&](std::size_t first) {
        const std::size_t first_in_phase = std::max(first, phase_.first) - phase_.first;
        inside = sum_.add_final_range(phase_part(work.gradient), first_in_phase, lanes_[lane_index].weight) &&
                 inside;
    };
    const nn::GradientSink gradient_sink = std::ref(add_from);
    compute_slot(lane_index, &gradient_sink, work);
    if (work.finite) add_from(0);
    work.finite = work.finite && inside;
}

std::span<float> Trainer::phase_part(std::span<float> buffer) const {
    return buffer.subspan(phase_.first, phase_.count);
}

void Trainer::skip_step() {
    const std::string problem = "the loss is not finite at step " + std::to_string(adam_.step);
    if (options_.on_nan == OnNan::stop) throw core::NumericalError("training", problem);
    if (++skipped_ > max_skipped_in_a_row) {
        throw core::NumericalError(
            "training", fmt::format("{} and in the {} steps before it", problem, max_skipped_in_a_row));
    }
    ++adam_.step;
}

StepReport Trainer::step(const StepRequest& request) {
    phase_ = model_.phase(adam_.step);
    for (std::size_t r = 0; r < bounds_.size(); ++r) {
        phase_bounds_[r] = std::clamp(bounds_[r], phase_.first, phase_.first + phase_.count) - phase_.first;
    }
    sum_.clear(phase_.count);
    summary_.clear();
    summary_.save = request.save;
    summary_.stop = request.stop;
    model_.begin_step(values_, scratch_);
    run_batch_stage();
    compute_lanes();
    StepReport report;
    update(report);
    return report;
}

void Trainer::update(StepReport& report) {
    const auto rank = static_cast<std::size_t>(communicator_.rank());
    nn::UpdatePhase own = phase_;
    own.first = phase_.first + phase_bounds_[rank];
    own.count = phase_bounds_[rank + 1] - phase_bounds_[rank];
    sum_.reduce(communicator_, phase_bounds_, 1.0 / static_cast<double>(options_.batch_pairs),
                std::span(gradient_).subspan(own.first, own.count));
    nn::block_squares(gradient_, own.first, own.first + own.count, summary_.squares);
    summary_.pack(message_);
    communicator_.sum(std::span<double>(message_));
    summary_.unpack(message_);
    report.save = summary_.save;
    report.stop = summary_.stop;
    report.rate = learning_rate(options_, adam_.step);
    if (summary_.not_finite) {
        skip_step();
        report.skipped = true;
        return;
    }
    skipped_ = 0;
    for (std::size_t b = 0; b < options_.batch_pairs; ++b) report.loss += summary_.losses[b];
    report.loss /= static_cast<double>(options_.batch_pairs);
    report.cells = summary_.cells;
    report.gradient_norm = std::sqrt(std::accumulate(summary_.squares.begin(), summary_.squares.end(), 0.0));
    const bool clipped = options_.clip_norm > 0 && report.gradient_norm > options_.clip_norm;
    const double scale = clipped ? options_.clip_norm / report.gradient_norm : 1.0;
    nn::adam_step(options_.adam, report.rate, static_cast<float>(scale), own, gradient_, values_, adam_);
    communicator_.all_gather(phase_part(values_), phase_bounds_);
    model_.project(phase_, values_);
    model_.project(phase_, adam_.average);
}

nn::AdamState Trainer::adam() const {
    nn::AdamState whole = adam_;
    for (auto* part : {&whole.first, &whole.second, &whole.average}) {
        communicator_.all_gather(std::span<float>(*part), bounds_);
    }
    return whole;
}

}  // namespace popflow::train
