// SPDX-License-Identifier: MIT
#include "train/cloud_pair_items.hpp"

#include <algorithm>
#include <numeric>

#include "core/error.hpp"
#include "core/parallel_for.hpp"
#include "core/random.hpp"
#include "linalg/gather_rows.hpp"
#include "models/meta_icnn.hpp"
#include "ot/balanced_coordinates.hpp"
#include "screen/cell_store.hpp"

namespace popflow::train {

namespace {

using linalg::ConstMatrixView;
using linalg::gather_rows;
using linalg::Matrix;
using models::ProblemPairs;

// Role in the keys of core::Purpose::outer_cells.
constexpr std::uint64_t pool_role = 3;

// Draws problems.
class CloudPairSampler : public Sampler {
  public:
    CloudPairSampler(const CloudPairItems& items, std::uint64_t seed, std::vector<Lane> lanes)
        : items_(items), seed_(seed), lanes_(std::move(lanes)) {}

    const std::vector<Lane>& lanes() const override { return lanes_; }
    std::size_t max_cells() const override {
        return 2 * items_.sampling().draws.populations * items_.sampling().cells.cells;
    }
    std::unique_ptr<models::SlotInput> make_input() const override { return std::make_unique<Drawn>(); }
    void draw(const Visit& visit, models::SlotInput& input) const override;

  private:
    struct Drawn : models::CloudPairInput {
        std::vector<std::uint32_t> rows;
        Matrix<float> source;
        Matrix<float> target;
    };
    void draw_cells(std::size_t population, core::Stream& stream, std::vector<std::uint32_t>& rows,
                    Matrix<float>& cells) const;

