// SPDX-License-Identifier: MIT
#include "train/training_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/text.hpp"
#include "models/moment_map.hpp"
#include "models/training_distance.hpp"
#include "mpi/partition.hpp"
#include "screen/pairing_groups.hpp"
#include "screen/read_populations.hpp"
#include "screen/trainable.hpp"
#include "train/latent_fit.hpp"

namespace popflow::train {

namespace {

// Size of a group of populations that is read and written to the file of cells at a time.
constexpr std::size_t max_group_bytes = std::size_t{32} << 20;

// Returns the populations of some pairs in ascending order, each of them once.
std::vector<std::size_t> populations_of(const screen::Screen& screen, std::span<const std::size_t> pairs) {
    std::set<std::size_t> populations;
    for (std::size_t p : pairs) {
        populations.insert(screen.pairs[p].control);
        populations.insert(screen.pairs[p].treated);
    }
    return {populations.begin(), populations.end()};
}

std::size_t cells_in(const screen::Screen& screen, std::span<const std::size_t> populations) {
    std::size_t cells = 0;
    for (const std::size_t p : populations) cells += screen.populations[p].n_cells;
    return cells;
}

// Returns whether cells of these sizes go to a file.
bool goes_to_file(const CellStorage& storage, std::size_t cells, std::size_t columns) {
    return !storage.folder.empty() && cells * (columns * sizeof(float) + 1) > storage.max_in_memory;
}

}  // namespace

TrainingSet::TrainingSet(const screen::Screen& screen, const screen::Split& split,
                         const TrainingSetOptions& options, const mpi::Communicator& comm,
                         const CellStorage& storage, screen::TreatmentVectors vectors)
    : screen_(screen),
      pairs_(split.pairs(screen::Part::train)),
      latent_size_(options.latent),
      start_(options.start),
      controls_are_sources_(options.controls_are_sources) {
    if (options.rows_correspond) check_rows_correspond();
    deal_pairs(options);
    if (latent_size_ > 0)
        check_latent_size(latent_size_, screen.markers.size(),
                          cells_in(screen, populations_of(screen, pairs_)));
    own_lanes_ = mpi::lanes_of_rank(options.lanes, comm.rank(), comm.size());
    std::vector<std::size_t> conditioned;
    std::ranges::copy_if(pairs_, std::back_inserter(conditioned),
                         [&](std::size_t p) { return !is_source(p); });
    conditions_ = screen::Conditions::from_pairs(screen, conditioned, std::move(vectors));
    screen::check_vectors(screen, conditions_.vectors());
    units_ = screen::population_units(screen, split);
    number_cell_types();
    number_controls();
    if (!options.reads_cells) return;
    read_cells(storage);
    const Statistics markers = gather_statistics(comm);
    range_ = markers.range;
    try {
        normalisation_ = options.normalise ? screen::make_normalisation(markers.all)
                                           : screen::no_normalisation(screen.markers.size());
    } catch (const core::NumericalError& error) {
        throw core::DataError(screen.file, "X", error.what());
    }
    if (latent_size_ > 0) {
        enter_latent_space(markers, options, storage, comm);
        return;
    }
    mean_shifts_ = mean_shifts_of(markers, normalisation_.scale);
    fit_moment_map(markers, normalisation_);
    normalise_cells(normalisation_);
}

// Partitions the pairs into lanes.
void TrainingSet::deal_pairs(const TrainingSetOptions& options) {
    std::vector<std::size_t> dealt;
    std::vector<std::size_t> weights;
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
        if (options.shares_sources && is_source(pairs_[i])) continue;
        const screen::PopulationPair& pair = screen_.pairs[pairs_[i]];
        dealt.push_back(i);
        weights.push_back(screen_.populations[pair.control].n_cells +
                          screen_.populations[pair.treated].n_cells);
    }
    n_dealt_ = dealt.size();
    if (options.lanes > n_dealt_) {
        throw core::ConfigError(
            "batch-pairs", fmt::format("found {}, but there are {}. Give at most one slot for each of them",
                                       options.lanes, core::counted(n_dealt_, "training pair")));
    }
    lane_pairs_ = mpi::partition_by_weight(weights, options.lanes);
    for (std::vector<std::size_t>& lane : lane_pairs_) {
        for (std::size_t& i : lane) i = dealt[i];
    }
    if (n_dealt_ == pairs_.size()) return;
    groups_ = screen::pairing_groups(screen_);
    const auto group_of = [&](std::size_t i) { return groups_[screen_.pairs[pairs_[i]].treated]; };
    std::map<std::size_t, std::size_t> lane_of_group;
    for (std::size_t lane = 0; lane < lane_pairs_.size(); ++lane) {
        for (const std::size_t i : lane_pairs_[lane]) lane_of_group.emplace(group_of(i), lane);
    }
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
        if (is_source(pairs_[i])) lane_of_source_[i] = lane_of_group[group_of(i)];
    }
}

