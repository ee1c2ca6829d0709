// SPDX-License-Identifier: MIT
#include "train/population_items.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/error.hpp"
#include "core/parallel_error.hpp"
#include "core/random.hpp"
#include "models/gaussian_flow.hpp"
#include "ot/bures.hpp"
#include "ot/dense_transport.hpp"

namespace popflow::train {

namespace {

using linalg::Matrix;
using models::OuterCoupling;
using models::Pairing;
using models::PopulationSource;
using ot::GaussianMoments;

// Moments of all populations, known to all ranks. A row has a mean and the lower triangle of a covariance.
class MomentTable {
  public:
    MomentTable(std::size_t populations, std::size_t d) : d_(d), table_(populations, d + d * (d + 1) / 2) {}

    void set(std::size_t row, linalg::ConstMatrixView<float> cells) {
        const GaussianMoments moments = ot::gaussian_moments(cells);
        double* out = std::ranges::copy(moments.mean, table_.view().row(row)).out;
        for (std::size_t j = 0; j < d_; ++j) out = std::copy_n(moments.covariance.view().row(j), j + 1, out);
    }
    // Each row is not zero on one rank only, so that the sum is exact.
    void share(const mpi::Communicator& comm) { comm.sum(table_.values()); }
    GaussianMoments get(std::size_t row, double ridge = 0) const {
        const double* in = table_.view().row(row);
        GaussianMoments moments{{in, in + d_}, Matrix<double>(d_, d_), {}};
        in += d_;
        for (std::size_t j = 0; j < d_; ++j) {
            for (std::size_t k = 0; k <= j; ++k) moments.covariance(j, k) = moments.covariance(k, j) = *in++;
            moments.covariance(j, j) += ridge;
        }
        moments.root = ot::symmetric_root(moments.covariance);
        return moments;
    }

  private:
    std::size_t d_;
    Matrix<double> table_;
};

// Returns the number of each group: the values of the pairing keys, or one group for each control of known
// pairs.
std::size_t group_of(const screen::Screen& screen, std::size_t population,
                     std::map<std::vector<std::string>, std::size_t>& groups) {
    std::vector<std::string> key = screen.experiments[screen.populations[population].experiment].values;
    key.resize(std::min(key.size(), screen.options.pair_by.size()));
    return groups.emplace(std::move(key), groups.size()).first->second;
}

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
class PopulationSampler : public Sampler {
  public:
    PopulationSampler(const PopulationItems& items, models::GaussianNoise noise, std::uint64_t seed,
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
        ot::DenseTransport solver;
    };
    void draw_sources(std::uint64_t step, std::size_t slot, Drawn& drawn) const;
    void couple(Drawn& drawn) const;
    void fill(std::size_t row, const ot::GeodesicPoint& point, Drawn& drawn) const;

    const PopulationItems& items_;
    models::GaussianNoise noise_;
    std::uint64_t seed_;
    std::vector<Lane> lanes_;
};

void PopulationSampler::draw_sources(std::uint64_t step, std::size_t slot, Drawn& drawn) const {
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
        const PopulationItems::Target& target = items_.targets()[drawn.targets[i]];
        const double u = stream.uniform();
        std::size_t source = 0;
        if (target.sources.empty()) {
            const std::vector<std::size_t>& own = items_.sources_of_group()[target.group];
            source =
                own[std::min(static_cast<std::size_t>(u * static_cast<double>(own.size())), own.size() - 1)];
        } else {
            auto at = std::ranges::find_if(target.sources,
                                           [&](const auto& chosen) { return u < chosen.cumulative_share; });
            if (at == target.sources.end()) --at;
            source = at->source;
            drawn.maps[i] = &at->map;
        }
        drawn.sources[i] = &items_.source_moments()[source];
    }
}

// Permutes the sources of the targets of one condition and group by an optimal assignment.
void PopulationSampler::couple(Drawn& drawn) const {
    std::map<std::pair<std::size_t, std::size_t>, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < drawn.targets.size(); ++i) {
        const PopulationItems::Target& target = items_.targets()[drawn.targets[i]];
        groups[{target.condition_row, target.group}].push_back(i);
    }
    for (const auto& [key, members] : groups) {
        if (members.size() < 2) continue;
        std::vector<const GaussianMoments*> targets;
        std::vector<const GaussianMoments*> sources;
        for (const std::size_t i : members) {
            targets.push_back(&items_.target_moments()[drawn.targets[i]]);
            sources.push_back(drawn.sources[i]);
        }
        const ot::TransportPlan plan = drawn.solver.solve(ot::squared_bures_matrix(targets, sources).view());
        std::vector<double> most(members.size(), 0.0);
        for (const ot::PlanEntry& entry : plan.plan) {
            if (entry.mass <= most[entry.i]) continue;
            most[entry.i] = entry.mass;
            drawn.sources[members[entry.i]] = sources[entry.j];
        }
    }
}

void PopulationSampler::fill(std::size_t row, const ot::GeodesicPoint& point, Drawn& drawn) const {
    const auto to_float = [](std::span<const double> from, float* to) {
        std::ranges::transform(from, to, [](double v) { return static_cast<float>(v); });
    };
    to_float(point.mean, drawn.batch.mean.view().row(row));
    to_float(point.covariance.values(), drawn.batch.covariance.view().row(row));
    to_float(point.mean_velocity, drawn.batch.mean_velocity.view().row(row));
    to_float(point.velocity.values(), drawn.batch.velocity.view().row(row));
}

void PopulationSampler::draw(const Visit& visit, models::SlotInput& input) const {
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
    const std::size_t conditions = items_.targets().front().condition.size();
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
            std::ranges::copy(items_.targets()[drawn.targets[i]].condition, condition);
    }
}

}  // namespace

