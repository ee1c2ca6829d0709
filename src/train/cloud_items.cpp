// SPDX-License-Identifier: MIT
#include "train/cloud_items.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.hpp"
#include "core/parallel_error.hpp"
#include "core/parallel_for.hpp"
#include "core/random.hpp"
#include "linalg/gather_rows.hpp"
#include "metrics/mean_change.hpp"
#include "metrics/population_distance.hpp"
#include "models/gaussian_noise.hpp"
#include "models/set_flow.hpp"
#include "ot/cost.hpp"
#include "ot/coupling.hpp"
#include "ot/exact.hpp"
#include "screen/cell_store.hpp"

namespace popflow::train {

namespace {

using linalg::ConstMatrixView;
using linalg::gather_rows;
using linalg::Matrix;
using linalg::MatrixView;
using metrics::PopulationDistance;
using models::OuterCoupling;
using models::OuterDistance;
using models::PopulationSource;

PopulationDistance metric_of(OuterDistance distance) {
    switch (distance) {
        case OuterDistance::chamfer:
            return PopulationDistance::chamfer;
        case OuterDistance::bures:
            return PopulationDistance::bures;
        case OuterDistance::energy:
            return PopulationDistance::energy;
        case OuterDistance::w2:
            break;
    }
    return PopulationDistance::w2;
}

// Returns the cost of a distance in an outer coupling: W2 distances are squared.
double cost_of(OuterDistance kind, double distance) {
    const bool is_root = kind == OuterDistance::bures || kind == OuterDistance::w2;
    return is_root ? distance * distance : distance;
}

// Draws at most `count` cells of a population without replacement.
Matrix<float> drawn_cells(ConstMatrixView<float> cells, std::size_t count, core::Stream stream) {
    const std::size_t n = count == 0 ? cells.rows : std::min(count, cells.rows);
    Matrix<float> drawn(n, cells.cols);
    gather_rows(cells, stream.sample(cells.rows, n), drawn.view());
    return drawn;
}

// Roles in the keys of core::Purpose::outer_cells.
constexpr std::uint64_t outer_targets = 1;
constexpr std::uint64_t outer_sources = 2;

// Draws clouds and couples them.
class CloudSampler : public Sampler {
  public:
    CloudSampler(const CloudItems& items, const models::Constants& constants, std::size_t markers,
                 std::uint64_t seed, std::vector<Lane> lanes)
        : items_(items), markers_(markers), seed_(seed), lanes_(std::move(lanes)) {
        if (draws().source == PopulationSource::noise)
            noise_ = models::stored_gaussian_noise(constants, markers);
    }

    const std::vector<Lane>& lanes() const override { return lanes_; }
    std::size_t max_cells() const override { return draws().populations * options().cells; }
    std::unique_ptr<models::SlotInput> make_input() const override { return std::make_unique<Drawn>(); }
    void draw(const Visit& visit, models::SlotInput& input) const override;

  private:
    // A source cloud before it is coupled.
    struct SourceCloud {
        ot::GaussianMoments gaussian;  // law of its noise, for PopulationSource::noise
        Matrix<float> cells;
    };
    struct Drawn : models::CloudInput {
        std::vector<std::size_t> targets;
        std::vector<Matrix<float>> clouds;  ///< drawn cells of the targets
        std::vector<SourceCloud> sources;
        std::vector<std::uint32_t> rows;
        ot::Partners partners;
    };
    // Streams of one slot of a step. They are used in a fixed order.
    struct Streams {
        Streams(std::uint64_t seed, std::uint64_t step, std::size_t slot)
            : choice(seed, core::Purpose::populations, step, slot),
              target(seed, core::Purpose::target_cells, step, slot),
              source(seed, core::Purpose::source_cells, step, slot),
              noise(seed, core::Purpose::base_noise, step, slot),
              coupling(seed, core::Purpose::coupling, step, slot),
              augment(seed, core::Purpose::augment, step, slot),
              time(seed, core::Purpose::flow_time, step, slot) {}
        core::Stream choice, target, source, noise, coupling, augment, time;
    };

    const models::PopulationDraws& draws() const { return items_.sampling().draws; }
    const PairSampling& options() const { return items_.sampling().cells; }
    void draw_target(std::size_t i, Streams& streams, Drawn& drawn) const;
    void change_cloud(core::Stream& stream, Matrix<float>& cloud, SourceCloud& source) const;
    void draw_source(std::size_t i, Streams& streams, Drawn& drawn) const;
    void couple_clouds(Drawn& drawn) const;
    void couple_cells(ConstMatrixView<float> x0, ConstMatrixView<float> x1, core::Stream& stream,
                      ot::Partners& partners) const;
    void add_noise(const SourceCloud& source, core::Stream& stream, MatrixView<float> x0) const;

