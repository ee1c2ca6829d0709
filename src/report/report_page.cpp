// SPDX-License-Identifier: MIT
#include "report/report_page.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "core/version.hpp"
#include "metrics/metric.hpp"
#include "models/family.hpp"
#include "report/baseline_notes.hpp"
#include "report/plot/markup.hpp"
#include "report/plot/page.hpp"
#include "report/provenance_table.hpp"
#include "report/report_figures.hpp"
#include "report/role_columns.hpp"

namespace popflow::report {

namespace {

using plot::element;
using plot::escaped;

std::string number(const CellText& cell, const std::string& pm_class) {
    if (cell.deviation.empty()) return escaped(cell.mean);
    return cell.mean + " " + element("span", "class=\"" + pm_class + "\"", "± " + cell.deviation);
}

std::string header_title(const TableColumn& column) {
    if (const metrics::Metric* metric = metrics::find_metric(column.metric)) return metric->html_title;
    return escaped(column.title);
}

std::string header_rows(const Table& table) {
    std::string groups;
    std::string titles;
    for (std::size_t c = 0; c < table.columns.size();) {
        std::size_t end = c;
        for (; end < table.columns.size() && table.columns[end].group == table.columns[c].group; ++end) {
            titles += element("th", "scope=\"col\"", header_title(table.columns[end]));
        }
        groups += element("th", fmt::format("class=\"group\" scope=\"colgroup\" colspan=\"{}\"", end - c),
                          escaped(table.columns[c].group));
        c = end;
    }
    const bool grouped =
        std::ranges::any_of(table.columns, [](const TableColumn& c) { return !c.group.empty(); });
    return (grouped ? element("tr", "", "<th></th>" + groups) : "") + element("tr", "", "<th></th>" + titles);
}

std::string score_cell(const TableCell& cell) {
    std::string html = number(cell.measured, "sd");
    if (!cell.interval.empty())
        html += element("span", "class=\"interval\" title=\"95 % interval\"", escaped(cell.interval));
    if (cell.published.mean != "-")
        html += element("span", "class=\"published\" title=\"published\"", number(cell.published, "sd"));
    return element("td", cell.is_best ? "class=\"best\"" : "", html);
}

// Inserts break opportunities, so that a long label fits on the screen of a phone.
std::string breakable(const std::string& label) {
    std::string html;
    for (const char c : escaped(label))
        html += c == '_' || c == ',' ? std::string(1, c) + "<wbr>" : std::string(1, c);
    return html;
}

std::string notes_list(const Comparison& comparison, const std::vector<Table>& shown,
                       const PublishedTable* published, ClusterStatistics& statistics) {
    std::string items;
    const bool has_published = std::ranges::any_of(shown, [](const Table& table) {
        return std::ranges::any_of(table.lines, [](const Table::Line& line) { return line.has_published; });
    });
    if (has_published)
        items += element("li", "", "Last line of a cell: published value, " + escaped(published->source()));
    if (published != nullptr && !has_published)
        items += element("li", "", escaped(published->source()) + " has no values for these rows");
    for (const auto& notes : {baseline_notes(comparison, statistics), interval_notes(shown, statistics),
                              legend("Bold", shown), metric_notes(shown), comparison.notes}) {
        for (const std::string& note : notes) items += element("li", "", escaped(note));
    }
    return element("ul", "class=\"notes\"", items) + "\n";
}

std::string tables_part(const std::vector<eval::Results>& results, const Comparison& comparison,
                        const PublishedTable* published) {
    ClusterStatistics statistics(results, comparison);
    const std::vector<Table> all = tables(comparison, published, statistics);
    std::string first;
    std::string rest;
    for (const Table& table : all) (table.aggregation == "culture_mean" ? first : rest) += html_table(table);
    const bool is_chosen = comparison.grouping.is_chosen;
    const std::string by = is_chosen ? comparison.grouping.name : column_of(comparison.columns, "culture");
    if (!rest.empty())
        rest =
            element("details", is_chosen ? "open" : "",
                    element("summary", "", "Tables by " + escaped(by) + ", and the mean over pairs") + rest);
    return first + notes_list(comparison, all, published, statistics) + rest + "\n";
}

std::string cells_part(const std::string& cells) {
    if (cells.empty()) return "";
    return element("h3", "", "Cells of sampled pairs") +
           element(
               "p", "class=\"soft\"",
               "A sample of control, predicted and treated cells of the first seed, in transformed marker "
               "values, and the same control cells plus the mean shift. Thin lines connect control cells "
               "with their predictions. The options --sample-pairs "
               "and --sample-cells of evaluate set the numbers of pairs and cells.") +
           cells;
}

std::string figures_html(const std::vector<Figure>& figures) {
    std::string html;
    for (const Figure& figure : figures) html += figure_html(figure);
    return html.empty() ? "" : element("div", "class=\"panels\"", html);
}

std::string models_part(const ComparisonFigures& figures) {
    std::string html;
    for (const ModelFigures& model : figures.models) {
        html += element("details", model.row == figures.best ? "open" : "",
                        element("summary", "", escaped(model.row->label())) + figures_html(model.scores) +
                            cells_part(sample_panels(model.pairs))) +
                "\n";
    }
    if (html.empty()) return "";
    return "<h3>Models: scores of each pair</h3>\n" +
           element(
               "p", "class=\"soft\"",
               "Scores of the " + escaped(figures.scope.part) +
                   " pairs, averaged over seeds. The embeddings come from the first seed. Below the dashed "
                   "line the model is better than the baseline of the horizontal axis. The noise floor is "
                   "the "
                   "distance between two halves of the treated cells.") +
           "\n" + html;
}

// Returns the encoder of a model as the end of a list, empty for a method without one.
std::string encoder_text(const predict::Provenance& p) {
    const std::string encoder = fixed_encoder_of(p);
    if (!encoder.empty()) return ", " + encoder;
    return models::uses_setting(p.method, "knn") ? ", k=" + std::to_string(p.knn) : "";
}

std::string provenance_part(const std::vector<eval::Results>& results) {
    std::vector<ProvenanceRow> rows;
    for (const eval::Results& r : results) {
        const predict::Provenance& p = r.provenance;
        rows.push_back(
            {r.file,
             {p.method + ", " + p.base + encoder_text(p), std::to_string(p.seed), std::to_string(p.steps),
              p.split, p.precision, fmt::format("{} × {}", p.ranks, p.threads), p.version + " " + p.commit,
              p.data_fingerprint},
             p.config});
    }
    return provenance_html(
        {"method", "seed", "steps", "split", "precision", "ranks × threads", "popflow", "data"}, rows);
}

}  // namespace

std::string html_table(const Table& table) {
    std::string rows;
    bool is_after_model = true;
    for (const Table::Line& line : table.lines) {
        std::string row = element("th", "scope=\"row\"", breakable(line.label));
        for (const TableCell& cell : line.cells) row += score_cell(cell);
        const bool first = is_after_model && !line.is_model;
        is_after_model = line.is_model;
        const char* classes = first ? "class=\"baseline first\"" : line.is_model ? "" : "class=\"baseline\"";
        rows += element("tr", classes, row) + "\n";
    }
    return element("div", "class=\"scroll\"",
                   element("table", "class=\"scores\"",
                           element("caption", "", escaped(table.caption)) +
                               element("thead", "", header_rows(table)) + element("tbody", "", rows))) +
           "\n";
}

std::string report_page(const std::vector<eval::Results>& results, const std::vector<Comparison>& comparisons,
                        const PublishedTable* published) {
    std::string body =
        "<h1>popflow report</h1>\n" +
        element("p", "class=\"soft\"",
                fmt::format("{}, written by popflow {} ({})", core::counted(results.size(), "result file"),
                            core::version(), escaped(core::commit()))) +
        "\n";
    for (const Comparison& comparison : comparisons) {
        const std::string data =
            comparisons.size() > 1 ? ", data " + comparison.data_fingerprint.substr(0, 12) : "";
        const RoleColumns columns = role_columns(results[comparison.results.front()].provenance.config);
        body +=
            element("h2", "", "Split " + breakable(split_title(comparison.split, columns)) + escaped(data)) +
            "\n" + tables_part(results, comparison, published);
        const ComparisonFigures figures = comparison_figures(results, comparison);
        if (!figures.training.empty()) body += "<h3>Training</h3>\n" + figures_html(figures.training) + "\n";
        body += models_part(figures);
    }
    return plot::page("popflow report", body + provenance_part(results));
}

}  // namespace popflow::report
