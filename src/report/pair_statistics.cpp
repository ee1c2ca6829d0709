// SPDX-License-Identifier: MIT
#include "report/pair_statistics.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

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

std::vector<std::string> sorted_labels(std::vector<std::string> labels) {
    std::ranges::sort(labels, [](const std::string& a, const std::string& b) {
        return std::tuple(natural_key(a), a) < std::tuple(natural_key(b), b);
    });
    labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
    return labels;
}

}  // namespace popflow::report