// Returns the shared sources that this rank holds, as indices into pairs_: those in the groups of its
// targets, and those that it counts.
std::vector<std::size_t> TrainingSet::own_sources() const {
    std::set<std::size_t> groups;
    for (const std::size_t lane : own_lanes_) {
        if (lane_of_source_.empty()) break;
        for (const std::size_t i : lane_pairs_[lane])
            groups.insert(groups_[screen_.pairs[pairs_[i]].treated]);
    }
    std::vector<std::size_t> own;
    for (const auto& [i, lane] : lane_of_source_) {
        if (groups.contains(groups_[screen_.pairs[pairs_[i]].treated]) ||
            std::ranges::find(own_lanes_, lane) != own_lanes_.end())
            own.push_back(i);
    }
    return own;
}

std::vector<TrainingSet::Source> TrainingSet::sources() const {
    std::vector<Source> sources;
    for (const std::size_t i : own_sources())
        sources.push_back({i, population_cells(screen_.pairs[pairs_[i]].treated)});
    return sources;
}

// Replaces the cells by their coordinates in the components of all of them.
void TrainingSet::enter_latent_space(const Statistics& markers, const TrainingSetOptions& options,
                                     const CellStorage& storage, const mpi::Communicator& comm) {
    normalise_cells(normalisation_);
    marker_shifts_ = mean_shifts_of(markers, normalisation_.scale);
    std::vector<std::size_t> counted;
    for (const std::size_t p : counted_populations(markers.populations)) counted.push_back(own_index(p));
    latent_ = fit_latent_space({cells_, counted, markers.all, normalisation_}, latent_size_, comm);

    std::vector<std::size_t> sizes;
    for (const std::size_t p : own_populations_) sizes.push_back(screen_.populations[p].n_cells);
    const bool in_file = goes_to_file(storage, cells_in(screen_, own_populations_), latent_size_);
    screen::CellStore coordinates(sizes, latent_size_, in_file ? storage.folder : "");
    for (std::size_t k = 0; k < own_populations_.size(); ++k) {
        const screen::CellsView from = cells_.cells(k);
        const screen::CellsSpan to = coordinates.destination(k);
        const linalg::Matrix<float> z = latent_.project(from.x);
        for (std::size_t i = 0; i < z.rows(); ++i) std::ranges::copy(z.view().row_span(i), to.x.row(i));
        std::ranges::copy(from.cell_type, to.cell_type.begin());
        cells_.evict(k);
        coordinates.evict(k);
    }
    cells_ = std::move(coordinates);
    compute_moments();
    const Statistics statistics = gather_statistics(comm);
    screen::Normalisation scaling = screen::no_normalisation(latent_size_);  // the mean is zero
    if (options.normalise) scaling.scale = screen::make_normalisation(statistics.all).scale;
    latent_.scale = scaling.scale;
    mean_shifts_ = mean_shifts_of(statistics, scaling.scale);
    fit_moment_map(statistics, scaling);
    normalise_cells(scaling);
}

