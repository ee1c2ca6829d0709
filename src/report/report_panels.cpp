// SPDX-License-Identifier: MIT
#include "report/report_panels.hpp"

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

std::size_t place(const Texts& names, const std::string& name) {
    return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
}

template <class Items, class Member>
Texts labels_of(const Items& items, Member member) {
    Texts labels;
    for (const auto& item : items) labels.push_back(item.*member);
    return sorted_labels(labels);
}

// Means of `points` runs of neighbouring values: a line of thousands of points is no clearer than one of
// hundreds.
std::vector<double> thinned(const std::vector<double>& values, std::size_t points = 300) {
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

double excess(const std::vector<const PairStatistics*>& pairs, const std::string& predictor) {
    SeedStatistics figure;
    for (const PairStatistics* pair : pairs) figure.add(pair->mean(predictor) - pair->mean("noise_floor"));
    return figure.mean();
}

// What pairs are put together by.
struct Labelling {
    const char* name;
    std::string PairStatistics::*member;
};
constexpr Labelling by_patient{"patient", &PairStatistics::patient};
constexpr Labelling by_culture{"culture", &PairStatistics::culture};
constexpr Labelling by_treatment{"treatment", &PairStatistics::treatment};
constexpr std::pair<Labelling, Labelling> heat_maps[] = {
    {by_patient, by_treatment}, {by_culture, by_treatment}, {by_patient, by_culture}};

// Pairs of each row and column of a heat map.
using Wells = std::map<std::pair<std::string, std::string>, std::vector<const PairStatistics*>>;

Wells wells_of(const std::vector<PairStatistics>& pairs, std::string PairStatistics::*row,
               std::string PairStatistics::*column) {
    Wells wells;
    for (const PairStatistics& pair : pairs) wells[{pair.*row, pair.*column}].push_back(&pair);
    return wells;
}

plot::HeatCell heat_cell(const Wells& wells, const std::string& row, const std::string& column) {
    const auto at = wells.find({row, column});
    if (at == wells.end()) return {.value = std::numeric_limits<double>::quiet_NaN()};
    const double value = excess(at->second, "model");
    return {.value = value,
            .title = row + ", " + column + "\nmodel - floor: " + plot::value_text(value) +
                     "\ncontrol - floor: " + plot::value_text(excess(at->second, "identity")) +
                     "\npairs: " + std::to_string(at->second.size())};
}

std::string heat_panel(const std::vector<PairStatistics>& pairs, const Labelling& rows,
                       const Labelling& columns, const std::string& name, const std::string& label,
                       double high) {
    const Wells wells = wells_of(pairs, rows.member, columns.member);
    const Texts row_names = labels_of(pairs, rows.member);
    const Texts column_names = labels_of(pairs, columns.member);
    std::vector<std::vector<plot::HeatCell>> cells;
    for (const std::string& row : row_names) {
        cells.emplace_back();
        for (const std::string& column : column_names) cells.back().push_back(heat_cell(wells, row, column));
    }
    return panel(
        name + " above the noise floor, " + rows.name + " by " + columns.name,
        plot::heat_map(name + " of " + label + " less the noise floor, " + rows.name + " by " + columns.name,
                       row_names, column_names, cells, 0, high));
}

// A population with its place among the principal components.
struct Embedded {
    std::string name;
    std::string patient;
    std::string culture;
    std::string part;
    double x = 0;
    double y = 0;
};

// The control populations of a result file; pairs that share a control and its draw share an embedding, which
// is there once, or if `each` once for each pair.
std::vector<Embedded> embedded(const eval::Results& results, const linalg::PrincipalComponents& components) {
    std::map<std::string, std::size_t> rows;
    const h5::DataFrame& pairs = results.pairs;
    for (std::size_t i = 0; i < pairs.rows(); ++i) rows.try_emplace(pairs.strings("pair")[i], i);
    std::vector<Embedded> found;
    std::set<std::tuple<std::string, double, double>> met;
    for (std::size_t e = 0; e < results.embedding_names.size(); ++e) {
        const std::string& pair = results.embedding_names[e];
        const auto row = rows.find(pair);
        if (row == rows.end()) continue;
        const std::string experiment = pair.substr(0, pair.rfind(" / "));
        const double x = components.scores(e, 0);
        const double y = components.scores(e, 1);
        if (!met.insert({experiment, x, y}).second) continue;
        const auto text = [&](const char* column) { return pairs.strings(column)[row->second]; };
        found.push_back({experiment, text("patient"), text("culture"), text("part"), x, y});
    }
    return found;
}

// A column of the training table as a chart.
struct Curve {
    const char* column;
    const char* title;
    bool logarithmic;  ///< if all values allow
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
            plot::Line line{.x = thinned({at.begin(), at.end()}),
                            .y = thinned(training.doubles(curve.column))};
            if (names.empty() || names.back() != row.label()) names.push_back(row.label());
            line.group = names.size() - 1;
            line.title = row.label() + ", seed " + std::to_string(results[file].provenance.seed);
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
           training_panel(results, comparison, {"grad_norm", "norm of the gradient", true}) +
           training_panel(results, comparison, {"lr", "learning rate", false});
}

std::string scatter_panel(const std::vector<PairStatistics>& pairs, const std::string& metric,
                          const std::string& label) {
    // One treatment needs no colours.
    const auto coloured = labels_of(pairs, &PairStatistics::treatment).size() > 1 ? &PairStatistics::treatment
                                                                                  : &PairStatistics::patient;
    const Texts groups = labels_of(pairs, coloured);
    std::vector<plot::Mark> marks;
    std::vector<double> values;
    for (const PairStatistics& pair : pairs) {
        plot::Mark mark{.x = pair.mean("identity"), .y = pair.mean("model")};
        if (std::isnan(mark.x) || std::isnan(mark.y)) continue;
        mark.group = place(groups, pair.*coloured);
        mark.title = pair.name + "\nmodel: " + plot::value_text(mark.y) +
                     ", control: " + plot::value_text(mark.x) +
                     ", floor: " + plot::value_text(pair.mean("noise_floor"));
        values.insert(values.end(), {mark.x, mark.y});
        marks.push_back(std::move(mark));
    }
    if (marks.empty()) return "";
    const std::string name = core::upper_case(metric);
    return panel(name + " per pair, model against unchanged control",
                 plot::scatter_chart(name + " of " + label + " per pair",
                                     plot::linear_axis(name + " of the control", values),
                                     plot::linear_axis(name + " of the model", values), marks, true) +
                     plot::legend(groups, true));
}

double largest_excess(const std::vector<PairStatistics>& pairs) {
    double largest = 0;
    for (const auto& [rows, columns] : heat_maps) {
        for (const auto& [key, of_well] : wells_of(pairs, rows.member, columns.member)) {
            if (const double value = excess(of_well, "model"); value > largest) largest = value;
        }
    }
    return largest;
}

std::string heat_panels(const std::vector<PairStatistics>& pairs, const std::string& metric,
                        const std::string& label, double high) {
    if (std::ranges::all_of(pairs,
                            [](const PairStatistics& pair) { return std::isnan(excess({&pair}, "model")); }))
        return "";
    std::string html;
    for (const auto& [rows, columns] : heat_maps) {
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
    const std::vector<Embedded> populations = embedded(results, components);
    if (populations.size() < 3 || !(components.share[0] > 0)) return "";
    std::vector<double> xs;
    std::vector<double> ys;
    for (const Embedded& p : populations) {
        xs.push_back(p.x);
        ys.push_back(p.y);
    }
    const plot::Axis x =
        plot::linear_axis("PC 1 (" + core::percent_text(components.share[0]) + " of variance)", xs);
    const plot::Axis y = plot::linear_axis("PC 2 (" + core::percent_text(components.share[1]) + ")", ys);
    // Not by treatment: an embedding is of a control, which all treatments of an experiment share.
    constexpr std::pair<const char*, std::string Embedded::*> colourings[] = {
        {"patient", &Embedded::patient}, {"culture", &Embedded::culture}, {"part", &Embedded::part}};
    std::string html;
    for (const auto& [name, member] : colourings) {
        const Texts labels = labels_of(populations, member);
        if (labels.size() < 2) continue;
        std::vector<plot::Mark> marks;
        for (const Embedded& p : populations) {
            marks.push_back({.x = p.x,
                             .y = p.y,
                             .group = place(labels, p.*member),
                             .title = p.name + " (" + p.part + ")"});
        }
        html += panel(std::string("Control populations, embedded, by ") + name,
                      plot::scatter_chart("Embeddings of " + label + " by " + name, x, y, marks, false) +
                          plot::legend(labels, true));
    }
    return html;
}

}  // namespace popflow::report