    const CloudItems& items_;
    std::size_t markers_;
    models::GaussianNoise noise_;
    std::uint64_t seed_;
    std::vector<Lane> lanes_;
};

// Draws the cells of target i. For a subset, the given cells are drawn first, and the target has the others
// if there are enough.
void CloudSampler::draw_target(std::size_t i, Streams& streams, Drawn& drawn) const {
    const screen::CellsView& cells = items_.target_cells(drawn.targets[i]);
    const std::size_t n = std::min(options().cells, cells.x.rows);
    std::size_t given = 0;
    if (draws().source == PopulationSource::subset) {
        given = draws().subset;
        streams.target.sample(cells.x.rows, std::min(given + n, cells.x.rows), drawn.rows);
        drawn.sources[i].cells.reshape(given, markers_);
        gather_rows(cells.x, std::span(drawn.rows).first(given), drawn.sources[i].cells.view());
        given = std::min(given, drawn.rows.size() - n);
    } else {
        streams.target.sample(cells.x.rows, n, drawn.rows);
    }
    drawn.clouds[i].reshape(n, markers_);
    gather_rows(cells.x, std::span(drawn.rows).subspan(given, n), drawn.clouds[i].view());
    if (cells.on_disk) screen::evict(cells);
    change_cloud(streams.augment, drawn.clouds[i], drawn.sources[i]);
}

// Scales and mirrors a target cloud, and the given cells of a subset with it.
void CloudSampler::change_cloud(core::Stream& stream, Matrix<float>& cloud, SourceCloud& source) const {
    if (draws().scale == 0 && draws().mirror == 0) return;
    const bool is_mirrored = stream.uniform() < 0.5;
    for (std::size_t j = 0; j < markers_; ++j) {
        double factor = 1 + draws().scale * (2 * stream.uniform() - 1);
        if (is_mirrored && j + 1 == draws().mirror) factor = -factor;
        for (std::size_t i = 0; i < cloud.rows(); ++i) cloud(i, j) *= static_cast<float>(factor);
        if (draws().source != PopulationSource::subset) continue;
        for (std::size_t i = 0; i < source.cells.rows(); ++i)
            source.cells(i, j) *= static_cast<float>(factor);
    }
}

// Draws the source cloud i.
void CloudSampler::draw_source(std::size_t i, Streams& streams, Drawn& drawn) const {
    SourceCloud& source = drawn.sources[i];
    switch (draws().source) {
        case PopulationSource::noise:
            source.gaussian = noise_.draw(streams.noise);
            source.cells.reshape(options().cells, markers_);
            models::draw_cloud(source.gaussian, streams.noise, source.cells.view());
            return;
        case PopulationSource::control: {
            const std::size_t chosen =
                items_.families().draw_source(drawn.targets[i], streams.coupling.uniform()).source;
            const screen::CellsView& cells = items_.source_cells(chosen);
            const std::size_t n = std::min(options().cells, cells.x.rows);
            streams.source.sample(cells.x.rows, n, drawn.rows);
            source.cells.reshape(n, markers_);
            gather_rows(cells.x, drawn.rows, source.cells.view());
            if (cells.on_disk) screen::evict(cells);
            const std::span<const float> shift = items_.start_shift(drawn.targets[i]);
            for (std::size_t r = 0; r < n; ++r) {
                for (std::size_t j = 0; j < markers_; ++j) source.cells(r, j) += shift[j];
            }
            return;
        }
        case PopulationSource::subset: {
            const Matrix<float> given = std::move(source.cells);
            source.cells = Matrix<float>(drawn.clouds[i].rows(), markers_);
            models::smoothed_bootstrap(given.view(), streams.source, source.cells.view());
        }
    }
}

// Permutes the source clouds of the targets of one condition and group by an optimal assignment.
void CloudSampler::couple_clouds(Drawn& drawn) const {
    const OuterDistance kind = draws().outer_distance;
    const PopulationDistance metric = metric_of(kind);
    for (const std::vector<std::size_t>& members : coupled_members(items_.families(), drawn.targets)) {
        std::vector<metrics::ComparedPopulation> targets;
        std::vector<metrics::ComparedPopulation> sources;
        for (const std::size_t i : members) {
            targets.push_back(metrics::compared_population(metric, drawn.clouds[i].view()));
            sources.push_back(metrics::compared_population(metric, drawn.sources[i].cells.view()));
        }
        Matrix<double> cost(members.size(), members.size());
        for (std::size_t i = 0; i < members.size(); ++i) {
            for (std::size_t j = 0; j < members.size(); ++j)
                cost(i, j) = cost_of(kind, metrics::population_distance(metric, targets[i], sources[j]));
        }
        const std::vector<std::size_t> assigned = assign_sources(cost.view());
        std::vector<SourceCloud> before;
        for (const std::size_t i : members) before.push_back(std::move(drawn.sources[i]));
        for (std::size_t k = 0; k < members.size(); ++k)
            drawn.sources[members[k]] = std::move(before[assigned[k]]);
    }
}

// Overwrites `partners` with the row of x1 that each row of x0 moves to. Base rows are those of x0 in turn,
// unless transport is unbalanced.
void CloudSampler::couple_cells(ConstMatrixView<float> x0, ConstMatrixView<float> x1, core::Stream& stream,
                                ot::Partners& partners) const {
    if (options().coupling == Coupling::entropic) {
        const core::Stream own(seed_, core::Purpose::coupling, stream.next64(), 1);
        partners = ot::entropic_partners(x0, x1, options().entropic, own);
        return;
    }
    partners.base.resize(x0.rows);
    std::iota(partners.base.begin(), partners.base.end(), std::uint32_t{0});
    partners.target.assign(x0.rows, 0);
    if (options().coupling == Coupling::random) {
        for (std::size_t i = 0; i < x0.rows; ++i)
            partners.target[i] = static_cast<std::uint32_t>(i < x1.rows ? i : stream.below(x1.rows));
        return;
    }
    if (x0.rows == x1.rows) {
        partners.target = ot::optimal_partners(x0, x1);
        return;
    }
    // A cell of x0 whose mass the plan splits moves to one of its partners, drawn by their shares.
    const ot::TransportPlan plan = ot::solve_exact(ot::Cost(ot::CostKind::squared_euclidean, x0, x1));
    std::vector<double> rest(x0.rows);
    for (double& mass : rest) mass = stream.uniform() / static_cast<double>(x0.rows);
    std::vector<bool> is_chosen(x0.rows, false);
    for (const ot::PlanEntry& entry : plan.plan) {
        if (is_chosen[entry.i] || !(entry.mass > 0)) continue;
        partners.target[entry.i] = entry.j;
        rest[entry.i] -= entry.mass;
        is_chosen[entry.i] = rest[entry.i] < 0;
    }
}

// Draws a share of the variance of a source cloud anew. Noise keeps its law. Other clouds get independent
// normal numbers with the variances of their markers.
void CloudSampler::add_noise(const SourceCloud& source, core::Stream& stream, MatrixView<float> x0) const {
    const double share = draws().inner_noise;
    if (share == 0) return;
    ot::GaussianMoments gaussian = source.gaussian;
    if (draws().source != PopulationSource::noise) {
        gaussian = ot::gaussian_moments(x0);
        gaussian.root = Matrix<double>(markers_, markers_);
        for (std::size_t j = 0; j < markers_; ++j) gaussian.root(j, j) = std::sqrt(gaussian.covariance(j, j));
    }
    Matrix<float> fresh(x0.rows, markers_);
    models::draw_cloud(gaussian, stream, fresh.view());
    const double kept = std::sqrt(1 - share);
    const double added = std::sqrt(share);
    for (std::size_t i = 0; i < x0.rows; ++i) {
        for (std::size_t j = 0; j < markers_; ++j) {
            const double mean = gaussian.mean[j];
            x0(i, j) = static_cast<float>(mean + kept * (static_cast<double>(x0(i, j)) - mean) +
                                          added * (static_cast<double>(fresh(i, j)) - mean));
        }
    }
}

void CloudSampler::draw(const Visit& visit, models::SlotInput& input) const {
    auto& drawn = static_cast<Drawn&>(input);
    const Lane& lane = lanes_[visit.lane];
    const std::size_t clouds = draws().populations;
    const std::size_t conditions = items_.families().targets().front().condition.size();
    Streams streams(seed_, visit.step, lane.slot);
    drawn.targets.resize(clouds);
    drawn.clouds.resize(clouds);
    drawn.sources.resize(clouds);
    for (std::size_t i = 0; i < clouds; ++i)
        drawn.targets[i] = lane.items[i == 0 ? visit.item : streams.choice.below(lane.items.size())];
    for (std::size_t i = 0; i < clouds; ++i) {
        draw_target(i, streams, drawn);
        draw_source(i, streams, drawn);
    }
    if (draws().outer == OuterCoupling::batch && draws().source != PopulationSource::subset)
        couple_clouds(drawn);

    models::CloudBatch<float>& batch = drawn.batch;
    batch.bounds.assign(1, 0);
    batch.t.resize(clouds);
    batch.condition.reshape(clouds, conditions);
    // Noise has as many cells as its target. Other clouds keep their size.
    const auto size_of = [&](std::size_t i) {
        return draws().source == PopulationSource::noise ? drawn.clouds[i].rows()
                                                         : drawn.sources[i].cells.rows();
    };
    for (std::size_t i = 0; i < clouds; ++i) batch.bounds.push_back(batch.bounds.back() + size_of(i));
    drawn.n_cells = batch.bounds.back();
    batch.x0.reshape(drawn.n_cells, markers_);
    batch.x1.reshape(drawn.n_cells, markers_);
    for (std::size_t i = 0; i < clouds; ++i) {
        const std::size_t n = size_of(i);
        const MatrixView<float> x0 = batch.x0.view().row_block(batch.bounds[i], n);
        const ConstMatrixView<float> source = drawn.sources[i].cells.view().row_block(0, n);
        couple_cells(source, drawn.clouds[i].view(), streams.coupling, drawn.partners);
        gather_rows(source, drawn.partners.base, x0);
        gather_rows(drawn.clouds[i].view(), drawn.partners.target,
                    batch.x1.view().row_block(batch.bounds[i], n));
        add_noise(drawn.sources[i], streams.noise, x0);
        batch.t[i] = static_cast<float>(streams.time.uniform());
        const bool is_dropped = streams.time.uniform() < draws().drop_label;
        float* condition = batch.condition.view().row(i);
        if (is_dropped)
            std::fill_n(condition, conditions, 0.0F);
        else
            std::ranges::copy(items_.families().targets()[drawn.targets[i]].condition, condition);
    }
}

}  // namespace

CloudItems::CloudItems(const screen::Screen& screen, const TrainingSet& set,
                       const PopulationSampling& sampling, models::Constants constants, std::uint64_t seed,
                       const mpi::Communicator& comm)
    : sampling_(sampling),
      markers_(set.shape().markers),
      families_(screen, set, sampling.draws),
      target_cells_(families_.targets().size()),
      source_cells_(families_.sources().size()),
      start_shifts_(set.shape().condition_rows, set.shape().markers),
      constants_(std::move(constants)) {
    std::vector<std::size_t> target_of_pair(set.pairs().size());
    std::vector<std::size_t> source_of_pair(set.pairs().size());
    for (std::size_t i = 0; i < target_cells_.size(); ++i) target_of_pair[families_.targets()[i].pair] = i;
    for (std::size_t i = 0; i < source_cells_.size(); ++i) source_of_pair[families_.sources()[i].pair] = i;
    for (const PairLane& from : set.lanes()) {
        Lane& lane = lanes_.emplace_back(Lane{.slot = from.slot, .weight = from.weight, .items = {}});
        for (const TrainingPair& pair : from.pairs) {
            lane.items.push_back(target_of_pair[pair.index]);
            target_cells_[lane.items.back()] = pair.treated;
        }
    }
    for (const TrainingSet::Source& source : set.sources())
        source_cells_[source_of_pair[source.pair]] = source.cells;
    if (sampling_.starts_at_mean_shift) start_shifts_ = set.mean_shifts();
    if (sampling_.draws.source == PopulationSource::noise) fit_noise(screen, comm);
    if (sampling_.draws.source == PopulationSource::control && sampling_.draws.outer == OuterCoupling::all)
        couple_families(seed, comm);
}

// Fits the law of the noise to the moments of all targets.
void CloudItems::fit_noise(const screen::Screen& screen, const mpi::Communicator& comm) {
    MomentTable table(target_cells_.size(), markers_);
    core::parallel_for(target_cells_.size(), [&](std::size_t i) {
        if (target_cells_[i].x.rows > 0) table.set(i, target_cells_[i].x);
    });
    table.share(comm);
    std::vector<ot::GaussianMoments> moments;
    for (std::size_t i = 0; i < target_cells_.size(); ++i) moments.push_back(table.get(i));
    try {
        models::store_gaussian_noise(models::fit_gaussian_noise(moments, sampling_.draws.base_spread),
                                     constants_);
        families_.target_sizes(screen).store(constants_);
    } catch (const core::NumericalError& error) {
        throw core::DataError(screen.file, "X", error.what());
    }
}

namespace {

// Returns the mean over some populations of their mean cells, which are rows of a matrix.
std::vector<double> family_mean(const Matrix<double>& means, std::span<const std::size_t> members) {
    std::vector<double> mean(means.cols(), 0.0);
    for (const std::size_t k : members) {
        for (std::size_t j = 0; j < mean.size(); ++j)
            mean[j] += means(k, j) / static_cast<double>(members.size());
    }
    return mean;
}

// Overwrites the rows of the populations of this rank with their mean cells.
void set_means(const std::vector<screen::CellsView>& populations, Matrix<double>& means) {
    for (std::size_t k = 0; k < populations.size(); ++k) {
        if (populations[k].x.rows > 0)
            std::ranges::copy(metrics::marker_means(populations[k].x), means.view().row(k));
    }
}

}  // namespace

// Couples all controls and all treated populations of each group and condition. The rank of a target computes
// its distances.
void CloudItems::couple_families(std::uint64_t seed, const mpi::Communicator& comm) {
    const OuterDistance kind = sampling_.draws.outer_distance;
    const PopulationDistance metric = metric_of(kind);
    // A rank with targets of a family holds all sources of the family.
    Matrix<double> target_means(target_cells_.size(), markers_);
    Matrix<double> source_means(source_cells_.size(), markers_);
    set_means(target_cells_, target_means);
    set_means(source_cells_, source_means);
    comm.sum(target_means.values());

    const auto compared = [&](ConstMatrixView<float> cells, std::span<const double> mean, std::uint64_t role,
                              std::size_t index) {
        Matrix<float> x = drawn_cells(cells, sampling_.draws.outer_cells,
                                      core::Stream(seed, core::Purpose::outer_cells, role, index));
        for (std::size_t i = 0; i < x.rows(); ++i) {
            for (std::size_t j = 0; j < x.cols(); ++j)
                x(i, j) = static_cast<float>(static_cast<double>(x(i, j)) - mean[j]);
        }
        return x;
    };
    for (const PopulationFamilies::Family& family : families_.families()) {
        Matrix<double> distance(family.targets.size(), family.sources.size());
        const std::vector<double> target_mean = family_mean(target_means, family.targets);
        const std::vector<double> source_mean = family_mean(source_means, family.sources);
        std::vector<std::size_t> own;
        for (std::size_t i = 0; i < family.targets.size(); ++i) {
            if (target_cells_[family.targets[i]].x.rows > 0) own.push_back(i);
        }
        std::vector<Matrix<float>> source_clouds(own.empty() ? 0 : family.sources.size());
        std::vector<metrics::ComparedPopulation> sources(source_clouds.size());
        core::ParallelError errors;
#pragma omp parallel
        {
#pragma omp for schedule(dynamic)
            for (std::size_t j = 0; j < sources.size(); ++j) {
                errors.run([&] {
                    source_clouds[j] = compared(source_cells_[family.sources[j]].x, source_mean,
                                                outer_sources, family.sources[j]);
                    sources[j] = metrics::compared_population(metric, source_clouds[j].view());
                });
            }
#pragma omp for schedule(dynamic)
            for (std::size_t k = 0; k < own.size(); ++k) {
                errors.run([&] {
                    const std::size_t target = family.targets[own[k]];
                    const Matrix<float> cloud =
                        compared(target_cells_[target].x, target_mean, outer_targets, target);
                    const metrics::ComparedPopulation one =
                        metrics::compared_population(metric, cloud.view());
                    for (std::size_t j = 0; j < sources.size(); ++j)
                        distance(own[k], j) = metrics::population_distance(metric, one, sources[j]);
                });
            }
        }
        errors.rethrow();
        comm.sum(distance.values());
        Matrix<double> cost = distance;
        for (double& value : cost.values()) value = cost_of(kind, value);
        families_.couple(family, cost.view(), distance.view());
    }
}

std::unique_ptr<Sampler> CloudItems::make_sampler(const models::Model& /*model*/, const TrainOptions& train,
                                                  const mpi::Communicator& /*communicator*/) const {
    return std::make_unique<CloudSampler>(*this, constants_, markers_, train.seed, lanes_);
}

}  // namespace popflow::train
