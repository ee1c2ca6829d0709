// SPDX-License-Identifier: MIT
#include "report/set_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>

#include "core/text.hpp"
#include "core/version.hpp"
#include "eval/results.hpp"
#include "linalg/principal_components.hpp"
#include "report/figure_names.hpp"
#include "report/file_report.hpp"
#include "report/plot/cloud.hpp"
#include "report/plot/markup.hpp"
#include "report/plot/page.hpp"
#include "report/provenance_table.hpp"
#include "report/report_formats.hpp"
#include "report/report_page.hpp"
#include "screen/splits.hpp"

namespace popflow::report {

namespace {

using linalg::Matrix;
using plot::element;
using plot::escaped;
using Texts = std::vector<std::string>;

// Scores that are shares, shown in percent.
bool is_share(const std::string& metric) {
    return metric != "matching" && metric != "training_ratio" && metric != "nnd" && metric != "p_value";
}

std::string score_title(const std::string& metric) {
    static const std::map<std::string, std::string> titles{{"nna", "1-NNA %"},
                                                           {"nna_real", "real %"},
                                                           {"nna_generated", "generated %"},
                                                           {"nnd", "1-NN-D"},
                                                           {"p_value", "p"},
                                                           {"coverage", "coverage %"},
                                                           {"memorised", "memorised %"},
                                                           {"training_ratio", "training ratio"}};
    const auto at = titles.find(metric);
    return at == titles.end() ? metric : at->second;
}

std::string score_text(const std::string& metric, double value) {
    if (std::isnan(value)) return "-";
    if (is_share(metric)) return fmt::format("{:.1f}", 100 * value);
    return fmt::format("{:.4g}", value);
}

// Distinct values of a column, in order of appearance. Empty texts are left out.
Texts distinct(const h5::DataFrame& table, const char* column) {
    Texts values;
    for (const std::string& value : table.strings(column)) {
        if (!value.empty() && std::ranges::find(values, value) == values.end()) values.push_back(value);
    }
    return values;
}

Texts distances_of(const eval::SetResults& results) {
    Texts distances;
    for (std::size_t row = 0; row < results.sets.rows(); ++row) {
        const std::string& distance = results.sets.strings("distance")[row];
        if (results.sets.strings("note")[row].empty() &&
            std::ranges::find(distances, distance) == distances.end())
            distances.push_back(distance);
    }
    return distances;
}

// Labels, the one for all of them first.
Texts labels_of(const eval::SetResults& results) {
    Texts labels = distinct(results.sets, "label");
    std::stable_partition(labels.begin(), labels.end(),
                          [](const std::string& label) { return label == "all"; });
    return labels;
}

std::size_t find_row(const h5::DataFrame& sets, const std::string& label, const std::string& predictor,
                     const std::string& distance) {
    for (std::size_t row = 0; row < sets.rows(); ++row) {
        if (sets.strings("label")[row] == label && sets.strings("predictor")[row] == predictor &&
            sets.strings("distance")[row] == distance && sets.strings("note")[row].empty())
            return row;
    }
    return sets.rows();
}

// Returns whether the compared populations were trained on.
bool scores_training(const eval::SetResults& results) {
    if (screen::holds_out_nothing(results.provenance.split)) return true;
    const auto entries = core::key_values(results.provenance.config);
    const auto at = entries.find("parts");
    return at != entries.end() && at->second == "train";
}

// Word for the compared populations.
std::string real_word(const eval::SetResults& results) {
    return scores_training(results) ? "training" : "held-out";
}

// Returns `42 held-out, 42 generated and 100 training populations of 256 cells`.
std::string sizes_text(const eval::SetResults& results, const std::string& label) {
    const h5::DataFrame& sets = results.sets;
    for (std::size_t row = 0; row < sets.rows(); ++row) {
        if (sets.strings("label")[row] != label) continue;
        if (scores_training(results))
            return fmt::format("{} training and {} generated populations of {} cells",
                               sets.ints("n_real")[row], sets.ints("n_generated")[row],
                               sets.ints("n_cells")[row]);
        return fmt::format("{} held-out, {} generated and {} training populations of {} cells",
                           sets.ints("n_real")[row], sets.ints("n_generated")[row],
                           sets.ints("n_training")[row], sets.ints("n_cells")[row]);
    }
    return "";
}

TableColumn titled_column(const std::string& title) {
    return {.metric = title, .title = title};
}

Texts notes_of(const eval::SetResults& results) {
    Texts notes{
        "1-NNA: share of the populations whose nearest other one is of the same set, real or generated. 50 "
        "is "
        "best. Above, the sets differ. Below, generated populations sit on real ones",
        "1-NN-D: mean distance of the two halves of 1-NNA from 1/2. 0 is best, 0.5 worst. A set of identical "
        "populations can have a 1-NNA of 50, but not a 1-NN-D of 0",
        "p: probability of a 1-NNA as far from its mean, if the sets were one",
        fmt::format(
            "matching: mean distance of a {0} population to the nearest generated one. coverage: share of "
            "the {0} populations that are nearest to a generated one",
            real_word(results)),
        "memorised: share of the generated populations that are nearer to a training than to a held-out one",
        fmt::format("resample: training populations. gaussian: Gaussians whose mean and Cholesky factor are "
                    "drawn from "
                    "normal distributions. pooled: cells of all training populations together. noise: the "
                    "start of the "
                    "flow. floor: half of the {} populations against the other half",
                    real_word(results))};
    if (scores_training(results)) {
        std::erase_if(notes, [](const std::string& note) { return note.starts_with("memorised"); });
        notes.insert(
            notes.begin(),
            "the model was trained on the compared populations: the scores say nothing about new ones");
    }
    for (std::size_t row = 0; row < results.sets.rows(); ++row) {
        const std::string& note = results.sets.strings("note")[row];
        if (!note.empty())
            notes.push_back(results.sets.strings("label")[row] + ", " +
                            results.sets.strings("predictor")[row] + ": " + note);
    }
    return notes;
}

// 1-NNA of the model by label. No lines with a single label.
Table label_table(const eval::SetResults& results) {
    Table table{.caption = "1-NNA of the model by label, in percent", .part = "label", .aggregation = "sets"};
    const Texts distances = distances_of(results);
    for (const std::string& distance : distances) table.columns.push_back(titled_column(distance));
    table.columns.push_back(titled_column(real_word(results)));
    const Texts labels = labels_of(results);
    if (labels.size() < 2) return table;
    for (const std::string& label : labels) {
        Table::Line line{.label = label};
        std::size_t held_out = 0;
        for (const std::string& distance : distances) {
            const std::size_t row = find_row(results.sets, label, "model", distance);
            line.cells.emplace_back();
            if (row == results.sets.rows()) continue;
            held_out = static_cast<std::size_t>(results.sets.ints("n_real")[row]);
            line.cells.back().measured.mean = score_text("nna", results.sets.doubles("nna")[row]);
        }
        line.cells.emplace_back();
        line.cells.back().measured.mean = std::to_string(held_out);
        table.lines.push_back(std::move(line));
    }
    return table;
}

// Mean distances between held-out populations and their own predictions, of a run that completes populations.
Table paired_table(const eval::SetResults& results, const std::string& label) {
    Table table{.part = "populations", .aggregation = "sets"};
    table.caption = fmt::format("Mean distance to the own prediction, {}", label);
    const Texts distances = distances_of(results);
    for (const std::string& distance : distances) table.columns.push_back(titled_column(distance));
    for (const std::string& predictor : distinct(results.sets, "predictor")) {
        if (predictor == "floor") continue;
        Table::Line line{.label = predictor};
        for (const std::string& distance : distances) {
            const std::size_t row = find_row(results.sets, label, predictor, distance);
            line.cells.emplace_back();
            if (row == results.sets.rows()) continue;
            line.cells.back().measured.mean = score_text("matching", results.sets.doubles("paired")[row]);
        }
        table.lines.push_back(std::move(line));
    }
    return table;
}

std::vector<Table> tables_of(const eval::SetResults& results) {
    std::vector<Table> tables;
    const Texts labels = labels_of(results);
    if (labels.empty()) return tables;
    if (results.sets.contains("paired")) tables.push_back(paired_table(results, labels.front()));
    tables.push_back(nearest_neighbour_table(results, labels.front()));
    for (const std::string& distance : distances_of(results))
        tables.push_back(set_score_table(results, labels.front(), distance));
    if (labels.size() > 1) tables.push_back(label_table(results));
    return tables;
}

// Points of some samples in two dimensions, with one scale for all of them.
struct Plane {
    std::vector<std::pair<std::vector<double>, std::vector<double>>> points{};  // x and y of each sample
    std::array<double, 2> centre{};
    double reach = 1;
};

// Returns the position of a point in three dimensions in an orthographic view. The third axis points up. The
// observer looks from 30 degrees beside the first axis and 25 degrees above.
std::array<double, 2> view_of(const float* point) {
    constexpr double degree = std::numbers::pi / 180;
    const double azimuth = 30 * degree;
    const double height = 25 * degree;
    const auto x = static_cast<double>(point[0]);
    const auto y = static_cast<double>(point[1]);
    const auto z = static_cast<double>(point[2]);
    const double depth = x * std::cos(azimuth) + y * std::sin(azimuth);
    return {y * std::cos(azimuth) - x * std::sin(azimuth), z * std::cos(height) - depth * std::sin(height)};
}

Plane plane_of(const std::vector<const eval::SetSample*>& samples, std::size_t d) {
    std::size_t rows = 0;
    for (const eval::SetSample* sample : samples) rows += sample->cells.rows();
    Matrix<float> all(rows, d);
    std::size_t at = 0;
    for (const eval::SetSample* sample : samples) {
        std::ranges::copy(sample->cells.values(), all.view().row(at));
        at += sample->cells.rows();
    }
    Matrix<double> scores(rows, 2);
    if (d == 3) {
        for (std::size_t i = 0; i < rows; ++i) {
            const std::array<double, 2> point = view_of(all.view().row(i));
            std::ranges::copy(point, scores.view().row(i));
        }
    } else if (d <= 2) {
        for (std::size_t i = 0; i < rows; ++i) {
            for (std::size_t j = 0; j < d; ++j) scores(i, j) = static_cast<double>(all(i, j));
        }
    } else {
        const auto components = linalg::principal_components(all.view(), 2);
        for (std::size_t i = 0; i < rows; ++i) {
            for (std::size_t j = 0; j < 2; ++j) scores(i, j) = components.scores(i, j);
        }
    }
    Plane plane;
    double widest = 1e-9;
    for (std::size_t j = 0; j < 2; ++j) {
        double low = std::numeric_limits<double>::infinity();
        double high = -low;
        for (std::size_t i = 0; i < rows; ++i) {
            low = std::min(low, scores(i, j));
            high = std::max(high, scores(i, j));
        }
        plane.centre[j] = (low + high) / 2;
        widest = std::max(widest, high - low);
    }
    plane.reach = 0.53 * widest;
    at = 0;
    for (const eval::SetSample* sample : samples) {
        plane.points.emplace_back();
        for (std::size_t i = 0; i < sample->cells.rows(); ++i, ++at) {
            plane.points.back().first.push_back(scores(at, 0));
            plane.points.back().second.push_back(scores(at, 1));
        }
    }
    return plane;
}

void add_frame(const Plane& plane, std::size_t sample, std::size_t group, const std::string& title,
               Figure& figure) {
    const plot::Cloud cloud{
        .x = plane.points[sample].first, .y = plane.points[sample].second, .group = group, .title = title};
    figure.charts.push_back(plot::cloud_frame(figure.title + ", " + title, cloud, plane.centre, plane.reach));
    figure.captions.push_back(title);
}

// Held-out and generated populations of a label, each in a frame of one scale.
std::vector<Figure> label_figures(const eval::SetResults& results, const std::string& label) {
    std::vector<const eval::SetSample*> samples;
    for (const eval::SetSample& sample : results.samples) {
        if (sample.label == label && sample.set != "training" && sample.cells.rows() > 0)
            samples.push_back(&sample);
    }
    if (samples.empty() || results.markers.empty()) return {};
    const Plane plane = plane_of(samples, results.markers.size());
    const std::string where = results.markers.size() == 3  ? " in three dimensions"
                              : results.markers.size() > 3 ? " in two principal components"
                                                           : "";
    Figure sets{.name = "populations " + label,
                .title = (scores_training(results) ? "Training" : "Held-out") +
                         std::string(" and generated populations") + where,
                .legend = {real_word(results), "generated"},
                .groups = {2, 1},
                .layout = FigureLayout::frames};
    Figure flow{.name = "flow " + label,
                .title = "One generated population over flow time" + where,
                .layout = FigureLayout::frames,
                .has_own_legend = false};
    for (const bool is_real : {true, false}) {
        for (std::size_t s = 0; s < samples.size(); ++s) {
            const eval::SetSample& sample = *samples[s];
            if ((sample.set == "real") != is_real || sample.time != 1) continue;
            add_frame(plane, s, is_real ? 2 : 1,
                      fmt::format("{} {}", is_real ? real_word(results) : "generated", sample.index + 1),
                      sets);
        }
    }
    for (std::size_t s = 0; s < samples.size(); ++s) {
        if (samples[s]->set == "model" && samples[s]->index == 0)
            add_frame(plane, s, 1, "t = " + plot::value_text(samples[s]->time), flow);
    }
    return {sets, flow};
}

std::vector<FileReport> parts_of(const std::vector<eval::SetResults>& results) {
    std::vector<FileReport> parts;
    for (const eval::SetResults& file : results) {
        FileReport part{.file = file.file, .tables = tables_of(file), .notes = notes_of(file)};
        for (const std::string& label : labels_of(file)) {
            std::string panels;
            for (const Figure& figure : label_figures(file, label)) panels += figure_html(figure);
            if (panels.empty()) continue;
            part.html_after += element("h3", "", escaped(label)) + "\n" +
                               element("div", "class=\"panels cells\"", panels) + "\n";
        }
        parts.push_back(std::move(part));
    }
    return parts;
}

std::string provenance_part(const std::vector<eval::SetResults>& results) {
    std::vector<ProvenanceRow> rows;
    for (const eval::SetResults& file : results) {
        const predict::Provenance& from = file.provenance;
        rows.push_back({file.file,
                        {from.method, from.split, std::to_string(from.seed), std::to_string(from.steps),
                         fmt::format("{} × {}", from.ranks, from.threads), from.version + " " + from.commit,
                         from.data_fingerprint},
                        from.config});
    }
    return provenance_html({"method", "split", "seed", "steps", "ranks × threads", "popflow", "data"}, rows);
}

std::string set_csv(const std::vector<eval::SetResults>& results) {
    std::string text =
        "file,method,label,predictor,distance,score,value,n_real,n_generated,n_training,n_cells\n";
    for (const eval::SetResults& file : results) {
        const h5::DataFrame& sets = file.sets;
        for (std::size_t row = 0; row < sets.rows(); ++row) {
            if (!sets.strings("note")[row].empty()) continue;
            for (const eval::SetMetric& metric : eval::set_metrics())
                text += fmt::format("{},{},{},{},{},{},{},{},{},{},{}\n", csv_cell(file.file),
                                    csv_cell(file.provenance.method), csv_cell(sets.strings("label")[row]),
                                    sets.strings("predictor")[row], sets.strings("distance")[row],
                                    metric.name, csv_number(sets.doubles(metric.name)[row]),
                                    sets.ints("n_real")[row], sets.ints("n_generated")[row],
                                    sets.ints("n_training")[row], sets.ints("n_cells")[row]);
        }
    }
    return text;
}

}  // namespace

Table nearest_neighbour_table(const eval::SetResults& results, const std::string& label) {
    Table table{.part = "populations", .aggregation = "sets"};
    table.caption = fmt::format("1-NNA in percent, {} ({})", label, sizes_text(results, label));
    const Texts distances = distances_of(results);
    for (const std::string& distance : distances) table.columns.push_back(titled_column(distance));
    for (const std::string& predictor : distinct(results.sets, "predictor")) {
        Table::Line line{.label = predictor};
        bool has_score = false;
        for (const std::string& distance : distances) {
            const std::size_t row = find_row(results.sets, label, predictor, distance);
            line.cells.emplace_back();
            if (row == results.sets.rows()) continue;
            has_score = true;
            line.cells.back().measured.mean = score_text("nna", results.sets.doubles("nna")[row]);
        }
        if (has_score) table.lines.push_back(std::move(line));
    }
    return table;
}

Table set_score_table(const eval::SetResults& results, const std::string& label,
                      const std::string& distance) {
    Table table{.part = "populations", .aggregation = "sets"};
    table.caption = fmt::format("All scores by the distance {}, {}", distance, label);
    for (const eval::SetMetric& metric : eval::set_metrics())
        table.columns.push_back(titled_column(score_title(metric.name)));
    for (const std::string& predictor : distinct(results.sets, "predictor")) {
        const std::size_t row = find_row(results.sets, label, predictor, distance);
        if (row == results.sets.rows()) continue;
        Table::Line line{.label = predictor};
        for (const eval::SetMetric& metric : eval::set_metrics()) {
            line.cells.emplace_back();
            line.cells.back().measured.mean = score_text(metric.name, results.sets.doubles(metric.name)[row]);
        }
        table.lines.push_back(std::move(line));
    }
    return table;
}

std::vector<Figure> set_figures(const eval::SetResults& results) {
    std::vector<Figure> figures;
    for (const std::string& label : labels_of(results)) {
        for (Figure& figure : label_figures(results, label)) figures.push_back(std::move(figure));
    }
    return figures;
}

std::vector<std::pair<std::string, Figure>> named_set_figures(const std::vector<eval::SetResults>& results) {
    FigureNames names;
    for (const eval::SetResults& file : results) {
        for (const Figure& figure : set_figures(file))
            names.add(file.provenance.method + " " + figure.name, figure);
    }
    return names.figures();
}

std::string set_report(const std::vector<eval::SetResults>& results, ReportFormat format) {
    if (format == ReportFormat::csv) return set_csv(results);
    if (format != ReportFormat::html) return text_of_files(parts_of(results), format);
    return page_of_files("popflow report: generated populations", "result file", parts_of(results),
                         provenance_part(results));
}

}  // namespace popflow::report