    const CloudPairItems& items_;
    std::uint64_t seed_;
    std::vector<Lane> lanes_;
};

void CloudPairSampler::draw_cells(std::size_t population, core::Stream& stream,
                                  std::vector<std::uint32_t>& rows, Matrix<float>& cells) const {
    const Matrix<float>& pool = items_.cells(population);
    const std::size_t n = std::min(items_.sampling().cells.cells, pool.rows());
    stream.sample(pool.rows(), n, rows);
    cells.reshape(n, pool.cols());
    gather_rows(pool.view(), rows, cells.view());
}

void CloudPairSampler::draw(const Visit& visit, models::SlotInput& input) const {
    auto& drawn = static_cast<Drawn&>(input);
    const Lane& lane = lanes_[visit.lane];
    const std::vector<std::size_t>& sources = items_.sources();
    core::Stream choice(seed_, core::Purpose::populations, visit.step, lane.slot);
    core::Stream source_cells(seed_, core::Purpose::source_cells, visit.step, lane.slot);
    core::Stream target_cells(seed_, core::Purpose::target_cells, visit.step, lane.slot);
    drawn.problems.resize(items_.sampling().draws.populations);
    drawn.n_cells = 0;
    for (std::size_t p = 0; p < drawn.problems.size(); ++p) {
        std::size_t source = lane.items[visit.item];
        if (p > 0 || !std::ranges::binary_search(sources, source))
            source = sources[choice.below(sources.size())];
        const std::size_t target = items_.draw_target(source, choice);
        draw_cells(source, source_cells, drawn.rows, drawn.source);
        draw_cells(target, target_cells, drawn.rows, drawn.target);
        drawn.problems[p] =
            models::balanced_clouds(ot::BalancedCoordinates(items_.moments(source), items_.moments(target)),
                                    drawn.source.view(), drawn.target.view());
        drawn.n_cells += drawn.source.rows() + drawn.target.rows();
    }
}

}  // namespace

CloudPairItems::CloudPairItems(const screen::Screen& screen, const TrainingSet& set,
                               const PopulationSampling& sampling, models::Constants constants,
                               std::uint64_t seed, const mpi::Communicator& comm)
    : sampling_(sampling),
      families_(screen, set, sampling.draws),
      cells_(families_.targets().size()),
      moments_(families_.targets().size()),
      everyone_(families_.targets().size()),
      constants_(std::move(constants)) {
    const std::size_t d = set.shape().markers;
    const std::vector<TargetPopulation>& populations = families_.targets();
    std::vector<screen::CellsView> own(populations.size());
    std::vector<std::size_t> population_of_pair(set.pairs().size());
    for (std::size_t i = 0; i < populations.size(); ++i) population_of_pair[populations[i].pair] = i;
    for (const PairLane& from : set.lanes()) {
        Lane& lane = lanes_.emplace_back(Lane{.slot = from.slot, .weight = from.weight, .items = {}});
        for (const TrainingPair& pair : from.pairs) {
            lane.items.push_back(population_of_pair[pair.index]);
            own[lane.items.back()] = pair.treated;
        }
    }
    std::vector<double> shared;
    for (std::size_t i = 0; i < populations.size(); ++i) {
        const std::size_t all = screen.populations[populations[i].population].n_cells;
        const std::size_t n = sampling.draws.pool_cells == 0 ? all : std::min(all, sampling.draws.pool_cells);
        Matrix<float> drawn(n, d);
        if (own[i].x.rows > 0) {
            gather_rows(own[i].x, core::Stream(seed, core::Purpose::outer_cells, pool_role, i).sample(all, n),
                        drawn.view());
            if (own[i].on_disk) screen::evict(own[i]);
        }
        // The cells are non-zero on one rank alone, so that the sums are exact.
        shared.assign(drawn.values().begin(), drawn.values().end());
        comm.sum(std::span<double>(shared));
        std::ranges::transform(shared, drawn.values().begin(),
                               [](double v) { return static_cast<float>(v); });
        cells_[i] = std::move(drawn);
    }
    core::parallel_for(cells_.size(),
                       [&](std::size_t i) { moments_[i] = ot::gaussian_moments(cells_[i].view()); });
    std::iota(everyone_.begin(), everyone_.end(), std::size_t{0});
    for (std::size_t i = 0; i < populations.size(); ++i) {
        const std::size_t key = sampling.draws.problem_pairs == ProblemPairs::labels
                                    ? populations[i].group
                                    : populations[i].condition_row;
        members_.resize(std::max(members_.size(), key + 1));
        members_[key].push_back(i);
    }
    for (std::size_t i = 0; i < populations.size(); ++i) {
        if (std::ranges::any_of(candidates(i), [&](std::size_t k) { return is_target(i, k); }))
            sources_.push_back(i);
    }
    if (!sources_.empty()) return;
    const char* reason = "there is only one population";
    if (sampling.draws.problem_pairs == ProblemPairs::labels)
        reason = "no two populations have the same values of --pair-by and different treatments";
    if (sampling.draws.problem_pairs == ProblemPairs::within)
        reason = "no two populations have the same treatment";
    throw core::DataError(screen.file, "obs",
                          std::string("has no transport problem in the training part: ") + reason +
                              ". Change --split, or --map-problems");
}

// Returns the populations among which the targets of a source are.
const std::vector<std::size_t>& CloudPairItems::candidates(std::size_t source) const {
    const TargetPopulation& own = families_.targets()[source];
    switch (sampling_.draws.problem_pairs) {
        case ProblemPairs::all:
            break;
        case ProblemPairs::labels:
            return members_[own.group];
        case ProblemPairs::within:
            return members_[own.condition_row];
    }
    return everyone_;
}

bool CloudPairItems::is_target(std::size_t source, std::size_t target) const {
    if (source == target) return false;
    const std::vector<TargetPopulation>& populations = families_.targets();
    return sampling_.draws.problem_pairs != ProblemPairs::labels ||
           populations[source].condition_row != populations[target].condition_row;
}

std::size_t CloudPairItems::draw_target(std::size_t source, core::Stream& stream) const {
    const std::vector<std::size_t>& among = candidates(source);
    std::size_t target = among[stream.below(among.size())];
    while (!is_target(source, target)) target = among[stream.below(among.size())];
    return target;
}

std::unique_ptr<Sampler> CloudPairItems::make_sampler(const models::Model& /*model*/,
                                                      const TrainOptions& train,
                                                      const mpi::Communicator& /*communicator*/) const {
    return std::make_unique<CloudPairSampler>(*this, train.seed, lanes_);
}

}  // namespace popflow::train
