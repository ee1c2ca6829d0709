// SPDX-License-Identifier: MIT
#include "report/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "core/join.hpp"
#include "core/text.hpp"
#include "eval/predictor.hpp"
#include "metrics/metric.hpp"

namespace popflow::report {

namespace {

// Number of characters above which a text table is broken into blocks of columns.
constexpr std::size_t max_width = 110;

std::string fixed_text(double value, int digits) {
    return fmt::format("{:.{}f}", value, digits);
}

int digits_after_point(const std::string& number) {
    const std::size_t point = number.find('.');
    return point == std::string::npos ? 0 : static_cast<int>(number.size() - point - 1);
}

bool has_score(const Comparison& comparison, const Scope& scope, const std::string& metric) {
    return std::ranges::any_of(comparison.rows,
                               [&](const ComparisonRow& r) { return r.find(scope, metric) != nullptr; });
}

std::vector<TableColumn> columns_of(const Comparison& comparison, const Scope& scope,
                                    const std::string& group, bool letters) {
    std::vector<TableColumn> shown;
    std::vector<TableColumn> others;
    for (const metrics::Metric& m : metrics::all_metrics()) {
        if (!has_score(comparison, scope, m.name)) continue;
        const bool is_shown = m.is_in_tables && !(letters && !m.is_in_letters);
        (is_shown ? shown : others)
            .push_back({.scope = scope,
                        .group = group,
                        .metric = m.name,
                        .title = m.title,
                        .factor = m.factor,
                        .decimals = m.decimals});
    }
    return shown.empty() ? others : shown;
}

using Rows = std::vector<const ComparisonRow*>;

bool uses_target(const ComparisonRow& row) {
    const eval::Predictor* predictor = eval::find_predictor(row.predictor);
    return predictor != nullptr && predictor->uses_target;
}

// Resampled means of each row in one column, empty without an interval.
using ColumnResamples = std::vector<std::vector<double>>;

// Returns whether row `a` is better than row `b`: the interval of the paired difference lies on one side of
// zero. @param sign  1 if lower values are better, otherwise -1
bool is_better(const ColumnResamples& resampled, std::size_t a, std::size_t b, double sign,
               std::size_t clusters) {
    if (resampled[a].empty() || resampled[b].empty()) return false;
    std::vector<double> gain(resampled[a].size());
    for (std::size_t i = 0; i < gain.size(); ++i) gain[i] = sign * (resampled[b][i] - resampled[a][i]);
    const std::optional<Interval> interval = percentile_interval(std::move(gain), clusters);
    return interval && interval->low > 0;
}

void mark_best(const Rows& rows, std::size_t c, const ColumnResamples& resampled, std::size_t clusters,
               Table& table) {
    if (clusters < min_clusters) return;
    const TableColumn& column = table.columns[c];
    const metrics::Metric* metric = metrics::find_metric(column.metric);
    const double sign =
        metric != nullptr && metric->direction == metrics::Direction::higher_is_better ? -1 : 1;
    const auto text = [&](std::size_t r) { return table.lines[r].cells[c].measured.mean; };
    std::vector<std::size_t> candidates;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        if (rows[r]->find(column.scope, column.metric) != nullptr && !uses_target(*rows[r]))
            candidates.push_back(r);
    }
    if (candidates.empty()) return;
    const std::size_t best = *std::ranges::min_element(candidates, {}, [&](std::size_t r) {
        return sign * rows[r]->find(column.scope, column.metric)->mean();
    });
    const auto is_tied = [&](std::size_t r) { return text(r) == text(best); };
    const bool has_rival = !std::ranges::all_of(candidates, is_tied);
    const bool is_clear = std::ranges::all_of(candidates, [&](std::size_t r) {
        return is_tied(r) || is_better(resampled, best, r, sign, clusters);
    });
    if (!has_rival || !is_clear) return;
    for (const std::size_t r : candidates) table.lines[r].cells[c].is_best = is_tied(r);
}

// Adds the intervals and the marks.
void add_statistics(const Rows& rows, ClusterStatistics& statistics, Table& table) {
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
        const TableColumn& column = table.columns[c];
        const std::size_t clusters = statistics.clusters(column.scope);
        ColumnResamples resampled;
        for (std::size_t r = 0; r < rows.size(); ++r) {
            resampled.push_back(statistics.resampled(*rows[r], column.scope, column.metric));
            const std::optional<Interval> interval = percentile_interval(resampled.back(), clusters);
            if (!interval) continue;
            TableCell& cell = table.lines[r].cells[c];
            const auto text = [&](double value) {
                return fixed_text(column.factor * value, digits_after_point(cell.measured.mean));
            };
            cell.interval = "[" + text(interval->low) + ", " + text(interval->high) + "]";
            table.lines[r].has_interval = true;
        }
        mark_best(rows, c, resampled, clusters, table);
    }
}

