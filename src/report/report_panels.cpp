// SPDX-License-Identifier: MIT
#include "report/report_panels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/text.hpp"
#include "linalg/principal_components.hpp"
#include "report/plot/chart.hpp"
#include "report/plot/heat_map.hpp"
#include "report/plot/markup.hpp"

namespace popflow::report {

namespace {

using Texts = std::vector<std::string>;

std::string panel(const std::string& heading, const std::string& content) {
    return plot::element("figure", "", plot::element("h4", "", plot::escaped(heading)) + content) + "\n";
}

std::size_t index_of(const Texts& names, const std::string& name) {
    return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
}

template <class Items, class Member>
Texts labels_of(const Items& items, Member member) {
    Texts labels;
    for (const auto& item : items) labels.push_back(item.*member);
    return sorted_labels(labels);
}

// Replaces a long series by the means of `points` intervals. More points would not make a line clearer.
std::vector<double> downsample(const std::vector<double>& values, std::size_t points = 300) {
    if (values.size() <= points) return values;
    std::vector<double> out;
    for (std::size_t p = 0; p < points; ++p) {
        const std::size_t first = p * values.size() / points;
        const std::size_t last = (p + 1) * values.size() / points;
        double sum = 0;
        for (std::size_t i = first; i < last; ++i) sum += values[i];
        out.push_back(sum / static_cast<double>(last - first));
    }
    return out;
}

// Returns the mean of a predictor minus the noise floor over some pairs.
double mean_excess(const std::vector<const PairStatistics*>& pairs, const std::string& predictor) {
    SeedStatistics differences;
    for (const PairStatistics* pair : pairs)
        differences.add(pair->mean(predictor) - pair->mean("noise_floor"));
    return differences.mean();
}

// Property that pairs are grouped by.
struct Grouping {
    const char* name;
    std::string PairStatistics::*member;
};
constexpr Grouping by_patient{"patient", &PairStatistics::patient};
constexpr Grouping by_culture{"culture", &PairStatistics::culture};
constexpr Grouping by_treatment{"treatment", &PairStatistics::treatment};

// Returns the rows and columns of the heat maps. The column by which the split holds out pairs comes first.
std::vector<std::pair<Grouping, Grouping>> heat_maps(const std::vector<PairStatistics>& pairs) {
    std::vector<std::pair<Grouping, Grouping>> maps{
        {by_patient, by_treatment}, {by_culture, by_treatment}, {by_patient, by_culture}};
    if (!pairs.empty() && !pairs.front().column.empty())
        maps.insert(maps.begin(),
                    {Grouping{pairs.front().column.c_str(), &PairStatistics::value}, by_treatment});
    return maps;
}

// Pairs of each cell of a heat map, by row and column.
using PairGroups = std::map<std::pair<std::string, std::string>, std::vector<const PairStatistics*>>;

PairGroups group_pairs(const std::vector<PairStatistics>& pairs, std::string PairStatistics::*row,
                       std::string PairStatistics::*column) {
    PairGroups groups;
    for (const PairStatistics& pair : pairs) groups[{pair.*row, pair.*column}].push_back(&pair);
    return groups;
}

plot::HeatCell heat_cell(const PairGroups& groups, const std::string& row, const std::string& column) {
    const auto at = groups.find({row, column});
    if (at == groups.end()) return {.value = std::numeric_limits<double>::quiet_NaN()};
    const double value = mean_excess(at->second, "model");
    return {.value = value,
            .title = fmt::format("{}, {}\nmodel - noise floor: {}\ncontrol - noise floor: {}\npairs: {}", row,
                                 column, plot::value_text(value),
                                 plot::value_text(mean_excess(at->second, "identity")), at->second.size())};
}

std::string heat_panel(const std::vector<PairStatistics>& pairs, const Grouping& rows,
                       const Grouping& columns, const std::string& name, const std::string& label,
                       double high) {
    const PairGroups groups = group_pairs(pairs, rows.member, columns.member);
    const Texts row_names = labels_of(pairs, rows.member);
    const Texts column_names = labels_of(pairs, columns.member);
    std::vector<std::vector<plot::HeatCell>> cells;
    for (const std::string& row : row_names) {
        cells.emplace_back();
        for (const std::string& column : column_names) cells.back().push_back(heat_cell(groups, row, column));
    }
    return panel(
        name + " above the noise floor, " + rows.name + " by " + columns.name,
        plot::heat_map(name + " of " + label + " minus the noise floor, " + rows.name + " by " + columns.name,
                       row_names, column_names, cells, 0, high));
}

// Control population with its first two principal components.
struct EmbeddedPopulation {
    std::string name;
    std::string patient;
    std::string culture;
    std::string part;
    double x = 0;
    double y = 0;
};

// Returns the embedded control populations of a result file. Pairs that share a control and its draw of cells
// share an embedding, which occurs once.
std::vector<EmbeddedPopulation> embedded_populations(const eval::Results& results,
                                                     const linalg::PrincipalComponents& components) {
    std::map<std::string, std::size_t> rows;
    const h5::DataFrame& pairs = results.pairs;
    for (std::size_t i = 0; i < pairs.rows(); ++i) rows.try_emplace(pairs.strings("pair")[i], i);
    std::vector<EmbeddedPopulation> found;
    std::set<std::tuple<std::string, double, double>> seen;
    for (std::size_t e = 0; e < results.embedding_names.size(); ++e) {
        const std::string& pair = results.embedding_names[e];
        const auto row = rows.find(pair);
        if (row == rows.end()) continue;
        const std::string experiment = pair.substr(0, pair.rfind(" / "));
        const double x = components.scores(e, 0);
        const double y = components.scores(e, 1);
        if (!seen.insert({experiment, x, y}).second) continue;
        const auto text = [&](const char* column) { return pairs.strings(column)[row->second]; };
        found.push_back({experiment, text("patient"), text("culture"), text("part"), x, y});
    }
    return found;
}

// Chart of a column of the training table.
struct Curve {
    const char* column;
    const char* title;
    bool logarithmic;  ///< logarithmic axis if all values are positive
};

std::string training_panel(const std::vector<eval::Results>& results, const Comparison& comparison,
                           const Curve& curve) {
    std::vector<plot::Line> lines;
    Texts names;
    std::vector<double> steps;
    std::vector<double> values;
    for (const ComparisonRow& row : comparison.rows) {
        if (!row.is_model()) continue;
        for (std::size_t file : row.results) {
            const h5::DataFrame& training = results[file].training;
            if (training.rows() == 0 || !training.contains(curve.column)) continue;
            const h5::DataFrame::Ints& at = training.ints("step");
            plot::Line line{.x = downsample({at.begin(), at.end()}),
                            .y = downsample(training.doubles(curve.column))};
            if (names.empty() || names.back() != row.label()) names.push_back(row.label());
            line.group = names.size() - 1;
            line.title = fmt::format("{}, seed {}", row.label(), results[file].provenance.seed);
            steps.insert(steps.end(), line.x.begin(), line.x.end());
            values.insert(values.end(), line.y.begin(), line.y.end());
            lines.push_back(std::move(line));
        }
    }
    if (lines.empty()) return "";
    const bool positive = std::ranges::all_of(values, [](double value) { return !(value <= 0); });
    const plot::Axis y = positive && curve.logarithmic ? plot::log_axis(curve.title, values)
                                                       : plot::linear_axis(curve.title, values);
    return plot::element("figure", "",
                         plot::line_chart(std::string(curve.title) + " over steps",
                                          plot::linear_axis("step", steps), y, lines) +
                             plot::legend(names, false));
}

}  // namespace

std::string training_panels(const std::vector<eval::Results>& results, const Comparison& comparison) {
    return training_panel(results, comparison, {"loss", "training loss", true}) +
           training_panel(results, comparison, {"grad_norm", "gradient norm", true}) +
           training_panel(results, comparison, {"lr", "learning rate", false});
}

std::string scatter_panel(const std::vector<PairStatistics>& pairs, const std::string& metric,
                          const std::string& label) {
    // The colour of a single treatment would carry no information.
    const auto coloured = labels_of(pairs, &PairStatistics::treatment).size() > 1 ? &PairStatistics::treatment
                                                                                  : &PairStatistics::patient;
    const Texts groups = labels_of(pairs, coloured);
    std::vector<plot::Mark> marks;
    std::vector<double> values;
    for (const PairStatistics& pair : pairs) {
        plot::Mark mark{.x = pair.mean("identity"), .y = pair.mean("model")};
        if (std::isnan(mark.x) || std::isnan(mark.y)) continue;
        mark.group = index_of(groups, pair.*coloured);
        mark.title = pair.name + "\nmodel: " + plot::value_text(mark.y) +
                     ", control: " + plot::value_text(mark.x) +
                     ", noise floor: " + plot::value_text(pair.mean("noise_floor"));
        values.insert(values.end(), {mark.x, mark.y});
        marks.push_back(std::move(mark));
    }
    if (marks.empty()) return "";
    const std::string name = core::upper_case(metric);
    return panel(name + " per pair, model versus unchanged control",
                 plot::scatter_chart(name + " of " + label + " per pair",
                                     plot::linear_axis(name + " of the control", values),
                                     plot::linear_axis(name + " of the model", values), marks, true) +
                     plot::legend(groups, true));
}

double largest_excess(const std::vector<PairStatistics>& pairs) {
    double largest = 0;
    for (const auto& [rows, columns] : heat_maps(pairs)) {
        for (const auto& [key, cell_pairs] : group_pairs(pairs, rows.member, columns.member)) {
            if (const double value = mean_excess(cell_pairs, "model"); value > largest) largest = value;
        }
    }
    return largest;
}

std::string heat_panels(const std::vector<PairStatistics>& pairs, const std::string& metric,
                        const std::string& label, double high) {
    if (std::ranges::all_of(
            pairs, [](const PairStatistics& pair) { return std::isnan(mean_excess({&pair}, "model")); }))
        return "";
    std::string html;
    for (const auto& [rows, columns] : heat_maps(pairs)) {
        const bool first = html.empty();
        const bool several =
            labels_of(pairs, rows.member).size() > 1 && labels_of(pairs, columns.member).size() > 1;
        if (first || several) html += heat_panel(pairs, rows, columns, core::upper_case(metric), label, high);
    }
    return plot::element("div", "class=\"heats\"", html);
}

std::string embedding_panels(const eval::Results& results, const std::string& label) {
    if (results.embeddings.cols() < 2 || results.embeddings.rows() < 3) return "";
    const auto components = linalg::principal_components(results.embeddings.view(), 2);
    const std::vector<EmbeddedPopulation> populations = embedded_populations(results, components);
    if (populations.size() < 3 || !(components.share[0] > 0)) return "";
    std::vector<double> xs;
    std::vector<double> ys;
    for (const EmbeddedPopulation& p : populations) {
        xs.push_back(p.x);
        ys.push_back(p.y);
    }
    const plot::Axis x =
        plot::linear_axis("PC 1 (" + core::percent_text(components.share[0]) + " of variance)", xs);
    const plot::Axis y = plot::linear_axis("PC 2 (" + core::percent_text(components.share[1]) + ")", ys);
    // There is no colouring by treatment: all treatments of an experiment share a control and its embedding.
    constexpr std::pair<const char*, std::string EmbeddedPopulation::*> colourings[] = {
        {"patient", &EmbeddedPopulation::patient},
        {"culture", &EmbeddedPopulation::culture},
        {"part", &EmbeddedPopulation::part}};
    std::string html;
    for (const auto& [name, member] : colourings) {
        const Texts labels = labels_of(populations, member);
        if (labels.size() < 2) continue;
        std::vector<plot::Mark> marks;
        for (const EmbeddedPopulation& p : populations) {
            marks.push_back({.x = p.x,
                             .y = p.y,
                             .group = index_of(labels, p.*member),
                             .title = p.name + " (" + p.part + ")"});
        }
        html += panel(std::string("Embeddings of control populations by ") + name,
                      plot::scatter_chart("Embeddings of " + label + " by " + name, x, y, marks, false) +
                          plot::legend(labels, true));
    }
    return html;
}

}  // namespace popflow::report