// The encoder sees only cells of controls. A type of other cells would have an input that is never trained.
void TrainingSet::number_cell_types() {
    std::set<std::uint8_t> trained;
    for (const std::size_t p : pairs_) {
        const screen::Population& control = screen_.populations[screen_.pairs[p].control];
        trained.insert(control.cell_types.begin(), control.cell_types.end());
    }
    type_number_.assign(screen_.cell_types.size(), models::unknown_cell_type);
    for (const std::uint8_t type : trained) {
        type_number_[type] = static_cast<std::uint8_t>(cell_types_.size());
        cell_types_.push_back(screen_.cell_types[type]);
    }
}

void TrainingSet::number_controls() {
    std::set<std::size_t> controls;
    for (const std::size_t p : pairs_) controls.insert(screen_.pairs[p].control);
    control_populations_.assign(controls.begin(), controls.end());
    for (const std::size_t p : pairs_) {
        const auto at = std::ranges::lower_bound(control_populations_, screen_.pairs[p].control);
        control_of_pair_.push_back(static_cast<std::size_t>(at - control_populations_.begin()));
    }
}

std::size_t TrainingSet::own_index(std::size_t population) const {
    return static_cast<std::size_t>(std::ranges::lower_bound(own_populations_, population) -
                                    own_populations_.begin());
}

screen::CellsView TrainingSet::population_cells(std::size_t population) const {
    return cells_.cells(own_index(population));
}

void TrainingSet::read_cells(const CellStorage& storage) {
    std::vector<std::size_t> own_pairs;
    for (std::size_t lane : own_lanes_) {
        for (std::size_t i : lane_pairs_[lane]) own_pairs.push_back(pairs_[i]);
    }
    for (const std::size_t i : own_sources()) own_pairs.push_back(pairs_[i]);
    own_populations_ = populations_of(screen_, own_pairs);
    moments_.resize(own_populations_.size());
    ranges_.resize(own_populations_.size());
    type_shares_.resize(own_populations_.size());
    std::vector<std::size_t> sizes;
    for (const std::size_t population : own_populations_)
        sizes.push_back(screen_.populations[population].n_cells);
    const bool in_file = goes_to_file(storage, cells_in(screen_, own_populations_), screen_.markers.size());
    cells_ = screen::CellStore(sizes, screen_.markers.size(), in_file ? storage.folder : "");
    if (!in_file) return read_group(own_populations_);

    // Reads in the order of the file. A group ends only where none of its populations continues, so that each
    // row is read once.
    std::vector<std::size_t> order = own_populations_;
    std::ranges::sort(order, {}, [&](std::size_t p) { return screen_.populations[p].first_row; });
    std::vector<std::size_t> group;
    std::size_t group_bytes = 0;
    std::size_t end_row = 0;
    for (const std::size_t p : order) {
        const screen::Population& population = screen_.populations[p];
        if (group_bytes > max_group_bytes && population.first_row >= end_row) {
            read_group(group);
            group.clear();
            group_bytes = 0;
        }
        group.push_back(p);
        group_bytes += population.n_cells * screen_.markers.size() * sizeof(float);
        end_row = std::max(end_row, population.end_row);
    }
    read_group(group);
}

void TrainingSet::read_group(std::span<const std::size_t> group) {
    std::vector<screen::CellsSpan> destination;
    for (const std::size_t population : group)
        destination.push_back(cells_.destination(own_index(population)));
    screen::read_populations(screen_, group, destination);
    for (std::size_t k = 0; k < group.size(); ++k) {
        moments_[own_index(group[k])] = screen::moments(destination[k].x);
        ranges_[own_index(group[k])].include(destination[k].x);
        for (std::uint8_t& type : destination[k].cell_type) type = type_number_[type];
        type_shares_[own_index(group[k])] = models::type_shares(destination[k].cell_type, shape().cell_types);
        cells_.evict(own_index(group[k]));
    }
}

