// SPDX-License-Identifier: MIT
#include "report/map_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/text.hpp"
#include "report/file_report.hpp"
#include "report/provenance_table.hpp"
#include "report/report_formats.hpp"

namespace popflow::report {

namespace {

using Texts = std::vector<std::string>;

// A predictor with its number of steps.
using MapPredictor = std::pair<std::string, std::int64_t>;

std::vector<MapPredictor> predictors_of(const h5::DataFrame& problems) {
    std::vector<MapPredictor> predictors;
    for (std::size_t row = 0; row < problems.rows(); ++row) {
        const MapPredictor one{problems.strings("predictor")[row], problems.ints("steps")[row]};
        if (std::ranges::find(predictors, one) == predictors.end()) predictors.push_back(one);
    }
    return predictors;
}

std::string predictor_label(const MapPredictor& predictor) {
    if (predictor.second == 0) return predictor.first;
    return fmt::format("{} + {} steps", predictor.first, predictor.second);
}

std::size_t count_problems(const h5::DataFrame& problems) {
    Texts names = problems.strings("problem");
    std::ranges::sort(names);
    return static_cast<std::size_t>(std::unique(names.begin(), names.end()) - names.begin());
}

// Mean and sample standard deviation of the values that are not NaN.
TableCell mean_cell(std::vector<double> values) {
    std::erase_if(values, [](double v) { return std::isnan(v); });
    TableCell cell;
    if (values.empty()) return cell;
    double mean = 0;
    for (const double v : values) mean += v / static_cast<double>(values.size());
    double squares = 0;
    for (const double v : values) squares += (v - mean) * (v - mean);
    cell.measured.mean = fmt::format("{:.4g}", mean);
    if (values.size() > 1)
        cell.measured.deviation =
            fmt::format("{:.2g}", std::sqrt(squares / static_cast<double>(values.size() - 1)));
    return cell;
}

TableCell text_cell(const std::string& text) {
    TableCell cell;
    cell.measured.mean = text;
    return cell;
}

Texts notes_of(const eval::MapResults& results) {
    Texts notes{
        "normalised: dual value of the potentials, divided by that of exact transport between the same "
        "cells. The identity has 0, the optimum 1. A map that moves cells the wrong way is below 0",
        fmt::format("certified: problems whose conjugates have a Fenchel gap of at most {:g}",
                    eval::certified_gap),
        "w2, energy: distances of the mapped cells to those of the target, in units of the model"};
    const h5::DataFrame& problems = results.problems;
    if (std::ranges::any_of(problems.strings("predictor"),
                            [](const std::string& name) { return name.ends_with("_start"); }))
        notes.emplace_back(
            "gaussian_start, identity_start: potentials that start at the Gaussian map or at the identity, "
            "without "
            "a prediction");
    for (std::size_t row = 0; row < problems.rows(); ++row) {
        const std::string& message = problems.strings("message")[row];
        if (!message.empty())
            notes.push_back(problems.strings("problem")[row] + ", " + problems.strings("predictor")[row] +
                            ": " + message);
    }
    return notes;
}

std::string map_csv(const std::vector<eval::MapResults>& results) {
    std::string text =
        "file,method,problem,source,target,predictor,steps,n,m,value,exact,normalised,gap,certified,energy,"
        "w2,seconds,message\n";
    for (const eval::MapResults& file : results) {
        const h5::DataFrame& problems = file.problems;
        for (std::size_t row = 0; row < problems.rows(); ++row) {
            text += csv_cell(file.file) + "," + csv_cell(file.provenance.method);
            for (const char* name : {"problem", "source", "target", "predictor"})
                text += "," + csv_cell(problems.strings(name)[row]);
            for (const char* name : {"steps", "n", "m"})
                text += "," + std::to_string(problems.ints(name)[row]);
            for (const char* name : {"value", "exact", "normalised", "gap"})
                text += "," + csv_number(problems.doubles(name)[row]);
            text += problems.bools("certified")[row] != 0 ? ",yes" : ",no";
            for (const char* name : {"energy", "w2", "seconds"})
                text += "," + csv_number(problems.doubles(name)[row]);
            text += "," + csv_cell(problems.strings("message")[row]) + "\n";
        }
    }
    return text;
}

}  // namespace

Table map_table(const eval::MapResults& results) {
    const h5::DataFrame& problems = results.problems;
    Table table{.part = "problems", .aggregation = "problems"};
    table.caption = fmt::format("{}: maps between populations, mean over {}", results.provenance.method,
                                core::counted(count_problems(problems), "problem"));
    constexpr const char* numbers[] = {"normalised", "w2", "energy", "seconds"};
    for (const char* name : numbers) table.columns.push_back({.metric = name, .title = name});
    table.columns.push_back({.metric = "certified", .title = "certified"});
    for (const MapPredictor& predictor : predictors_of(problems)) {
        Table::Line line{.label = predictor_label(predictor)};
        std::size_t rows = 0;
        std::size_t certified = 0;
        for (const char* name : numbers) {
            std::vector<double> values;
            for (std::size_t row = 0; row < problems.rows(); ++row) {
                if (problems.strings("predictor")[row] == predictor.first &&
                    problems.ints("steps")[row] == predictor.second &&
                    problems.strings("message")[row].empty())
                    values.push_back(problems.doubles(name)[row]);
            }
            line.cells.push_back(mean_cell(values));
        }
        for (std::size_t row = 0; row < problems.rows(); ++row) {
            if (problems.strings("predictor")[row] != predictor.first ||
                problems.ints("steps")[row] != predictor.second)
                continue;
            ++rows;
            certified += problems.bools("certified")[row] != 0 ? 1 : 0;
        }
        line.cells.push_back(text_cell(fmt::format("{} of {}", certified, rows)));
        table.lines.push_back(std::move(line));
    }
    return table;
}

std::string map_report(const std::vector<eval::MapResults>& results, ReportFormat format) {
    if (format == ReportFormat::csv) return map_csv(results);
    std::vector<FileReport> parts;
    std::vector<ProvenanceRow> rows;
    for (const eval::MapResults& file : results) {
        parts.push_back({.file = file.file, .tables = {map_table(file)}, .notes = notes_of(file)});
        const predict::Provenance& from = file.provenance;
        rows.push_back({file.file,
                        {from.method, from.split, std::to_string(from.seed), std::to_string(from.steps),
                         from.version + " " + from.commit, from.data_fingerprint},
                        from.config});
    }
    if (format != ReportFormat::html) return text_of_files(parts, format);
    return page_of_files("popflow report: maps between populations", "result file", parts,
                         provenance_html({"method", "split", "seed", "steps", "popflow", "data"}, rows));
}

}  // namespace popflow::report
