// SPDX-License-Identifier: MIT
#include "train/pair_sampler.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/random.hpp"
#include "linalg/gather_rows.hpp"
#include "screen/cell_store.hpp"

namespace popflow::train {

using core::Purpose;
using core::Stream;
using linalg::gather_rows;

float lane_weight(std::size_t items_of_lane, std::size_t lanes, std::size_t items) {
    return static_cast<float>(static_cast<double>(items_of_lane * lanes) / static_cast<double>(items));
}

PairSampler::PairSampler(const PairSampling& options, std::uint64_t seed, std::vector<PairLane> lanes,
                         std::size_t slots, std::uint64_t steps, const mpi::Communicator& communicator)
    : options_(options), seed_(seed), steps_(steps), pair_lanes_(std::move(lanes)) {
    for (const PairLane& lane : pair_lanes_) {
        Lane& items = lanes_.emplace_back(Lane{.slot = lane.slot, .weight = lane.weight, .items = {}});
        for (const TrainingPair& pair : lane.pairs) items.items.push_back(pair.index);
    }
    if (uses_optimal_transport(options.coupling) && options.coupling_scope == CouplingScope::condition)
        stage_.emplace(slots, communicator);
}

std::unique_ptr<models::SlotInput> PairSampler::make_input() const {
    return std::make_unique<Drawn>();
}

void PairSampler::draw_cells(const PairLane& lane, const TrainingPair& pair, std::uint64_t step,
                             Drawn& drawn) const {
    const std::size_t n_control = pair.control.x.rows;
    const std::size_t n_treated = pair.treated.x.rows;
    const std::size_t n = std::min({options_.cells, n_control, n_treated});
    Stream(seed_, Purpose::source_cells, step, lane.slot).sample(n_control, n, drawn.drawn);
    gather_rows(pair.control.x, drawn.drawn, drawn.source);
    drawn.source_type.resize(n);
    for (std::size_t i = 0; i < n; ++i) drawn.source_type[i] = pair.control.cell_type[drawn.drawn[i]];
    if (!draws_rows(options_.coupling)) {
        Stream(seed_, Purpose::target_cells, step, lane.slot).sample(n_treated, n, drawn.drawn);
    }
    gather_rows(pair.treated.x, drawn.drawn, drawn.target);
    const Augmentation which = options_.augmentation_at(step, steps_);
    if (which.any()) {
        augment(which, Stream(seed_, Purpose::augment, step, lane.slot), lane, pair,
                draws_rows(options_.coupling), {drawn.source, drawn.source_type, drawn.target});
    }
    drawn.t.resize(n);
    Stream(seed_, Purpose::flow_time, step, lane.slot).fill_uniform(drawn.t);
    if (options_.base == models::Base::gaussian) {
        drawn.noise.reshape(n, drawn.source.cols());
        Stream(seed_, Purpose::base_noise, step, lane.slot).fill_normal(drawn.noise.values());
    }
}

// Evicts the cells of the current pair, which are drawn, and prefetches those of the next step. Does nothing
// for cells in memory.
void PairSampler::prefetch(const PairLane& lane, const Visit& visit) {
    const TrainingPair& now = lane.pairs[visit.item];
    if (!now.control.on_disk) return;
    screen::evict(now.control);
    screen::evict(now.treated);
    if (!visit.next) return;
    const TrainingPair& next = lane.pairs[*visit.next];
    screen::prefetch(next.control);
    screen::prefetch(next.treated);
}

linalg::ConstMatrixView<float> PairSampler::couple(linalg::ConstMatrixView<float> base, Stream stream,
                                                   Drawn& drawn) const {
    if (options_.coupling == Coupling::entropic) {
        const ot::Partners partners =
            ot::entropic_partners(base, drawn.target.view(), options_.entropic, stream);
        gather_rows(drawn.target.view(), partners.target, drawn.ordered);
        std::swap(drawn.target, drawn.ordered);
        if (options_.entropic.rho == 0) return base;
        gather_rows(base, partners.base, drawn.moved);
        return drawn.moved.view();
    }
    if (uses_optimal_transport(options_.coupling) && !stage_) {
        // Row i of the treated cells becomes the exact optimal transport partner of row i of the base.
        gather_rows(drawn.target.view(), ot::optimal_partners(base, drawn.target.view()), drawn.ordered);
        std::swap(drawn.target, drawn.ordered);
    }
    return base;
}

void PairSampler::draw(const Visit& visit, models::SlotInput& input) const {
    auto& drawn = static_cast<Drawn&>(input);
    const PairLane& lane = pair_lanes_[visit.lane];
    const TrainingPair& pair = lane.pairs[visit.item];
    draw_cells(lane, pair, visit.step, drawn);
    if (visit.is_last) prefetch(lane, visit);
    if (pair.start) {
        drawn.start = drawn.source;
        models::apply_change(pair.start->change, pair.start->means, drawn.start);
    }
    const linalg::Matrix<float>& base = options_.base == models::Base::gaussian ? drawn.noise
                                        : pair.start                            ? drawn.start
                                                                                : drawn.source;
    const linalg::ConstMatrixView<float> x0 =
        couple(base.view(), Stream(seed_, Purpose::coupling, visit.step, lane.slot), drawn);
    drawn.n_cells = drawn.source.rows();
    drawn.slot = {.x0 = x0,
                  .x1 = drawn.target.view(),
                  .t = drawn.t,
                  .control = drawn.source.view(),
                  .control_type = drawn.source_type,
                  .condition = pair.condition,
                  .pair = pair.index,
                  .embedding = pair.context};
}

void PairSampler::CouplingStage::add(std::size_t slot, const models::SlotInput& input) {
    const auto& drawn = static_cast<const Drawn&>(input);
    coupling_.add(slot, drawn.slot.condition, drawn.slot.x0, drawn.slot.x1);
}

void PairSampler::CouplingStage::apply(std::size_t slot, models::SlotInput& input) const {
    const linalg::ConstMatrixView<float> target = coupling_.target(slot);
    if (target.empty()) throw core::NumericalError("coupling", "a cell is not finite");
    std::copy_n(target.data, target.rows * target.cols, static_cast<Drawn&>(input).target.data());
}

}  // namespace popflow::train