PopulationItems::PopulationItems(const screen::Screen& screen, const TrainingSet& set,
                                 const models::PopulationDraws& draws, std::uint64_t seed,
                                 const mpi::Communicator& comm)
    : draws_(draws) {
    gather(screen, set, comm);
    try {
        constants_ =
            models::gaussian_flow_constants(target_moments_, source_moments_, draws.base_spread, seed);
    } catch (const core::NumericalError& error) {
        throw core::DataError(screen.file, "X", error.what());
    }
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

// Computes the maps of the sources that are known before the training.
void PopulationItems::compute_maps() {
    core::ParallelError errors;
#pragma omp parallel for schedule(dynamic)
    for (std::size_t i = 0; i < targets_.size(); ++i) {
        errors.run([&] {
            for (ChosenSource& chosen : targets_[i].sources)
                chosen.map = ot::gaussian_map(source_moments_[chosen.source], target_moments_[i]);
        });
    }
    errors.rethrow();
}

// Collects targets, sources and their moments.
void PopulationItems::gather(const screen::Screen& screen, const TrainingSet& set,
                             const mpi::Communicator& comm) {
    const std::size_t d = set.shape().markers;
    const std::size_t n = set.pairs().size();
    const bool is_unpaired = draws_.is_unpaired();
    // Rows of the treated populations, then those of the controls of known pairs.
    MomentTable table(is_unpaired ? n : 2 * n, d);
    const std::vector<PairLane> lanes = set.lanes();
    std::vector<const TrainingPair*> own;
    for (const PairLane& lane : lanes) {
        for (const TrainingPair& pair : lane.pairs) own.push_back(&pair);
    }
    core::ParallelError errors;
#pragma omp parallel for schedule(dynamic)
    for (std::size_t k = 0; k < own.size(); ++k) {
        errors.run([&] {
            table.set(own[k]->index, own[k]->treated.x);
            if (!is_unpaired) table.set(n + own[k]->index, own[k]->control.x);
        });
    }
    errors.rethrow();
    table.share(comm);

    std::map<std::vector<std::string>, std::size_t> groups;
    for (std::size_t i = 0; i < n; ++i) {
        const screen::PopulationPair& pair = screen.pairs[set.pairs()[i]];
        const screen::Population& treated = screen.populations[pair.treated];
        const std::size_t group = group_of(screen, pair.treated, groups);
        if (is_unpaired && draws_.source == PopulationSource::control && treated.control) {
            sources_.push_back({pair.treated, group});
            source_moments_.push_back(table.get(i));
            continue;
        }
        targets_.push_back({pair.treated,
                            group,
                            set.conditions().index(treated).value(),
                            set.conditions().encode(treated),
                            {}});
        target_moments_.push_back(table.get(i));
        if (is_unpaired) continue;
        targets_.back().sources.push_back({.source = sources_.size(), .map = {}});
        sources_.push_back({pair.control, group});
        source_moments_.push_back(table.get(n + i));
    }
    sources_of_group_.resize(groups.size());
    for (std::size_t k = 0; k < sources_.size(); ++k) sources_of_group_[sources_[k].group].push_back(k);
    if (targets_.empty())
        throw core::DataError(screen.file, "obs",
                              "has no treated population in the training part. Name the controls with "
                              "--control, and the split with --split");
    if (draws_.source == PopulationSource::noise) return;
    for (const Target& target : targets_) {
        if (!sources_of_group_[target.group].empty()) continue;
        throw core::DataError(screen.file, "obs",
                              fmt::format("has no control in the training part for {}. --pair-by names the "
                                          "columns in which controls and treated populations must agree",
                                          screen::population_label(screen, target.population)));
    }
}

// Couples all controls and all treated populations of each group and condition.
void PopulationItems::couple_families() {
    std::map<std::pair<std::size_t, std::size_t>, std::vector<std::size_t>> families;
    for (std::size_t i = 0; i < targets_.size(); ++i)
        families[{targets_[i].group, targets_[i].condition_row}].push_back(i);
    ot::DenseTransport solver;
    for (const auto& [key, members] : families) {
        const std::vector<std::size_t>& sources = sources_of_group_[key.first];
        const std::vector<GaussianMoments> from = centred(source_moments_, sources);
        const std::vector<GaussianMoments> to = centred(target_moments_, members);
        const Matrix<double> cost = ot::squared_bures_matrix(pointers(to), pointers(from));
        const ot::TransportPlan plan = solver.solve(cost.view());
        for (const ot::PlanEntry& entry : plan.plan) {
            if (!(entry.mass > 0)) continue;
            Target& target = targets_[members[entry.i]];
            const double share = entry.mass * static_cast<double>(members.size());
            const double before = target.sources.empty() ? 0 : target.sources.back().cumulative_share;
            target.sources.push_back({sources[entry.j], before + share, {}});
            coupling_.push_back({target.population, sources_[sources[entry.j]].population, share,
                                 std::sqrt(cost(entry.i, entry.j))});
        }
    }
    std::ranges::stable_sort(coupling_, {}, &CoupledPopulation::target);
}

std::unique_ptr<Sampler> PopulationItems::make_sampler(const models::Model& /*model*/,
                                                       const TrainOptions& train,
                                                       const mpi::Communicator& communicator) const {
    return std::make_unique<PopulationSampler>(
        *this, models::stored_gaussian_noise(constants_, target_moments_.front().mean.size()), train.seed,
        equal_lanes(targets_.size(), train.batch_pairs, communicator, "population"));
}

OnePassResult PopulationItems::train_in_one_pass(const models::OnePassTraining& /*model*/,
                                                 std::size_t /*n_weights*/,
                                                 const mpi::Communicator& /*communicator*/) const {
    throw core::Error("training: populations have no training in one pass");
}

}  // namespace popflow::train
