// SPDX-License-Identifier: MIT
#include "report/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/join.hpp"
#include "core/text.hpp"
#include "eval/predictor.hpp"
#include "metrics/metric.hpp"

namespace popflow::report {

namespace {

std::string fixed_text(double value, int digits) {
    return fmt::format("{:.{}f}", value, digits);
}

bool has_score(const Comparison& comparison, const Scope& scope, const std::string& metric) {
    return std::ranges::any_of(comparison.rows,
                               [&](const ComparisonRow& r) { return r.find(scope, metric) != nullptr; });
}

std::vector<TableColumn> columns_of(const Comparison& comparison, const Scope& scope,
                                    const std::string& group, bool letters) {
    std::vector<TableColumn> columns;
    for (const metrics::Metric& m : metrics::all_metrics()) {
        if (!m.is_in_tables || (letters && !m.is_in_letters) || !has_score(comparison, scope, m.name))
            continue;
        columns.push_back({.scope = scope,
                           .group = group,
                           .metric = m.name,
                           .title = m.title,
                           .factor = m.factor,
                           .decimals = m.decimals});
    }
    return columns;
}

using Rows = std::vector<const ComparisonRow*>;

void mark_best(const Rows& rows, Table& table) {
    const auto is_excluded = [](const std::string& name) {
        const eval::Predictor* predictor = eval::find_predictor(name);
        return predictor != nullptr && predictor->uses_target;
    };
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
        const TableColumn& column = table.columns[c];
        const metrics::Metric* metric = metrics::find_metric(column.metric);
        const double sign =
            metric != nullptr && metric->direction == metrics::Direction::higher_is_better ? -1 : 1;
        double best = std::numeric_limits<double>::infinity();
        std::string text;
        for (std::size_t r = 0; r < rows.size(); ++r) {
            const SeedStatistics* statistics = rows[r]->find(column.scope, column.metric);
            if (statistics == nullptr || is_excluded(rows[r]->predictor) ||
                !(sign * statistics->mean() < best))
                continue;
            best = sign * statistics->mean();
            text = table.lines[r].cells[c].measured.mean;
        }
        // All values with the same text as the best one are marked.
        for (std::size_t r = 0; r < rows.size(); ++r) {
            TableCell& cell = table.lines[r].cells[c];
            cell.is_best = !text.empty() && cell.measured.mean == text && !is_excluded(rows[r]->predictor);
        }
    }
}

bool has_column(const ComparisonRow& row, const Table& table) {
    return std::ranges::any_of(table.columns,
                               [&](const TableColumn& c) { return row.scores.contains(c.scope); });
}

void fill(const Comparison& comparison, const PublishedTable* published, Table& table) {
    Rows rows;
    for (const ComparisonRow& row : comparison.rows) {
        if (has_column(row, table)) rows.push_back(&row);
    }
    for (const ComparisonRow* row : rows) {
        Table::Line line{.label = row->label(), .is_model = row->is_model()};
        for (const TableColumn& column : table.columns) {
            TableCell cell;
            if (const SeedStatistics* statistics = row->find(column.scope, column.metric)) {
                cell.measured = cell_text(column.factor * statistics->mean(),
                                          column.factor * statistics->deviation(), column.decimals);
            }
            if (const auto reference =
                    published ? published->find(*row, column.scope, column.metric) : std::nullopt) {
                cell.published = cell_text(column.factor * reference->mean,
                                           column.factor * reference->deviation.value_or(0), column.decimals);
                line.has_published = true;
            }
            line.cells.push_back(cell);
        }
        table.lines.push_back(std::move(line));
    }
    mark_best(rows, table);
}

std::string counts_text(const Comparison& comparison, const Scope& scope) {
    std::int64_t pairs = 0;
    std::int64_t failed = 0;
    std::size_t seeds = 0;
    for (const ComparisonRow& row : comparison.rows) {
        const auto at = row.scores.find(scope);
        if (at == row.scores.end()) continue;
        pairs = std::max(pairs, at->second.n_pairs);
        failed += at->second.n_failed;
        if (row.is_model()) seeds = std::max(seeds, row.seeds.size());
    }
    std::string text = core::counted(static_cast<std::size_t>(pairs), "pair");
    if (seeds > 1) text += fmt::format(", {} seeds", seeds);
    if (failed > 0) text += ", " + core::counted(static_cast<std::size_t>(failed), "score") + " failed";
    return text;
}

std::string aggregation_text(const std::string& aggregation, bool one_culture) {
    if (aggregation == "culture_mean") return one_culture ? "mean over pairs" : "mean over cultures";
    if (aggregation == "pair_mean") return "mean over pairs";
    if (aggregation.starts_with("culture:")) return "culture " + aggregation.substr(8);
    return aggregation;
}

Table letters_table(const Comparison& comparison, const PublishedTable* published) {
    Table table{.part = "letters", .aggregation = "culture_mean"};
    std::vector<Scope> parts;
    std::vector<Scope> letters;
    for (const Scope& scope : comparison.scopes()) {
        if (scope.first == "test" && scope.second.starts_with("culture:")) letters.push_back(scope);
        if (scope.second == "culture_mean") parts.push_back(scope);
    }
    std::string counts;
    const auto add = [&](const Scope& scope, const std::string& group) {
        const auto columns = columns_of(comparison, scope, group, true);
        table.columns.insert(table.columns.end(), columns.begin(), columns.end());
        counts += (counts.empty() ? "" : "; ") + group + ": " + counts_text(comparison, scope);
    };
    for (const Scope& scope : parts) {
        if (scope.first != "test" || letters.empty()) add(scope, scope.first);
    }
    for (const Scope& scope : letters) add(scope, "test " + scope.second.substr(8));
    table.caption = "letters (" + counts + ")";
    fill(comparison, published, table);
    return table;
}

}  // namespace

