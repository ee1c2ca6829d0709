// SPDX-License-Identifier: MIT
#include "report/pair_statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "core/text.hpp"
#include "metrics/metric.hpp"

namespace popflow::report {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Splits a label into words and the integers between them, for natural order.
std::vector<std::pair<std::string, double>> natural_key(const std::string& label) {
    std::vector<std::pair<std::string, double>> key;
    for (std::size_t i = 0; i < label.size();) {
        std::string word;
        while (i < label.size() && !is_digit(label[i])) word += label[i++];
        double number = -1;
        for (; i < label.size() && is_digit(label[i]); ++i)
            number = 10 * std::max(number, 0.0) + (label[i] - '0');
        key.emplace_back(word, number);
    }
    return key;
}

}  // namespace

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
        const std::string column = eval::split_column_name(
            {.spec = "", .parts = {}, .column = screen::held_out_column(results[file].provenance.split)});
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

WinCount count_wins(const std::vector<PairStatistics>& pairs, const std::string& baseline) {
    WinCount count;
    for (const PairStatistics& pair : pairs) {
        const double model = pair.mean("model");
        const double other = pair.mean(baseline);
        if (std::isnan(model) || std::isnan(other)) continue;
        ++count.pairs;
        if (model < other) ++count.wins;
    }
    return count;
}

std::string wins_text(const std::string& label, const std::string& baseline, const WinCount& count) {
    return fmt::format("{} beats {} in {} of {}", label, baseline, count.wins,
                       core::counted(count.pairs, "pair"));
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

std::vector<std::string> win_notes(const std::vector<eval::Results>& results, const Comparison& comparison) {
    const FigureScope shown = figure_scope(comparison);
    std::vector<std::string> notes;
    for (const ComparisonRow& row : comparison.rows) {
        if (!row.is_model()) continue;
        const WinCount count =
            count_wins(pair_statistics(results, row, shown.part, shown.metric), "mean_shift");
        if (count.pairs == 0) continue;
        notes.push_back(wins_text(row.label(), "mean_shift", count) +
                        fmt::format(" ({}, {})", shown.part, core::upper_case(shown.metric)));
    }
    return notes;
}

std::vector<std::string> sorted_labels(std::vector<std::string> labels) {
    std::ranges::sort(labels, [](const std::string& a, const std::string& b) {
        return std::tuple(natural_key(a), a) < std::tuple(natural_key(b), b);
    });
    labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
    return labels;
}

}  // namespace popflow::report
