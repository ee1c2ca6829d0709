// SPDX-License-Identifier: MIT
#include "report/cluster_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/natural_order.hpp"
#include "eval/predictor.hpp"
#include "metrics/metric.hpp"
#include "screen/screen.hpp"
#include "screen/splits.hpp"

namespace popflow::report {

namespace {

constexpr const char* experiment = "experiment";

// Relative difference of two scores below which they are equal. Predictions are in single precision, so that
// the scores of one model that was computed in two ways differ by about 1e-8.
constexpr double equal_scores = 1e-6;

double difference(double a, double b) {
    const double d = a - b;
    return std::fabs(d) <= equal_scores * std::max(std::fabs(a), std::fabs(b)) ? 0 : d;
}

// Column by which a split holds out pairs.
struct HeldOut {
    std::string noun;    ///< obs column, or `experiment`
    std::string column;  ///< column of the table of pairs, empty for experiments
};

HeldOut held_out(const std::string& split, const RoleColumns& columns) {
    const std::string column = screen::unit_column(split);
    if (column.empty()) return {experiment, ""};
    const std::string stored = eval::split_column_name({.spec = "", .parts = {}, .column = column});
    return {column_of(columns, column), stored.empty() ? column : stored};
}

// Returns the name of the experiment of a row: the name of its pair without the treatment.
std::string experiment_name(const h5::DataFrame& pairs, std::size_t row) {
    const std::string& pair = pairs.strings("pair")[row];
    if (pairs.contains("treatment") && pairs.contains("concentration")) {
        const std::string end = " / " + screen::condition_name(pairs.strings("treatment")[row],
                                                               pairs.strings("concentration")[row]);
        if (pair.ends_with(end)) return pair.substr(0, pair.size() - end.size());
    }
    return pair.substr(0, pair.rfind(" / "));
}

bool has_columns(const h5::DataFrame& pairs) {
    return std::ranges::all_of(std::initializer_list<const char*>{"pair", "part", "predictor", "status"},
                               [&](const char* name) { return pairs.contains(name); });
}

}  // namespace

ClusterStatistics::ClusterStatistics(const std::vector<eval::Results>& results, const Comparison& comparison)
    : results_(results), comparison_(comparison), noun_(experiment) {
    for (const std::size_t file : comparison.results) read_file(file);
}

void ClusterStatistics::read_file(std::size_t file) {
    const h5::DataFrame& pairs = results_[file].pairs;
    if (!has_columns(pairs)) return;
    const HeldOut by = held_out(results_[file].provenance.split, comparison_.columns);
    const bool has_column = !by.column.empty() && pairs.contains(by.column);
    if (has_column) noun_ = by.noun;
    File& read = files_[file];
    for (std::size_t row = 0; row < pairs.rows(); ++row)
        read.cluster.push_back(has_column ? pairs.strings(by.column)[row] : experiment_name(pairs, row));
    for (const std::size_t row : eval::scored_rows(pairs))
        read.rows[pairs.strings("predictor")[row]].push_back(row);
}

std::vector<std::string> ClusterStatistics::predictors() const {
    std::set<std::pair<std::size_t, std::string>> sorted;
    for (const auto& [file, read] : files_) {
        for (const auto& [name, rows] : read.rows) sorted.insert({eval::predictor_index(name), name});
    }
    std::vector<std::string> names;
    for (const auto& [index, name] : sorted) names.push_back(name);
    return names;
}

std::size_t ClusterStatistics::cultures(const std::string& part) const {
    std::set<std::string> names;
    for (const auto& [file, read] : files_) {
        const h5::DataFrame& pairs = results_[file].pairs;
        if (!pairs.contains("culture")) continue;
        for (std::size_t row = 0; row < pairs.rows(); ++row) {
            if (pairs.strings("part")[row] == part) names.insert(pairs.strings("culture")[row]);
        }
    }
    return names.size();
}

std::vector<std::size_t> ClusterStatistics::scope_rows(std::size_t file, const std::string& predictor,
                                                       const Scope& scope) const {
    const auto found = files_.find(file);
    if (found == files_.end()) return {};
    const auto at = found->second.rows.find(predictor);
    if (at == found->second.rows.end()) return {};
    const h5::DataFrame& pairs = results_[file].pairs;
    const eval::Grouping& grouping = results_[file].grouping;
    const std::optional<std::string> group = grouping.group(scope.second);
    if (!group && scope.second != "culture_mean" && scope.second != "pair_mean") return {};
    std::vector<std::size_t> rows;
    for (const std::size_t row : at->second) {
        if (pairs.strings("part")[row] != scope.first) continue;
        if (group && eval::group_label(pairs.strings(grouping.column)[row]) != *group) continue;
        rows.push_back(row);
    }
    return rows;
}

std::size_t ClusterStatistics::stratum(std::size_t file, std::size_t row, const Scope& scope) {
    if (scope.second != "culture_mean" || !results_[file].pairs.contains("culture")) return 0;
    return cultures_.try_emplace(results_[file].pairs.strings("culture")[row], cultures_.size())
        .first->second;
}

const ClusterStatistics::ScopeClusters& ClusterStatistics::scope_clusters(const Scope& scope) {
    const auto known = scopes_.find(scope);
    if (known != scopes_.end()) return known->second;
    std::vector<std::string> names;
    for (const auto& [file, read] : files_) {
        for (const auto& [predictor, rows] : read.rows) {
            for (const std::size_t row : scope_rows(file, predictor, scope))
                names.push_back(read.cluster[row]);
        }
    }
    ScopeClusters clusters;
    const std::vector<std::string> labels = core::sorted_labels(std::move(names));
    for (const std::string& name : labels) clusters.index.emplace(name, clusters.index.size());
    auto& shared = resamples_[clusters.index.size()];
    if (!shared && clusters.index.size() >= 2) shared = std::make_shared<Resamples>(clusters.index.size());
    clusters.resamples = shared;
    return scopes_.emplace(scope, std::move(clusters)).first->second;
}

std::size_t ClusterStatistics::clusters(const Scope& scope) {
    return scope_clusters(scope).index.size();
}

StratifiedMean ClusterStatistics::mean(const ComparisonRow& row, const Scope& scope,
                                       const std::string& metric) {
    StratifiedMean mean;
    const auto scores = row.scores.find(scope);
    if (scores == row.scores.end()) return mean;
    const auto& index = scope_clusters(scope).index;
    for (const std::size_t file : scores->second.results) {
        const h5::DataFrame& pairs = results_[file].pairs;
        if (!pairs.contains(metric)) continue;
        for (const std::size_t i : scope_rows(file, row.predictor, scope))
            mean.add(file, stratum(file, i, scope), index.at(files_.at(file).cluster[i]),
                     pairs.doubles(metric)[i]);
    }
    return mean;
}

std::vector<double> ClusterStatistics::resampled(const ComparisonRow& row, const Scope& scope,
                                                 const std::string& metric) {
    const ScopeClusters& clusters = scope_clusters(scope);
    if (!clusters.resamples) return {};
    const StratifiedMean scores = mean(row, scope, metric);
    return std::isnan(scores.value()) ? std::vector<double>() : scores.resampled(*clusters.resamples);
}

std::optional<Interval> ClusterStatistics::interval(const ComparisonRow& row, const Scope& scope,
                                                    const std::string& metric) {
    return percentile_interval(resampled(row, scope, metric), clusters(scope));
}

PairedTest ClusterStatistics::test(const ComparisonRow& row, const std::string& baseline, const Scope& scope,
                                   const std::string& metric) {
    PairedTest test{.p_value = std::numeric_limits<double>::quiet_NaN()};
    const auto scores = row.scores.find(scope);
    const metrics::Metric* known = metrics::find_metric(metric);
    if (scores == row.scores.end() || known == nullptr) return test;
    const double sign = known->direction == metrics::Direction::higher_is_better ? 1 : -1;
    const ScopeClusters& clusters = scope_clusters(scope);
    StratifiedMean gains;
    std::map<std::string, SeedStatistics> by_pair;
    std::vector<bool> is_used(clusters.index.size());
    for (const std::size_t file : scores->second.results) {
        const h5::DataFrame& pairs = results_[file].pairs;
        if (!pairs.contains(metric)) continue;
        const std::vector<double>& values = pairs.doubles(metric);
        const std::vector<std::string>& names = pairs.strings("pair");
        std::map<std::string, double> baselines;
        for (const std::size_t i : scope_rows(file, baseline, scope)) baselines[names[i]] = values[i];
        for (const std::size_t i : scope_rows(file, row.predictor, scope)) {
            const auto at = baselines.find(names[i]);
            if (at == baselines.end() || std::isnan(at->second) || std::isnan(values[i])) continue;
            const double gain = sign * difference(values[i], at->second);
            const std::size_t cluster = clusters.index.at(files_.at(file).cluster[i]);
            is_used[cluster] = true;
            gains.add(file, stratum(file, i, scope), cluster, gain);
            by_pair[names[i]].add(gain);
        }
    }
    for (const auto& [pair, gain] : by_pair) {
        ++test.pairs;
        test.wins += gain.mean() > 0 ? 1 : 0;
        test.losses += gain.mean() < 0 ? 1 : 0;
    }
    if (test.pairs == 0) return test;
    test.gain = gains.value();
    std::vector<double> contributions;
    const std::vector<double> all = gains.contributions(clusters.index.size());
    for (std::size_t c = 0; c < all.size(); ++c) {
        if (is_used[c]) contributions.push_back(all[c]);
    }
    test.clusters = contributions.size();
    test.p_value = sign_flip_p_value(contributions);
    return test;
}

}  // namespace popflow::report