void TrainingSet::normalise_cells(const screen::Normalisation& normalisation) {
    for (std::size_t k = 0; k < own_populations_.size(); ++k) {
        normalisation.apply(cells_.destination(k).x);
        cells_.evict(k);
    }
}

// Computes the moments and ranges of the populations of this rank again.
void TrainingSet::compute_moments() {
    for (std::size_t k = 0; k < own_populations_.size(); ++k) {
        moments_[k] = screen::moments(cells_.cells(k).x);
        ranges_[k] = {};
        ranges_[k].include(cells_.cells(k).x);
        cells_.evict(k);
    }
}

void TrainingSet::check_rows_correspond() const {
    for (const std::size_t p : pairs_) {
        const screen::PopulationPair& pair = screen_.pairs[p];
        const std::size_t n_control = screen_.populations[pair.control].n_cells;
        const std::size_t n_treated = screen_.populations[pair.treated].n_cells;
        if (n_control == n_treated) continue;
        throw core::DataError(screen_.file, "coupling rows",
                              fmt::format("found {} cells in {} and {} in {}. Rows correspond only in "
                                          "populations of equal size: use --coupling ot",
                                          n_control, screen::population_label(screen_, pair.control),
                                          n_treated, screen::population_label(screen_, pair.treated)));
    }
}

// Returns the populations that this rank counts: those whose first lane it has.
std::vector<std::size_t> TrainingSet::counted_populations(std::span<const std::size_t> populations) const {
    std::map<std::size_t, std::size_t> lane_of;
    for (std::size_t lane = 0; lane < lane_pairs_.size(); ++lane) {
        for (std::size_t i : lane_pairs_[lane]) {
            lane_of.emplace(screen_.pairs[pairs_[i]].control, lane);
            lane_of.emplace(screen_.pairs[pairs_[i]].treated, lane);
        }
    }
    for (const auto& [i, lane] : lane_of_source_) lane_of.emplace(screen_.pairs[pairs_[i]].treated, lane);
    std::vector<std::size_t> counted;
    std::ranges::copy_if(populations, std::back_inserter(counted), [&](std::size_t p) {
        return std::ranges::find(own_lanes_, lane_of.at(p)) != own_lanes_.end();
    });
    return counted;
}

std::span<const double> TrainingSet::Statistics::row(std::size_t population) const {
    return table.view().row_span(
        static_cast<std::size_t>(std::ranges::lower_bound(populations, population) - populations.begin()));
}

TrainingSet::Statistics TrainingSet::gather_statistics(const mpi::Communicator& comm) const {
    Statistics statistics{.populations = populations_of(screen_, pairs_),
                          .table = {},
                          .d = latent_.is_empty() ? screen_.markers.size() : latent_.size(),
                          .all = {},
                          .range = {}};
    const std::size_t d = statistics.d;
    linalg::Matrix<double>& table = statistics.table;
    table = linalg::Matrix<double>(statistics.populations.size(), 1 + 4 * d + shape().cell_types);
    for (const std::size_t p : counted_populations(statistics.populations)) {
        const auto i = static_cast<std::size_t>(std::ranges::lower_bound(statistics.populations, p) -
                                                statistics.populations.begin());
        const screen::Moments& moments = moments_[own_index(p)];
        double* row = table.view().row(i);
        row[0] = static_cast<double>(moments.n);
        std::ranges::copy(moments.mean, row + 1);
        std::ranges::copy(moments.m2, row + 1 + d);
        const screen::ValueRange& range = ranges_[own_index(p)];
        std::ranges::copy(range.min, row + 1 + 2 * d);
        std::ranges::copy(range.max, row + 1 + 3 * d);
        std::ranges::copy(type_shares_[own_index(p)], row + 1 + 4 * d);
    }
    comm.sum(table.values());

    for (std::size_t i = 0; i < table.rows(); ++i) {
        const double* row = table.view().row(i);
        const screen::Moments one{
            static_cast<std::uint64_t>(row[0]), {row + 1, row + 1 + d}, {row + 1 + d, row + 1 + 2 * d}};
        statistics.all = i == 0 ? one : screen::combine(statistics.all, one);
        linalg::Matrix<float> ends(2, d);
        std::transform(row + 1 + 2 * d, row + 1 + 4 * d, ends.values().begin(),
                       [](double value) { return static_cast<float>(value); });
        statistics.range.include(ends.view());
    }
    return statistics;
}

