// SPDX-License-Identifier: MIT
#include "report/problem_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/text.hpp"
#include "core/version.hpp"
#include "report/file_report.hpp"
#include "report/plot/markup.hpp"
#include "report/plot/matrix_map.hpp"
#include "report/plot/page.hpp"
#include "report/problem_figures.hpp"
#include "report/provenance_table.hpp"
#include "report/report_formats.hpp"
#include "report/report_page.hpp"

namespace popflow::report {

namespace {

using plot::element;
using plot::escaped;
using Texts = std::vector<std::string>;

constexpr const char* at_least = "≥ ";

// Number of decimals with which a value has `significant` digits.
int decimals_of(double value, int significant) {
    if (value == 0 || !std::isfinite(value)) return 0;
    return std::max(0, significant - 1 - static_cast<int>(std::floor(std::log10(std::abs(value)))));
}

// Formats a value with a number of significant digits: `0.0123`, `19.5`, `5030`, `1.2e-9`.
std::string significant_text(double value, int significant) {
    if (!std::isfinite(value)) return "-";
    const double size = std::abs(value);
    if (size == 0 || (size >= 1e-3 && size < 1e6))
        return fmt::format("{:.{}f}", value, decimals_of(value, significant));
    std::string text = fmt::format("{:.{}e}", value, significant - 1);
    const std::size_t exponent = text.find('e') + 1;
    if (text[exponent] == '+') text.erase(exponent, 1);
    const std::size_t digits = exponent + (text[exponent] == '-' ? 1 : 0);
    if (text[digits] == '0' && digits + 1 < text.size()) text.erase(digits, 1);
    return text;
}

// Mean with its standard deviation, which has as many decimals.
CellText mean_cell(const SeedStatistics& statistics, double factor) {
    const double mean = factor * statistics.mean();
    const double deviation = factor * statistics.deviation();
    CellText cell{.mean = significant_text(mean, 3)};
    if (deviation > 0) {
        const int decimals = decimals_of(mean, 3);
        const bool is_fixed = cell.mean.find('e') == std::string::npos;
        cell.deviation =
            is_fixed ? fmt::format("{:.{}f}", deviation, decimals) : significant_text(deviation, 2);
    }
    return cell;
}

// Unit of times: that of the shortest mean of a file.
struct TimeUnit {
    const char* name = "s";
    double factor = 1;
};

TimeUnit time_unit(const std::vector<SolverScores>& scores) {
    double shortest = std::numeric_limits<double>::infinity();
    for (const SolverScores& row : scores) {
        for (const ToleranceScores& cell : row.tolerances) {
            if (const double mean = cell.column("seconds").mean(); mean > 0)
                shortest = std::min(shortest, mean);
        }
    }
    if (shortest < 1e-4) return {"us", 1e6};
    return shortest < 0.1 ? TimeUnit{"ms", 1e3} : TimeUnit{};
}

std::string iterations_text(double mean) {
    return std::isnan(mean) ? "-" : fmt::format("{:.{}f}", mean, mean < 1000 ? 1 : 0);
}

// Marks the lowest mean time at a tolerance, among the rows in which all problems converged. A time that has
// no other to compare with is not marked.
void mark_fastest(const std::vector<SolverScores>& scores, double tolerance, std::size_t column,
                  Table& table) {
    const auto has_time = [&](const SolverScores& row) { return row.find(tolerance) != nullptr; };
    if (std::ranges::count_if(scores, has_time) < 2) return;
    double lowest = std::numeric_limits<double>::infinity();
    const auto mean_of = [&](const SolverScores& row) {
        const ToleranceScores* cell = row.find(tolerance);
        if (cell == nullptr || cell->unconverged() > 0 || cell->converged == 0)
            return std::numeric_limits<double>::infinity();
        return cell->column("seconds").mean();
    };
    std::string text;
    for (std::size_t r = 0; r < scores.size(); ++r) {
        if (!(mean_of(scores[r]) < lowest)) continue;
        lowest = mean_of(scores[r]);
        text = table.lines[r].cells[column].measured.mean;
    }
    for (std::size_t r = 0; r < scores.size(); ++r) {
        TableCell& cell = table.lines[r].cells[column];
        cell.is_best = !text.empty() && cell.measured.mean == text;
    }
}

std::size_t count_problems(const eval::ProblemResults& results) {
    const h5::DataFrame::Strings& names = results.problems.strings("problem");
    return std::set<std::string>(names.begin(), names.end()).size();
}

// Returns `epsilon 0.01`, or the range of the values above 0. Empty without any.
std::string epsilon_text(const eval::ProblemResults& results) {
    double low = std::numeric_limits<double>::infinity();
    double high = 0;
    for (const double epsilon : results.problems.doubles("epsilon")) {
        if (!(epsilon > 0)) continue;
        low = std::min(low, epsilon);
        high = std::max(high, epsilon);
    }
    if (!(high > 0)) return "";
    const std::string first = ", epsilon " + significant_text(low, 4);
    return low == high ? ", epsilon " + core::number_label(low) : first + " to " + significant_text(high, 4);
}

std::string problems_text(const eval::ProblemResults& results) {
    return core::counted(count_problems(results), "problem") +
           (results.origin.cost.empty() ? "" : ", cost " + results.origin.cost) + epsilon_text(results);
}

TableColumn named_column(const std::string& title, const std::string& group = "") {
    return {.group = group, .metric = title, .title = title};
}

// Notes about one cell of the table: problems that did not converge or failed.
void add_cell_notes(const SolverScores& row, const ToleranceScores& cell, Texts& notes) {
    const std::string name =
        row.key.label() +
        (std::isnan(cell.tolerance) ? std::string() : " at " + tolerance_text(cell.tolerance));
    if (cell.unconverged() > 0)
        notes.push_back(fmt::format("{}: {} of {} did not converge", name, cell.unconverged(),
                                    core::counted(cell.problems, "problem")));
    if (cell.failed > 0)
        notes.push_back(fmt::format("{}: {} of {} failed and {} left out. The first message is: {}", name,
                                    cell.failed, core::counted(cell.problems, "problem"),
                                    cell.failed == 1 ? "is" : "are", cell.message));
}

Texts notes_of(const eval::ProblemResults& results, const std::vector<SolverScores>& scores,
               const std::string& best) {
    Texts notes;
    std::size_t unconverged = 0;
    for (const SolverScores& row : scores) {
        for (const ToleranceScores& cell : row.tolerances) {
            add_cell_notes(row, cell, notes);
            unconverged += cell.unconverged();
        }
    }
    if (unconverged == 0) {
        notes.emplace_back("all problems that did not fail have converged");
    } else {
        notes.push_back(std::string(at_least) +
                        "VALUE: some of the problems stopped before they converged. They count with the time "
                        "and the iterations at which they stopped");
    }
    notes.push_back(best + ": lowest mean time of its column, among rows in which all problems converged");
    notes.emplace_back(
        "times: mean over problems ± sample standard deviation, for the whole solve with its start and "
        "--fallback, whose mean times are in the summary");
    notes.emplace_back(
        "fallbacks: problems that reached the tolerance from zeros, because the start was worse after one "
        "iteration or lost the race");
    const std::string unit = results.origin.unit.empty() ? "" : ", in units of " + results.origin.unit;
    notes.push_back("value: <P, C>" + unit + ". with entropy: <P, C> + epsilon KL(P | a b^T)");
    notes.emplace_back("largest gap: largest difference between the primal and the dual value");
    return notes;
}

std::string csv_header_of_problems() {
    return "file,cost,solver,start,acceleration,tolerance,quantity,mean,std,min,max,n_problems,n_converged,"
           "n_failed,n_fallbacks\n";
}

std::string csv_lines_of(const eval::ProblemResults& results) {
    std::string text;
    for (const SolverScores& row : solver_scores(results)) {
        for (const ToleranceScores& cell : row.tolerances) {
            for (const std::string& name : solver_columns()) {
                const SeedStatistics& statistics = cell.column(name);
                const std::vector<double>& values = statistics.values();
                const double none = std::numeric_limits<double>::quiet_NaN();
                text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", csv_cell(results.file),
                                    csv_cell(results.origin.cost), csv_cell(row.key.solver),
                                    csv_cell(row.key.start), csv_cell(row.key.acceleration),
                                    csv_number(cell.tolerance), name, csv_number(statistics.mean()),
                                    csv_number(statistics.deviation()),
                                    csv_number(values.empty() ? none : std::ranges::min(values)),
                                    csv_number(values.empty() ? none : std::ranges::max(values)),
                                    cell.problems, cell.converged, cell.failed, cell.fallbacks);
            }
        }
    }
    return text;
}

std::string figures_html(const std::vector<Figure>& figures) {
    std::string html;
    for (const Figure& figure : figures) html += figure_html(figure);
    return html.empty() ? "" : element("div", "class=\"panels\"", html) + "\n";
}

// Lists the populations of a heat map that is too large for their names.
std::string order_html(const eval::DistanceMatrix& distances) {
    if (distances.names.size() <= plot::max_named_rows) return "";
    std::string items;
    for (const std::string& name : ordered_populations(distances)) items += element("li", "", escaped(name));
    return element("details", "",
                   "<summary>Populations from top to bottom</summary>" +
                       element("ol", "class=\"notes\"", items)) +
           "\n";
}

std::string provenance_part(const std::vector<eval::ProblemResults>& results) {
    std::vector<ProvenanceRow> rows;
    for (const eval::ProblemResults& file : results) {
        const eval::ProblemOrigin& origin = file.origin;
        rows.push_back(
            {file.file,
             {origin.cost, std::to_string(origin.seed), fmt::format("{} × {}", origin.ranks, origin.threads),
              origin.version + " " + origin.commit, origin.data_fingerprint},
             origin.config});
    }
    return provenance_html({"cost", "seed", "ranks × threads", "popflow", "data"}, rows);
}

std::vector<FileReport> parts_of(const std::vector<eval::ProblemResults>& results, const std::string& best) {
    std::vector<FileReport> parts;
    for (const eval::ProblemResults& file : results) {
        const std::vector<SolverScores> scores = solver_scores(file);
        FileReport part{.file = file.file,
                        .tables = {solver_table(file, scores), problem_summary(file, scores)},
                        .notes = notes_of(file, scores, best)};
        const std::string curves = figures_html(convergence_figures(file));
        if (!curves.empty()) part.html_after += "<h3>Convergence</h3>\n" + curves;
        const std::string distances = figures_html(distance_figures(file));
        if (!distances.empty())
            part.html_after += "<h3>Distances</h3>\n" + distances + order_html(*file.distances);
        parts.push_back(std::move(part));
    }
    return parts;
}

}  // namespace

