// SPDX-License-Identifier: MIT
#include "train/trainer.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>

#include "core/random.hpp"
#include "linalg/row_blocks.hpp"
#include "mpi/partition.hpp"
#include "ot/coupling.hpp"
#include "screen/cell_store.hpp"

namespace popflow::train {

using core::Purpose;
using core::Stream;

namespace {

void gather_rows(linalg::ConstMatrixView<float> from, std::span<const std::uint32_t> rows,
                 linalg::Matrix<float>& to) {
    to.reshape(rows.size(), from.cols);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::copy_n(from.row(rows[i]), from.cols, to.view().row(i));
    }
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

float lane_weight(std::size_t pairs_of_lane, std::size_t lanes, std::size_t pairs) {
    return static_cast<float>(static_cast<double>(pairs_of_lane * lanes) / static_cast<double>(pairs));
}

bool should_serialise_slots(std::size_t slots, std::size_t threads, std::size_t cells) {
    if (slots == 1 || threads <= slots) return slots == 1;
    const std::size_t blocks = linalg::count_row_blocks(cells);
    const std::size_t rounds = slots * ((blocks + threads - 1) / threads);
    return 10 * rounds < 9 * blocks;
}

Trainer::Trainer(const models::Model& model, const TrainOptions& options, std::vector<Lane> lanes,
                 const mpi::Communicator& communicator)
    : model_(model),
      options_(options),
      lanes_(std::move(lanes)),
      orders_(lanes_.size()),
      communicator_(communicator),
      values_(model.initial_values(options.seed)),
      bounds_(mpi::part_bounds(values_.size(), nn::norm_block, communicator.size())),
      turn_bounds_(bounds_),
      adam_(nn::AdamState::start(values_)),
      work_(std::clamp(lanes_.size(), std::size_t{1}, static_cast<std::size_t>(omp_get_max_threads()))),
      sum_(values_.size(), model.gradient_unit()),
      gradient_(values_.size()),
      shared_(options.batch_pairs + shared_values + (values_.size() + nn::norm_block - 1) / nn::norm_block) {
    for (SlotWork& work : work_) {
        work.scratch = scratch_.emplace_back(model.make_scratch()).get();
    }
    if (by_transport(options.coupling) && options.coupling_scope == CouplingScope::condition) {
        batch_coupling_.emplace(options.batch_pairs, communicator);
    }
    if (model.memory_size() == 0) return;
    std::int64_t pairs[] = {0};
    for (const Lane& lane : lanes_) pairs[0] += std::ssize(lane.pairs);
    communicator_.sum(std::span<std::int64_t>(pairs));
    memory_ = linalg::Matrix<float>(static_cast<std::size_t>(pairs[0]), model.memory_size());
}

linalg::Matrix<float> Trainer::memory() const {
    if (memory_.size() == 0) return {};
    // each row is non-zero on the rank of its pair alone
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
            for (const TrainingPair& pair : lane.pairs) {
                std::ranges::copy(memory.view().row_span(pair.index), memory_.view().row(pair.index));
            }
        }
    }
    values_ = std::move(values);
    adam_ = std::move(adam);
}

const TrainingPair& Trainer::pair_of_step(std::size_t lane_index) {
    const Lane& lane = lanes_[lane_index];
    LaneOrder& order = orders_[lane_index];
    const std::size_t n = lane.pairs.size();
    if (order.epoch != adam_.step / n) {
        order.epoch = adam_.step / n;
        Stream(options_.seed, Purpose::pair_order, lane.slot, order.epoch).sample(n, n, order.pairs);
    }
    return lane.pairs[order.pairs[adam_.step % n]];
}

void Trainer::draw_slot(const Lane& lane, const TrainingPair& pair, SlotWork& work) const {
    const std::uint64_t seed = options_.seed;
    const std::uint64_t step = adam_.step;
    const std::size_t n_control = pair.control.x.rows;
    const std::size_t n_treated = pair.treated.x.rows;
    const std::size_t n = std::min({options_.cells, n_control, n_treated});
    Stream(seed, Purpose::source_cells, step, lane.slot).sample(n_control, n, work.drawn);
    gather_rows(pair.control.x, work.drawn, work.source);
    work.source_type.resize(n);
    for (std::size_t i = 0; i < n; ++i) work.source_type[i] = pair.control.cell_type[work.drawn[i]];
    if (!draws_rows(options_.coupling)) {
        Stream(seed, Purpose::target_cells, step, lane.slot).sample(n_treated, n, work.drawn);
    }
    gather_rows(pair.treated.x, work.drawn, work.target);
    const Augmentation which = options_.augmentation_at(step);
    if (which.any()) {
        augment(which, Stream(seed, Purpose::augment, step, lane.slot), lane, pair,
                draws_rows(options_.coupling), {work.source, work.source_type, work.target});
    }
    work.t.resize(n);
    Stream(seed, Purpose::flow_time, step, lane.slot).fill_uniform(work.t);
    if (options_.base == Base::gaussian) {
        work.noise.reshape(n, work.source.cols());
        Stream(seed, Purpose::base_noise, step, lane.slot).fill_normal(work.noise.values());
    }
}

