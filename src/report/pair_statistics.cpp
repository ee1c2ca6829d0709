// SPDX-License-Identifier: MIT
#include "report/pair_statistics.hpp"

#include <algorithm>
#include <limits>

#include "metrics/metric.hpp"

namespace popflow::report {

double PairStatistics::mean(const std::string& predictor) const {
    const auto at = by_predictor.find(predictor);
    return at == by_predictor.end() ? std::numeric_limits<double>::quiet_NaN() : at->second.mean();
}

std::vector<PairStatistics> pair_statistics(const std::vector<eval::Results>& results,
                                            const ComparisonRow& row, const std::string& part,
                                            const std::string& metric) {
    std::vector<PairStatistics> statistics;
    std::map<std::string, std::size_t> indices;
    for (std::size_t file : row.results) {
        const h5::DataFrame& pairs = results[file].pairs;
        const std::string held_out = screen::held_out_column(results[file].provenance.split);
        const std::string stored = eval::split_column_name({.spec = "", .parts = {}, .column = held_out});
        const std::string column = stored.empty() ? held_out : stored;
        const bool has_column = !column.empty() && pairs.contains(column);
        for (std::size_t i = 0; i < pairs.rows(); ++i) {
            if (pairs.strings("part")[i] != part) continue;
            const std::string& name = pairs.strings("pair")[i];
            const auto [at, is_new] = indices.try_emplace(name, statistics.size());
            if (is_new) {
                statistics.push_back({.name = name,
                                      .patient = pairs.strings("patient")[i],
                                      .culture = pairs.strings("culture")[i],
                                      .treatment = pairs.strings("treatment")[i],
                                      .part = part,
                                      .column = has_column ? column : "",
                                      .value = has_column ? pairs.strings(column)[i] : ""});
            }
            if (pairs.strings("status")[i] == "ok" && pairs.contains(metric))
                statistics[at->second].by_predictor[pairs.strings("predictor")[i]].add(
                    pairs.doubles(metric)[i]);
        }
    }
    return statistics;
}

FigureScope figure_scope(const Comparison& comparison) {
    const std::vector<Scope> scopes = comparison.scopes();
    if (scopes.empty()) return {};
    FigureScope shown{.part = scopes.front().first, .metric = ""};
    int lowest = std::numeric_limits<int>::max();
    for (const metrics::Metric& metric : metrics::all_metrics()) {
        if (metric.figure_rank == 0 || metric.figure_rank >= lowest) continue;
        const bool was_computed = std::ranges::any_of(comparison.rows, [&](const ComparisonRow& row) {
            return row.find({shown.part, "culture_mean"}, metric.name) != nullptr;
        });
        if (!was_computed) continue;
        lowest = metric.figure_rank;
        shown.metric = metric.name;
    }
    return shown;
}

}  // namespace popflow::report
