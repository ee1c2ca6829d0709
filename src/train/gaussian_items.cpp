// SPDX-License-Identifier: MIT
#include "train/gaussian_items.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.hpp"
#include "core/parallel_for.hpp"
#include "core/random.hpp"
#include "models/gaussian_flow.hpp"
#include "ot/bures.hpp"

namespace popflow::train {

namespace {

using linalg::Matrix;
using models::OuterCoupling;
using models::Pairing;
using models::PopulationSource;
using ot::GaussianMoments;

std::vector<const GaussianMoments*> pointers(const std::vector<GaussianMoments>& moments) {
    std::vector<const GaussianMoments*> result;
    for (const GaussianMoments& one : moments) result.push_back(&one);
    return result;
}

// Returns copies of some moments with means that sum to zero.
std::vector<GaussianMoments> centred(const std::vector<GaussianMoments>& all,
                                     const std::vector<std::size_t>& chosen) {
    std::vector<GaussianMoments> result;
    for (const std::size_t k : chosen) result.push_back(all[k]);
    std::vector<double> mean(result.front().mean.size(), 0.0);
    for (const GaussianMoments& one : result) {
        for (std::size_t j = 0; j < mean.size(); ++j)
            mean[j] += one.mean[j] / static_cast<double>(result.size());
    }
    for (GaussianMoments& one : result) {
        for (std::size_t j = 0; j < mean.size(); ++j) one.mean[j] -= mean[j];
    }
    return result;
}

// Draws geodesics.
class GaussianSampler : public Sampler {
  public:
    GaussianSampler(const GaussianItems& items, models::GaussianNoise noise, std::uint64_t seed,
                    std::vector<Lane> lanes)
        : items_(items), noise_(std::move(noise)), seed_(seed), lanes_(std::move(lanes)) {}

    const std::vector<Lane>& lanes() const override { return lanes_; }
    std::size_t max_cells() const override { return items_.draws().populations; }
    std::unique_ptr<models::SlotInput> make_input() const override { return std::make_unique<Drawn>(); }
    void draw(const Visit& visit, models::SlotInput& input) const override;

  private:
    struct Drawn : models::GaussianInput {
        std::vector<std::size_t> targets;
        std::vector<const Matrix<double>*> maps;  ///< null for maps that are not known
        std::vector<GaussianMoments> noise;
        std::vector<const GaussianMoments*> sources;
    };
    void draw_sources(std::uint64_t step, std::size_t slot, Drawn& drawn) const;
    void couple(Drawn& drawn) const;
    void fill(std::size_t row, const ot::GeodesicPoint& point, Drawn& drawn) const;