// Cells on a disk: those of the next step are fetched while this one computes, and those drawn from may go.
void Trainer::prefetch_next_step(std::size_t lane_index) const {
    const Lane& lane = lanes_[lane_index];
    const std::size_t n = lane.pairs.size();
    const std::vector<std::uint32_t>& order = orders_[lane_index].pairs;
    const TrainingPair& now = lane.pairs[order[adam_.step % n]];
    if (!now.control.on_disk) return;
    screen::evict(now.control);
    screen::evict(now.treated);
    if ((adam_.step + 1) % n == 0) return;  // the order of the next epoch is not drawn yet
    const TrainingPair& next = lane.pairs[order[(adam_.step + 1) % n]];
    screen::prefetch(next.control);
    screen::prefetch(next.treated);
}

// The cells of all slots are drawn once for this, and again when their turn comes.
void Trainer::couple_batch() {
    SlotWork& work = work_[0];
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        const TrainingPair& pair = pair_of_step(i);
        draw_slot(lanes_[i], pair, work);
        batch_coupling_->add(lanes_[i].slot, pair.condition, base_of(work).view(), work.target.view());
    }
    batch_coupling_->couple();
}

const linalg::Matrix<float>& Trainer::base_of(const SlotWork& work) const {
    return options_.base == Base::gaussian ? work.noise : work.source;
}

// Gives the target the rows whose partners under exact optimal transport are those of the base.
void Trainer::couple(std::size_t slot, SlotWork& work) const {
    if (batch_coupling_) {
        const linalg::ConstMatrixView<float> target = batch_coupling_->target(slot);
        if (target.empty()) throw core::NumericalError("coupling", "a cell is not finite");
        std::copy_n(target.data, target.rows * target.cols, work.target.data());
        return;
    }
    const auto partner = ot::optimal_partners(base_of(work).view(), work.target.view());
    gather_rows(work.target, partner, work.ordered);
    std::swap(work.target, work.ordered);
}

void Trainer::compute_slot(std::size_t lane_index, SlotWork& work) {
    work.finite = false;
    try {
        const TrainingPair& pair = pair_of_step(lane_index);
        draw_slot(lanes_[lane_index], pair, work);
        prefetch_next_step(lane_index);
        if (by_transport(options_.coupling)) couple(lanes_[lane_index].slot, work);
        const models::TrainingSlot<float> slot{.x0 = base_of(work).view(),
                                               .x1 = work.target.view(),
                                               .t = work.t,
                                               .control = work.source.view(),
                                               .control_type = work.source_type,
                                               .condition = pair.condition,
                                               .pair = pair.index,
                                               .embedding = {},
                                               .memory = memory_of(pair)};
        work.gradient.assign(values_.size(), 0.0F);  // the first time in memory near this thread
        work.loss = model_.slot_gradient(values_, slot, turn_, *work.scratch, work.gradient);
        work.finite = std::isfinite(work.loss);
    } catch (const core::NumericalError&) {
        // told to all ranks by the flag, so that none waits in a collective
    } catch (...) {
        work.error = std::current_exception();  // must not leave a parallel region, as when memory runs out
    }
}

// A pair is in one lane, so that no two threads share a row.
std::span<float> Trainer::memory_of(const TrainingPair& pair) {
    return memory_.size() == 0 ? std::span<float>() : memory_.view().row_span(pair.index);
}

// As many slots at a time as there are threads, or one by all of them: the bits are the same.
void Trainer::compute_lanes() {
    const auto threads = static_cast<std::size_t>(omp_get_max_threads());
    for (std::size_t first = 0; first < lanes_.size();) {
        std::size_t count = std::min(work_.size(), lanes_.size() - first);
        if (should_serialise_slots(count, threads, options_.cells)) count = 1;
        const bool last_alone = count == 1 && first + 1 == lanes_.size() && communicator_.size() > 1;
        if (last_alone) {
            compute_last(first, work_[0]);
        } else if (count == 1) {
            compute_slot(first, work_[0]);
        } else {
#pragma omp parallel for schedule(static, 1)
            for (std::size_t i = 0; i < count; ++i) compute_slot(first + i, work_[i]);
        }
        for (std::size_t i = 0; i < count; ++i) {
            if (work_[i].error) std::rethrow_exception(work_[i].error);
            told(Shared::cells) += static_cast<double>(work_[i].source.rows());
            const Lane& lane = lanes_[first + i];
            shared_[lane.slot] = work_[i].finite ? static_cast<double>(lane.weight) * work_[i].loss : 0;
            if (!last_alone && work_[i].finite)
                work_[i].finite = sum_.add(turn_part(work_[i].gradient), lane.weight);
            if (!work_[i].finite) told(Shared::not_finite) = 1;
        }
        first += count;
    }
}