Table solver_table(const eval::ProblemResults& results, const std::vector<SolverScores>& scores) {
    const TimeUnit unit = time_unit(scores);
    const std::vector<double> tolerances = tolerances_of(scores);
    Table table{.part = "solver, start, acceleration", .aggregation = "problems"};
    table.caption = "Time and iterations by tolerance (" + problems_text(results) + ")";
    for (const double tolerance : tolerances) {
        for (const char* title : {unit.name, "iterations"})
            table.columns.push_back(named_column(title, tolerance_text(tolerance)));
    }
    for (const SolverScores& row : scores) {
        Table::Line line{.label = row.key.label()};
        for (const double tolerance : tolerances) {
            TableCell time;
            TableCell iterations;
            if (const ToleranceScores* cell = row.find(tolerance); cell && cell->failed < cell->problems) {
                const std::string sign = cell->unconverged() > 0 ? at_least : "";
                time.measured = mean_cell(cell->column("seconds"), unit.factor);
                time.measured.mean = sign + time.measured.mean;
                iterations.measured.mean = sign + iterations_text(cell->column("iterations").mean());
            }
            line.cells.insert(line.cells.end(), {time, iterations});
        }
        table.lines.push_back(std::move(line));
    }
    for (std::size_t t = 0; t < tolerances.size(); ++t) mark_fastest(scores, tolerances[t], 2 * t, table);
    return table;
}