    const GaussianItems& items_;
    models::GaussianNoise noise_;
    std::uint64_t seed_;
    std::vector<Lane> lanes_;
};

void GaussianSampler::draw_sources(std::uint64_t step, std::size_t slot, Drawn& drawn) const {
    const std::size_t n = drawn.targets.size();
    drawn.sources.resize(n);
    drawn.maps.assign(n, nullptr);
    if (items_.draws().source == PopulationSource::noise) {
        core::Stream stream(seed_, core::Purpose::base_noise, step, slot);
        drawn.noise.resize(n);
        for (std::size_t i = 0; i < n; ++i) {
            drawn.noise[i] = noise_.draw(stream);
            drawn.sources[i] = &drawn.noise[i];
        }
        return;
    }
    core::Stream stream(seed_, core::Purpose::coupling, step, slot);
    for (std::size_t i = 0; i < n; ++i) {
        const auto [source, chosen] = items_.families().draw_source(drawn.targets[i], stream.uniform());
        if (chosen != PopulationFamilies::Draw::npos)
            drawn.maps[i] = &items_.maps()[drawn.targets[i]][chosen];
        drawn.sources[i] = &items_.source_moments()[source];
    }
}

// Permutes the sources of the targets of one condition and group by an optimal assignment.
void GaussianSampler::couple(Drawn& drawn) const {
    for (const std::vector<std::size_t>& members : coupled_members(items_.families(), drawn.targets)) {
        std::vector<const GaussianMoments*> targets;
        std::vector<const GaussianMoments*> sources;
        for (const std::size_t i : members) {
            targets.push_back(&items_.target_moments()[drawn.targets[i]]);
            sources.push_back(drawn.sources[i]);
        }
        const auto assigned = assign_sources(ot::squared_bures_matrix(targets, sources).view());
        for (std::size_t k = 0; k < members.size(); ++k) drawn.sources[members[k]] = sources[assigned[k]];
    }
}

void GaussianSampler::fill(std::size_t row, const ot::GeodesicPoint& point, Drawn& drawn) const {
    const auto to_float = [](std::span<const double> from, float* to) {
        std::ranges::transform(from, to, [](double v) { return static_cast<float>(v); });
    };
    to_float(point.mean, drawn.batch.mean.view().row(row));
    to_float(point.covariance.values(), drawn.batch.covariance.view().row(row));
    to_float(point.mean_velocity, drawn.batch.mean_velocity.view().row(row));
    to_float(point.velocity.values(), drawn.batch.velocity.view().row(row));
}

void GaussianSampler::draw(const Visit& visit, models::SlotInput& input) const {
    auto& drawn = static_cast<Drawn&>(input);
    const Lane& lane = lanes_[visit.lane];
    const models::PopulationDraws& draws = items_.draws();
    const std::size_t n = draws.populations;
    drawn.n_cells = n;
    drawn.targets.resize(n);
    core::Stream choice(seed_, core::Purpose::target_cells, visit.step, lane.slot);
    for (std::size_t i = 0; i < n; ++i)
        drawn.targets[i] = i == 0 ? lane.items[visit.item] : choice.below(items_.count());
    draw_sources(visit.step, lane.slot, drawn);
    if (draws.outer == OuterCoupling::batch && draws.pairing == Pairing::none) couple(drawn);

    const std::size_t d = noise_.mean.size();
    const std::size_t conditions = items_.families().targets().front().condition.size();
    drawn.batch.mean.reshape(n, d);
    drawn.batch.covariance.reshape(n, d * d);
    drawn.batch.mean_velocity.reshape(n, d);
    drawn.batch.velocity.reshape(n, d * d);
    drawn.batch.condition.reshape(n, conditions);
    drawn.batch.t.resize(n);
    core::Stream times(seed_, core::Purpose::flow_time, visit.step, lane.slot);
    for (std::size_t i = 0; i < n; ++i) {
        const double t = times.uniform();
        const bool is_dropped = times.uniform() < draws.drop_label;
        const GaussianMoments& target = items_.target_moments()[drawn.targets[i]];
        Matrix<double> computed;
        if (drawn.maps[i] == nullptr) computed = ot::gaussian_map(*drawn.sources[i], target);
        const Matrix<double>& map = drawn.maps[i] != nullptr ? *drawn.maps[i] : computed;
        fill(i, ot::geodesic_point(*drawn.sources[i], target, map, t), drawn);
        drawn.batch.t[i] = static_cast<float>(t);
        float* condition = drawn.batch.condition.view().row(i);
        if (is_dropped)
            std::fill_n(condition, conditions, 0.0F);
        else
            std::ranges::copy(items_.families().targets()[drawn.targets[i]].condition, condition);
    }
}

}  // namespace

GaussianItems::GaussianItems(const screen::Screen& screen, const TrainingSet& set,
                             const models::PopulationDraws& draws, std::uint64_t seed,
                             const mpi::Communicator& comm)
    : draws_(draws), families_(screen, set, draws) {
    compute_moments(set, comm);
    try {
        constants_ =
            models::gaussian_flow_constants(target_moments_, source_moments_, draws.base_spread, seed);
    } catch (const core::NumericalError& error) {
        throw core::DataError(screen.file, "X", error.what());
    }
    if (draws_.source == PopulationSource::noise) families_.target_sizes(screen).store(constants_);
    const std::size_t d = set.shape().markers;
    const double ridge = models::stored_gaussian_noise(constants_, d).ridge;
    for (GaussianMoments& source : source_moments_) {
        for (std::size_t j = 0; j < d; ++j) source.covariance(j, j) += ridge;
        source.root = ot::symmetric_root(source.covariance);
    }
    if (draws_.source == PopulationSource::control && draws_.pairing == Pairing::none &&
        draws_.outer == OuterCoupling::all)
        couple_families();
    compute_maps();
}

void GaussianItems::compute_moments(const TrainingSet& set, const mpi::Communicator& comm) {
    const std::size_t n = set.pairs().size();
    const bool has_pairs = !draws_.is_unpaired();
    // Rows of the treated populations, then those of the controls of known pairs.
    MomentTable table(has_pairs ? 2 * n : n, set.shape().markers);
    const std::vector<PairLane> lanes = set.lanes();
    std::vector<const TrainingPair*> own;
    for (const PairLane& lane : lanes) {
        for (const TrainingPair& pair : lane.pairs) own.push_back(&pair);
    }
    core::parallel_for(own.size(), [&](std::size_t k) {
        table.set(own[k]->index, own[k]->treated.x);
        if (has_pairs) table.set(n + own[k]->index, own[k]->control.x);
    });
    table.share(comm);
    for (const TargetPopulation& target : families_.targets())
        target_moments_.push_back(table.get(target.pair));
    for (const SourcePopulation& source : families_.sources())
        source_moments_.push_back(table.get(has_pairs ? n + source.pair : source.pair));
}

// Computes the maps of the sources that are known before the training.
void GaussianItems::compute_maps() {
    maps_.resize(families_.targets().size());
    core::parallel_for(maps_.size(), [&](std::size_t i) {
        for (const ChosenSource& chosen : families_.targets()[i].sources)
            maps_[i].push_back(ot::gaussian_map(source_moments_[chosen.source], target_moments_[i]));
    });
}

// Couples all controls and all treated populations of each group and condition.
void GaussianItems::couple_families() {
    for (const PopulationFamilies::Family& family : families_.families()) {
        const std::vector<GaussianMoments> from = centred(source_moments_, family.sources);
        const std::vector<GaussianMoments> to = centred(target_moments_, family.targets);
        const Matrix<double> cost = ot::squared_bures_matrix(pointers(to), pointers(from));
        Matrix<double> distance = cost;
        for (double& value : distance.values()) value = std::sqrt(value);
        families_.couple(family, cost.view(), distance.view());
    }
}

std::unique_ptr<Sampler> GaussianItems::make_sampler(const models::Model& /*model*/,
                                                     const TrainOptions& train,
                                                     const mpi::Communicator& communicator) const {
    return std::make_unique<GaussianSampler>(
        *this, models::stored_gaussian_noise(constants_, target_moments_.front().mean.size()), train.seed,
        equal_lanes(count(), train.batch_pairs, communicator, "population"));
}

}  // namespace popflow::train
