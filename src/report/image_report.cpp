// SPDX-License-Identifier: MIT
#include "report/image_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/text.hpp"
#include "core/version.hpp"
#include "report/figure_names.hpp"
#include "report/file_report.hpp"
#include "report/plot/markup.hpp"
#include "report/plot/page.hpp"
#include "report/provenance_table.hpp"
#include "report/report_formats.hpp"
#include "report/report_page.hpp"

namespace popflow::report {

namespace {

using plot::element;
using plot::escaped;
using Texts = std::vector<std::string>;

// Number of rows of a figure. A PNG file of --figures is at most as high as its writer allows.
constexpr std::size_t figure_rows = 20;

TableCell text_cell(const std::string& text) {
    TableCell cell;
    cell.measured.mean = text;
    return cell;
}

TableCell number_cell(double value) {
    return text_cell(std::isnan(value) ? "-" : fmt::format("{:.4f}", value));
}

Texts notes_of(const ImageResults& results) {
    std::size_t scored = 0;
    bool has_target = false;
    bool is_sampled = false;
    for (const ImageScore& score : results.scores) {
        scored = std::max(scored, score.scored);
        has_target = has_target || !std::isnan(score.w2);
        is_sampled = is_sampled || score.scored < score.pixels;
    }
    Texts notes;
    if (has_target) {
        notes.emplace_back(
            "w2, energy: W2 and energy distance between the pixels of the result and of the target, as "
            "points "
            "with the coordinates red, green and blue in [0, 1]");
        notes.emplace_back("source w2, source energy: the same between the source and the target");
    } else {
        notes.emplace_back("the data file has no target images, so there are no distances");
    }
    if (has_target && is_sampled)
        notes.push_back(
            fmt::format("distances compare {} random pixels of each image (--max-cells)", scored));
    notes.emplace_back("outside %: share of the predicted values outside [0, 1]. Images show them as 0 or 1");
    return notes;
}

std::string image_csv(const std::vector<ImageResults>& results) {
    std::string text =
        "file,method,problem,source,target,pixels,scored,outside,w2,source_w2,energy,source_energy\n";
    for (const ImageResults& file : results) {
        for (const ImageScore& score : file.scores) {
            text += csv_cell(file.file) + "," + csv_cell(file.provenance.method);
            for (const std::string& name : {score.problem, score.source, score.target})
                text += "," + csv_cell(name);
            text += fmt::format(",{},{}", score.pixels, score.scored);
            for (const double value :
                 {score.outside, score.w2, score.source_w2, score.energy, score.source_energy})
                text += "," + csv_number(value);
            text += "\n";
        }
    }
    return text;
}

std::vector<FileReport> parts_of(const std::vector<ImageResults>& results) {
    std::vector<FileReport> parts;
    for (const ImageResults& file : results) {
        std::string images;
        for (const Figure& figure : image_figures(file)) images += figure_html(figure);
        parts.push_back({.file = file.file,
                         .tables = {image_table(file)},
                         .notes = notes_of(file),
                         .html_before = element("div", "class=\"images\"", images) + "\n"});
    }
    return parts;
}

std::string provenance_part(const std::vector<ImageResults>& results) {
    std::vector<ProvenanceRow> rows;
    for (const ImageResults& file : results) {
        const predict::Provenance& from = file.provenance;
        rows.push_back({file.file,
                        {from.method, std::to_string(from.seed), std::to_string(from.steps),
                         from.version + " " + from.commit, from.data_fingerprint},
                        from.config});
    }
    return provenance_html({"method", "seed", "steps", "popflow", "data"}, rows);
}

}  // namespace

Table image_table(const ImageResults& results) {
    Table table{.part = "problem", .aggregation = "problems"};
    table.caption = fmt::format("{}: {}", results.provenance.method,
                                core::counted(results.scores.size(), "predicted image"));
    for (const char* title : {"pixels", "outside %", "w2", "source w2", "energy", "source energy"})
        table.columns.push_back({.metric = title, .title = title});
    for (const ImageScore& score : results.scores) {
        Table::Line line{.label = score.label};
        line.cells = {text_cell(std::to_string(score.pixels)),
                      text_cell(fmt::format("{:.1f}", 100 * score.outside)),
                      number_cell(score.w2),
                      number_cell(score.source_w2),
                      number_cell(score.energy),
                      number_cell(score.source_energy)};
        table.lines.push_back(std::move(line));
    }
    return table;
}

std::vector<Figure> image_figures(const ImageResults& results) {
    std::vector<Figure> figures;
    const std::size_t n = results.rows.size();
    for (std::size_t first = 0; first < n; first += figure_rows) {
        const std::size_t end = std::min(first + figure_rows, n);
        const auto begin = results.rows.begin();
        figures.push_back(
            {.name = "images",
             .title = n <= figure_rows ? "Images" : fmt::format("Images, rows {} to {}", first + 1, end),
             .charts = {begin + static_cast<std::ptrdiff_t>(first),
                        begin + static_cast<std::ptrdiff_t>(end)}});
    }
    return figures;
}

std::vector<std::pair<std::string, Figure>> named_image_figures(const std::vector<ImageResults>& results) {
    FigureNames names;
    for (const ImageResults& file : results) {
        for (const Figure& figure : image_figures(file))
            names.add(file.provenance.method + " " + figure.name, figure);
    }
    return names.figures();
}

std::string image_report(const std::vector<ImageResults>& results, ReportFormat format) {
    if (format == ReportFormat::csv) return image_csv(results);
    if (format != ReportFormat::html) return text_of_files(parts_of(results), format);
    return page_of_files("popflow report: predicted images", "prediction", parts_of(results),
                         provenance_part(results));
}

}  // namespace popflow::report