// Whether a pair is a control that flows start at, and has no condition.
bool TrainingSet::is_source(std::size_t pair) const {
    return controls_are_sources_ && screen_.populations[screen_.pairs[pair].treated].control;
}

linalg::Matrix<float> TrainingSet::unpaired_shifts_of(const Statistics& statistics, float scale) const {
    const std::size_t d = statistics.d;
    linalg::Matrix<float> shifts(conditions_.count(), d);
    linalg::Matrix<double> sums(conditions_.count() + 1, d);  // the last row is that of the controls
    std::vector<double> count(sums.rows(), 0);
    for (const std::size_t p : pairs_) {
        const screen::Population& population = screen_.populations[screen_.pairs[p].treated];
        const std::size_t row =
            population.control ? conditions_.count() : conditions_.index(population).value();
        const double* mean = statistics.row(screen_.pairs[p].treated).data() + 1;
        for (std::size_t j = 0; j < d; ++j) sums(row, j) += mean[j];
        count[row] += 1;
    }
    if (count.back() == 0) return shifts;
    for (std::size_t c = 0; c < shifts.rows(); ++c) {
        if (count[c] == 0) continue;
        for (std::size_t j = 0; j < d; ++j)
            shifts(c, j) = static_cast<float>(
                (sums(c, j) / count[c] - sums(shifts.rows(), j) / count.back()) / static_cast<double>(scale));
    }
    return shifts;
}

// Returns the mean shift of each condition [count, d], divided by a scale.
linalg::Matrix<float> TrainingSet::mean_shifts_of(const Statistics& statistics, float scale) const {
    if (screen_.options.unpaired) return unpaired_shifts_of(statistics, scale);
    const std::size_t d = statistics.d;
    linalg::Matrix<double> shift(conditions_.count(), d);
    std::vector<double> count(conditions_.count(), 0);
    for (std::size_t p : pairs_) {
        const std::size_t c = conditions_.index(screen_.populations[screen_.pairs[p].treated]).value();
        const double* control = statistics.row(screen_.pairs[p].control).data() + 1;
        const double* treated = statistics.row(screen_.pairs[p].treated).data() + 1;
        for (std::size_t j = 0; j < d; ++j) shift(c, j) += treated[j] - control[j];
        count[c] += 1;
    }
    linalg::Matrix<float> shifts(shift.rows(), d);
    for (std::size_t c = 0; c < shift.rows(); ++c) {
        for (std::size_t j = 0; j < d; ++j)
            shifts(c, j) = static_cast<float>(shift(c, j) / count[c] / static_cast<double>(scale));
    }
    return shifts;
}

