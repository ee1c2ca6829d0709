// SPDX-License-Identifier: MIT
#include "eval/report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>

namespace popflow::eval {

namespace {

struct Column {
    const char* metric;
    const char* title;
    double factor;
};
constexpr Column columns[] = {
    {"w1", "W1", 1}, {"w2", "W2", 1}, {"mmd", "MMD e-3", 1000}, {"r2", "r2", 1}, {"energy", "energy", 1}};

// Name of a row: the model by its method, the others by their predictor.
std::string row_name(const Provenance& p, const std::string& predictor) {
    if (predictor != "model") return predictor;
    std::string name = p.method;
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (p.method == "mfm") name += " k=" + std::to_string(p.knn);
    if (p.base == "gaussian") name += " w/ N";
    if (p.method == "icnn" && p.condition == "treatment") name += " + treatment";
    if (p.recipe == "paper") name += " (paper)";
    return name;
}

// One line of a table: the values of each column over the seeds.
struct Row {
    std::string name;
    std::size_t order = 0;  ///< of the predictor
    std::vector<std::vector<double>> values{std::size(columns)};
    std::set<std::uint64_t> seeds{};
    std::int64_t n_pairs = 0;
    std::int64_t n_failed = 0;
};

// (part, aggregation) -> rows in the order in which they were met, models first.
using Tables = std::map<std::pair<std::string, std::string>, std::vector<Row>>;

void add_results(const Results& results, Tables& tables) {
    const h5::DataFrame& summary = results.summary;
    for (std::size_t i = 0; i < summary.rows(); ++i) {
        auto& rows = tables[{summary.strings("part")[i], summary.strings("aggregation")[i]}];
        const std::string& predictor = summary.strings("predictor")[i];
        const std::string name = row_name(results.provenance, predictor);
        auto at = std::ranges::find(rows, name, &Row::name);
        if (at == rows.end()) {
            const auto order = std::ranges::find(predictor_names(), predictor) - predictor_names().begin();
            rows.push_back({.name = name, .order = static_cast<std::size_t>(order)});
            at = rows.end() - 1;
        }
        for (std::size_t c = 0; c < std::size(columns); ++c) {
            at->values[c].push_back(columns[c].factor * summary.doubles(columns[c].metric)[i]);
        }
        at->seeds.insert(results.provenance.seed);
        at->n_pairs = summary.ints("n_pairs")[i];
        at->n_failed += summary.ints("n_failed")[i];
    }
}

Tables collect(const std::vector<Results>& results) {
    Tables tables;
    for (const Results& r : results) add_results(r, tables);
    for (auto& [key, rows] : tables) std::ranges::stable_sort(rows, {}, &Row::order);
    return tables;
}

std::string cell_text(const std::vector<double>& values) {
    double mean = 0;
    for (double v : values) mean += v / static_cast<double>(values.size());
    if (std::isnan(mean)) return "-";
    double variance = 0;
    for (double v : values) variance += (v - mean) * (v - mean);
    char text[64];
    const int digits = std::abs(mean) >= 100 ? 1 : std::abs(mean) >= 10 ? 2 : 3;
    // Predictors that do not learn score the same with every seed.
    if (std::ranges::any_of(values, [&](double v) { return v != values.front(); })) {
        // the standard deviation over seeds, of the sample
        variance /= static_cast<double>(values.size() - 1);
        std::snprintf(text, sizeof text, "%.*f +- %.*f", digits, mean, digits, std::sqrt(variance));
    } else {
        std::snprintf(text, sizeof text, "%.*f", digits, mean);
    }
    return text;
}

std::string padded(const std::string& text, std::size_t width, bool left) {
    const std::string space(width > text.size() ? width - text.size() : 0, ' ');
    return left ? text + space : space + text;
}

std::string table_text(const std::vector<Row>& rows) {
    std::vector<std::vector<std::string>> grid{{""}};
    for (const Column& column : columns) grid[0].emplace_back(column.title);
    for (const Row& row : rows) {
        grid.push_back({row.name});
        for (const auto& values : row.values) grid.back().push_back(cell_text(values));
    }
    std::vector<std::size_t> width(grid[0].size(), 0);
    for (const auto& line : grid) {
        for (std::size_t c = 0; c < line.size(); ++c) width[c] = std::max(width[c], line[c].size());
    }
    std::string text;
    for (const auto& line : grid) {
        std::string out = "  ";
        for (std::size_t c = 0; c < line.size(); ++c) out += padded(line[c], width[c], c == 0) + "  ";
        out.erase(out.find_last_not_of(' ') + 1);
        text += out + "\n";
    }
    return text;
}

std::string heading(const std::pair<std::string, std::string>& key, const std::vector<Row>& rows,
                    bool one_culture) {
    const auto& [part, aggregation] = key;
    std::string how = ", " + aggregation;
    if (aggregation == "culture_mean") how = one_culture ? ", mean over pairs" : ", mean over cultures";
    if (aggregation.starts_with("culture:")) how = ", culture " + aggregation.substr(8);
    std::size_t seeds = 1;
    std::int64_t failed = 0;
    for (const Row& row : rows) {
        seeds = std::max(seeds, row.seeds.size());
        failed += row.n_failed;
    }
    std::string text = part + how + " (" + std::to_string(rows.front().n_pairs) + " pairs";
    if (seeds > 1) text += ", " + std::to_string(seeds) + " seeds";
    if (failed > 0) text += ", " + std::to_string(failed) + " scores failed";
    return text + ")\n";
}

}  // namespace

std::string report_text(const std::vector<Results>& results) {
    const Tables tables = collect(results);
    std::set<std::string> cultures;
    for (const auto& [key, rows] : tables) {
        if (key.second.starts_with("culture:")) cultures.insert(key.second);
    }
    std::string text;
    for (const auto& [key, rows] : tables) {
        if (key.second == "pair_mean" && cultures.empty()) continue;  // the same as the cultures' mean
        if (!text.empty()) text += "\n";
        text += heading(key, rows, cultures.empty()) + table_text(rows);
    }
    return text;
}

std::string report_markdown(const std::vector<Results>& results) {
    std::string text;
    for (const auto& [key, rows] : collect(results)) {
        if (key.second != "culture_mean") continue;
        text += "| " + key.first + " |";
        std::string rule = "|---|";
        for (const Column& column : columns) {
            text += ' ';
            text += column.title;
            text += " |";
            rule += "---|";
        }
        text += "\n" + rule + "\n";
        for (const Row& row : rows) {
            text += "| " + row.name + " |";
            for (const auto& values : row.values) text.append(" ").append(cell_text(values)).append(" |");
            text += "\n";
        }
    }
    return text;
}

}  // namespace popflow::eval