bool has_no_score(const ComparisonRow& row, const Table& table) {
    return std::ranges::none_of(table.columns, [&](const TableColumn& column) {
        return row.find(column.scope, column.metric) != nullptr;
    });
}

bool has_column(const ComparisonRow& row, const Table& table) {
    return std::ranges::any_of(table.columns,
                               [&](const TableColumn& c) { return row.scores.contains(c.scope); });
}

void fill(const Comparison& comparison, const PublishedTable* published, ClusterStatistics& statistics,
          Table& table) {
    Rows rows;
    for (const ComparisonRow& row : comparison.rows) {
        if (has_column(row, table) && !(uses_target(row) && has_no_score(row, table))) rows.push_back(&row);
    }
    for (const ComparisonRow* row : rows) {
        Table::Line line{.label = row->label(), .predictor = row->predictor, .is_model = row->is_model()};
        for (const TableColumn& column : table.columns) {
            TableCell cell;
            if (const SeedStatistics* scores = row->find(column.scope, column.metric)) {
                cell.measured = cell_text(column.factor * scores->mean(), column.factor * scores->deviation(),
                                          column.decimals);
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
    add_statistics(rows, statistics, table);
}

std::string counts_text(const Comparison& comparison, const Scope& scope, ClusterStatistics& statistics) {
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
    if (const std::size_t clusters = statistics.clusters(scope); clusters > 0)
        text += ", " + core::counted(clusters, statistics.noun());
    if (seeds > 1) text += fmt::format(", {} seeds", seeds);
    if (failed > 0) text += ", " + core::counted(static_cast<std::size_t>(failed), "score") + " failed";
    return text;
}

std::string aggregation_text(const Comparison& comparison, const std::string& aggregation, bool one_culture) {
    const std::string culture = column_of(comparison.columns, "culture");
    if (aggregation == "culture_mean") return one_culture ? "mean over pairs" : "mean over " + culture + "s";
    if (aggregation == "pair_mean") return "mean over pairs";
    const std::optional<std::string> group = comparison.grouping.group(aggregation);
    if (!group) return aggregation;
    return (comparison.grouping.is_chosen ? comparison.grouping.name : culture) + " " + *group;
}

// Returns whether a part has one culture, so that the mean over cultures is the mean over pairs.
bool has_one_culture(const Comparison& comparison, const std::string& part,
                     const ClusterStatistics& statistics) {
    if (comparison.grouping.is_chosen) return statistics.cultures(part) < 2;
    return std::ranges::none_of(comparison.scopes(), [&](const Scope& s) {
        return s.first == part && comparison.grouping.group(s.second);
    });
}

bool has_metric(const std::vector<Table>& tables, const metrics::Metric& metric) {
    return std::ranges::any_of(tables, [&](const Table& table) {
        return std::ranges::find(table.columns, metric.name, &TableColumn::metric) != table.columns.end();
    });
}

Table letters_table(const Comparison& comparison, const PublishedTable* published,
                    ClusterStatistics& statistics) {
    Table table{.part = "letters", .aggregation = "culture_mean", .max_width = max_width};
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
        counts += (counts.empty() ? "" : "; ") + group + ": " + counts_text(comparison, scope, statistics);
    };
    for (const Scope& scope : parts) {
        if (scope.first != "test" || letters.empty()) add(scope, scope.first);
    }
    for (const Scope& scope : letters) add(scope, "test " + scope.second.substr(8));
    table.caption = "letters (" + counts + ")";
    fill(comparison, published, statistics, table);
    return table;
}

}  // namespace

CellText cell_text(double mean, double deviation, int decimals) {
    if (std::isnan(mean)) return {};
    const int digits = std::min(decimals, std::abs(mean) >= 100 ? 1 : std::abs(mean) >= 10 ? 2 : 3);
    return {fixed_text(mean, digits), deviation > 0 ? fixed_text(deviation, digits) : ""};
}

std::vector<Table> tables(const Comparison& comparison, const PublishedTable* published,
                          ClusterStatistics& statistics) {
    if (comparison.split == "letters" && !comparison.grouping.is_chosen)
        return {letters_table(comparison, published, statistics)};
    std::vector<Table> all;
    for (const Scope& scope : comparison.scopes()) {
        const bool one_culture = has_one_culture(comparison, scope.first, statistics);
        if (scope.second == "pair_mean" && one_culture) continue;  // equals culture_mean
        Table table{.part = scope.first, .aggregation = scope.second, .max_width = max_width};
        table.caption = scope.first + ", " + aggregation_text(comparison, scope.second, one_culture) + " (" +
                        counts_text(comparison, scope, statistics) + ")";
        table.columns = columns_of(comparison, scope, "", false);
        fill(comparison, published, statistics, table);
        all.push_back(std::move(table));
    }
    return all;
}

std::vector<std::string> legend(const std::string& best, const std::vector<Table>& tables) {
    const auto is_shown = [&](const std::string& predictor) {
        return std::ranges::any_of(tables, [&](const Table& table) {
            return std::ranges::find(table.lines, predictor, &Table::Line::predictor) != table.lines.end();
        });
    };
    std::vector<std::string> excluded;
    std::vector<std::string> lines;
    for (const eval::Predictor& predictor : eval::predictors()) {
        if (predictor.is_model() || !is_shown(predictor.name)) continue;
        if (predictor.uses_target) excluded.emplace_back(predictor.name);
        lines.push_back(std::string(predictor.name) + ": " + predictor.description);
    }
    std::vector<std::string> highest;
    for (const metrics::Metric& metric : metrics::all_metrics()) {
        if (metric.direction == metrics::Direction::higher_is_better && has_metric(tables, metric))
            highest.emplace_back(metric.title);
    }
    std::string rule =
        best +
        ": best value of its column, by the 95 % interval of its paired difference from each other "
        "row. The best is the lowest";
    if (!highest.empty()) rule += " (" + core::and_joined(highest) + ": the highest)";
    if (!excluded.empty())
        rule +=
            fmt::format(". {} {} excluded, because {} the treated cells", core::and_joined(excluded),
                        excluded.size() == 1 ? "is" : "are", excluded.size() == 1 ? "it uses" : "they use");
    lines.insert(lines.begin(), rule);
    return lines;
}

std::vector<std::string> interval_notes(const std::vector<Table>& tables, ClusterStatistics& statistics) {
    std::set<std::size_t> counts;
    for (const Table& table : tables) {
        for (const TableColumn& column : table.columns) counts.insert(statistics.clusters(column.scope));
    }
    counts.erase(0);
    if (counts.empty()) return {};
    const std::string& noun = statistics.noun();
    std::vector<std::string> notes;
    if (*counts.rbegin() > 1)
        notes.push_back(
            fmt::format("95 %: bootstrap interval of the mean. Each of {} resamples draws {}s with "
                        "all their pairs",
                        bootstrap_resamples, noun));
    if (*counts.begin() == 1)
        notes.push_back(fmt::format("no interval where all pairs are of one {}: it needs several", noun));
    if (std::ranges::any_of(counts, [](std::size_t n) { return n > 1 && n < min_clusters; }))
        notes.push_back(
            fmt::format("fewer than {} {}s allow no 95 % interval: theirs cover less, no value is "
                        "marked, and no p-value is below 0.05",
                        min_clusters, noun));
    return notes;
}

std::vector<std::string> metric_notes(const std::vector<Table>& tables) {
    std::vector<std::string> notes;
    for (const metrics::Metric& metric : metrics::all_metrics()) {
        if (has_metric(tables, metric) && *metric.note != '\0')
            notes.push_back(std::string(metric.title) + ": " + metric.note);
    }
    return notes;
}

}  // namespace popflow::report