Table problem_summary(const eval::ProblemResults& results, const std::vector<SolverScores>& scores) {
    const TimeUnit unit = time_unit(scores);
    const std::string time = std::string(" ") + unit.name;
    Table table{.part = "solver, start, acceleration", .aggregation = "problems"};
    table.caption = "Summary at the lowest tolerance (" + problems_text(results) + ")";
    for (const std::string& title :
         {std::string("tolerance"), std::string("problems"), std::string("converged"), std::string("failed"),
          std::string("fallbacks"), "start" + time, "check" + time, std::string("value"),
          std::string("with entropy"), std::string("largest gap")})
        table.columns.push_back(named_column(title));
    for (const SolverScores& row : scores) {
        // The exact solver's scores are the last ones, if there are any.
        const ToleranceScores& cell = row.tolerances.back();
        const std::vector<double>& gaps = cell.column("gap").values();
        Table::Line line{.label = row.key.label()};
        const auto add = [&](const std::string& text) {
            line.cells.emplace_back();
            line.cells.back().measured.mean = text;
        };
        add(tolerance_text(cell.tolerance));
        for (const std::size_t count : {cell.problems, cell.converged, cell.failed, cell.fallbacks})
            add(std::to_string(count));
        for (const char* name : {"start_seconds", "check_seconds"})
            add(significant_text(unit.factor * cell.column(name).mean(), 3));
        for (const char* name : {"value", "value_entropic"})
            add(significant_text(cell.column(name).mean(), 7));
        add(gaps.empty() ? "-" : significant_text(std::ranges::max(gaps), 2));
        table.lines.push_back(std::move(line));
    }
    return table;
}

std::string problem_report(const std::vector<eval::ProblemResults>& results, ReportFormat format) {
    if (format == ReportFormat::csv) {
        std::string text = csv_header_of_problems();
        for (const eval::ProblemResults& file : results) text += csv_lines_of(file);
        return text;
    }
    const std::string best = format == ReportFormat::text   ? "*"
                             : format == ReportFormat::html ? "Bold"
                                                            : "bold";
    const std::vector<FileReport> parts = parts_of(results, best);
    if (format != ReportFormat::html) return text_of_files(parts, format);
    return page_of_files("popflow report: transport problems", "result file", parts,
                         provenance_part(results));
}

}  // namespace popflow::report