// Computes the statistics of the controls, and fits the moment map to the moments of the populations, which
// are not normalised.
void TrainingSet::fit_moment_map(const Statistics& statistics, const screen::Normalisation& normalisation) {
    if (screen_.options.unpaired) return;
    const std::size_t d = statistics.d;
    const linalg::Matrix<double>& table = statistics.table;
    const auto scale = static_cast<double>(normalisation.scale);
    linalg::Matrix<double> mean(table.rows(), d);
    linalg::Matrix<double> deviation(table.rows(), d);
    for (std::size_t i = 0; i < table.rows(); ++i) {
        for (std::size_t j = 0; j < d; ++j) {
            mean(i, j) = (table(i, 1 + j) - static_cast<double>(normalisation.mean[j])) / scale;
            deviation(i, j) = std::sqrt(table(i, 1 + d + j) / table(i, 0)) / scale;
        }
    }
    const auto row_of = [&](std::size_t population) {
        return static_cast<std::size_t>(std::ranges::lower_bound(statistics.populations, population) -
                                        statistics.populations.begin());
    };
    for (const std::size_t control : control_populations_) {
        const std::size_t i = row_of(control);
        const std::span<const double> shares = table.view().row_span(i).subspan(1 + 4 * d);
        const auto values = [&](const linalg::Matrix<double>& rows) {
            return std::vector<double>(rows.view().row(i), rows.view().row(i) + d);
        };
        controls_.push_back({values(mean), values(deviation), {shares.begin(), shares.end()}});
    }
    const models::MomentMap map = models::make_moment_map_baseline(shape());
    linalg::Matrix<double> summaries(pairs_.size(), map.summary_size());
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
        const screen::PopulationPair& pair = screen_.pairs[pairs_[i]];
        const screen::Population& treated = screen_.populations[pair.treated];
        const std::vector<float> condition = conditions_.encode(treated);
        map.write_summary({.condition_row = conditions_.index(treated).value(),
                           .unit = units_[pairs_[i]],
                           .condition = condition,
                           .type_shares = {},
                           .control_mean = mean.view().row_span(row_of(pair.control)),
                           .control_deviation = deviation.view().row_span(row_of(pair.control)),
                           .treated_mean = mean.view().row_span(row_of(pair.treated)),
                           .treated_deviation = deviation.view().row_span(row_of(pair.treated))},
                          summaries.view().row_span(i));
    }
    moment_map_.assign(map.layout().size(), 0.0F);
    map.fit(summaries, moment_map_);
    std::vector<std::size_t> units;
    for (const std::size_t p : pairs_) units.push_back(units_[p]);
    typical_distance_ = models::typical_distance(map.features(moment_map_), units);
}

std::size_t TrainingSet::conditions_with_few_units(std::size_t min) const {
    std::vector<std::set<std::size_t>> units(conditions_.count());
    for (const std::size_t p : pairs_) {
        if (is_source(p)) continue;
        const screen::Population& treated = screen_.populations[screen_.pairs[p].treated];
        units[conditions_.index(treated).value()].insert(units_[p]);
    }
    return static_cast<std::size_t>(
        std::ranges::count_if(units, [&](const std::set<std::size_t>& own) { return own.size() < min; }));
}

models::DataShape TrainingSet::shape() const {
    return {.markers = latent_size_ > 0 ? latent_size_ : screen_.markers.size(),
            .cell_types = cell_types_.size() > 1 ? cell_types_.size() : 0,
            .conditions = conditions_.size(),
            .condition_rows = conditions_.count(),
            .training_pairs = pairs_.size()};
}

std::vector<PairLane> TrainingSet::lanes() const {
    std::vector<PairLane> lanes;
    const models::MomentMap map = models::make_moment_map_baseline(shape());
    const models::StartStatistics statistics{&map, moment_map_, mean_shifts_, typical_distance_};
    for (std::size_t slot : own_lanes_) {
        PairLane lane{.slot = slot,
                      .weight = lane_weight(lane_pairs_[slot].size(), lane_pairs_.size(), n_dealt_),
                      .pairs = {}};
        for (std::size_t i : lane_pairs_[slot]) {
            const screen::PopulationPair& pair = screen_.pairs[pairs_[i]];
            const screen::Population& treated = screen_.populations[pair.treated];
            lane.pairs.push_back(
                {.index = i,
                 .control = population_cells(pair.control),
                 .treated = population_cells(pair.treated),
                 .condition = is_source(pairs_[i]) ? std::vector<float>{} : conditions_.encode(treated),
                 .condition_row = conditions_.index(treated).value_or(0),
                 .unit = units_[pairs_[i]]});
            if (start_ == models::StartKind::none) continue;
            TrainingPair& added = lane.pairs.back();
            const std::span<const float> means = map.features(moment_map_).row_span(i);
            added.start = StartMove{models::start_change(start_, statistics, means, added.condition_row),
                                    {means.begin(), means.end()}};
        }
        lanes.push_back(std::move(lane));
    }
    return lanes;
}

}  // namespace popflow::train