// The gradient goes to the ranks that own its parts while the rest of it is computed.
void Trainer::compute_last(std::size_t lane_index, SlotWork& work) {
    sum_.start_reduce(communicator_, turn_bounds_);
    bool inside = true;
    const auto add_from = [&](std::size_t first) {
        const std::size_t of_turn = std::max(first, turn_.first) - turn_.first;
        inside = sum_.add_last(turn_part(work.gradient), of_turn, lanes_[lane_index].weight) && inside;
    };
    work.scratch->gradient_final = std::ref(add_from);
    compute_slot(lane_index, work);
    work.scratch->gradient_final = nullptr;
    if (work.finite) add_from(0);
    work.finite = work.finite && inside;
}

std::span<float> Trainer::turn_part(std::span<float> buffer) const {
    return buffer.subspan(turn_.first, turn_.count);
}

void Trainer::skip_step() {
    const std::string problem = "the loss is not finite at step " + std::to_string(adam_.step);
    if (options_.on_nan == OnNan::stop) throw core::NumericalError("training", problem);
    if (++skipped_ > max_skipped_in_a_row) {
        throw core::NumericalError(
            "training", problem + ", nor in the " + std::to_string(max_skipped_in_a_row) + " before");
    }
    ++adam_.step;
}

StepReport Trainer::step(const StepRequest& request) {
    turn_ = model_.phase(adam_.step);
    for (std::size_t r = 0; r < bounds_.size(); ++r) {
        turn_bounds_[r] = std::clamp(bounds_[r], turn_.first, turn_.first + turn_.count) - turn_.first;
    }
    sum_.clear(turn_.count);
    std::ranges::fill(shared_, 0.0);
    told(Shared::save) = request.save ? 1 : 0;
    told(Shared::stop) = request.stop ? 1 : 0;
    model_.begin_step(values_, scratch_);
    if (batch_coupling_) couple_batch();
    compute_lanes();
    StepReport report;
    update(report);
    return report;
}

void Trainer::update(StepReport& report) {
    const auto rank = static_cast<std::size_t>(communicator_.rank());
    nn::UpdatePhase own = turn_;
    own.first = turn_.first + turn_bounds_[rank];
    own.count = turn_bounds_[rank + 1] - turn_bounds_[rank];
    sum_.reduce(communicator_, turn_bounds_, 1.0 / static_cast<double>(options_.batch_pairs),
                std::span(gradient_).subspan(own.first, own.count));
    const auto squares = std::span(shared_).subspan(options_.batch_pairs + shared_values);
    nn::block_squares(gradient_, own.first, own.first + own.count, squares);
    communicator_.sum(std::span<double>(shared_));
    report.save = told(Shared::save) > 0;
    report.stop = told(Shared::stop) > 0;
    report.rate = learning_rate(options_, adam_.step);
    if (told(Shared::not_finite) > 0) {
        skip_step();
        report.skipped = true;
        return;
    }
    skipped_ = 0;
    for (std::size_t b = 0; b < options_.batch_pairs; ++b) report.loss += shared_[b];
    report.loss /= static_cast<double>(options_.batch_pairs);
    report.cells = static_cast<std::uint64_t>(told(Shared::cells));
    report.gradient_norm = std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0));
    const bool clipped = options_.clip_norm > 0 && report.gradient_norm > options_.clip_norm;
    const double scale = clipped ? options_.clip_norm / report.gradient_norm : 1.0;
    nn::adam_step(options_.adam, report.rate, static_cast<float>(scale), own, gradient_, values_, adam_);
    communicator_.share_parts(turn_part(values_), turn_bounds_);
    model_.project(turn_, values_);
    model_.project(turn_, adam_.average);
}

nn::AdamState Trainer::adam() const {
    nn::AdamState whole = adam_;
    for (auto* part : {&whole.first, &whole.second, &whole.average}) {
        communicator_.share_parts(std::span<float>(*part), bounds_);
    }
    return whole;
}

}  // namespace popflow::train