CellText cell_text(double mean, double deviation, int decimals) {
    if (std::isnan(mean)) return {};
    const int digits = std::min(decimals, std::abs(mean) >= 100 ? 1 : std::abs(mean) >= 10 ? 2 : 3);
    return {fixed_text(mean, digits), deviation > 0 ? fixed_text(deviation, digits) : ""};
}

std::vector<Table> tables(const Comparison& comparison, const PublishedTable* published) {
    if (comparison.split == "letters") return {letters_table(comparison, published)};
    const std::vector<Scope> scopes = comparison.scopes();
    std::vector<Table> all;
    for (const Scope& scope : scopes) {
        const bool one_culture = std::ranges::none_of(scopes, [&](const Scope& s) {
            return s.first == scope.first && s.second.starts_with("culture:");
        });
        if (scope.second == "pair_mean" && one_culture) continue;  // equals culture_mean
        Table table{.part = scope.first, .aggregation = scope.second};
        table.caption = scope.first + ", " + aggregation_text(scope.second, one_culture) + " (" +
                        counts_text(comparison, scope) + ")";
        table.columns = columns_of(comparison, scope, "", false);
        fill(comparison, published, table);
        all.push_back(std::move(table));
    }
    return all;
}

std::vector<std::string> legend(const std::string& best) {
    std::vector<std::string> excluded;
    std::vector<std::string> lines;
    for (const eval::Predictor& predictor : eval::predictors()) {
        if (predictor.uses_target) excluded.emplace_back(predictor.name);
        if (!predictor.is_model())
            lines.push_back(std::string(predictor.name) + ": " + predictor.description);
    }
    std::vector<std::string> highest;
    for (const metrics::Metric& metric : metrics::all_metrics()) {
        if (metric.is_in_tables && metric.direction == metrics::Direction::higher_is_better)
            highest.emplace_back(metric.title);
    }
    lines.insert(lines.begin(),
                 fmt::format("{}: best value of its column, the lowest ({}: the highest). {} are excluded, "
                             "because they use the treated cells",
                             best, core::and_joined(highest), core::and_joined(excluded)));
    return lines;
}

std::vector<std::string> metric_notes(const std::vector<Table>& tables) {
    std::vector<std::string> notes;
    for (const metrics::Metric& metric : metrics::all_metrics()) {
        const bool is_shown = std::ranges::any_of(tables, [&](const Table& table) {
            return std::ranges::find(table.columns, metric.name, &TableColumn::metric) != table.columns.end();
        });
        if (is_shown && *metric.note != '\0') notes.push_back(std::string(metric.title) + ": " + metric.note);
    }
    return notes;
}

}  // namespace popflow::report
