// SPDX-License-Identifier: MIT
#include "report/report_formats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "core/text.hpp"
#include "metrics/metric.hpp"

namespace popflow::report {

namespace {

// Label of the line of intervals below a row.
constexpr const char* interval_label = "  95 %";

std::string with_deviation(const CellText& cell, const std::string& plus_minus) {
    return cell.deviation.empty() ? cell.mean : cell.mean + plus_minus + cell.deviation;
}

// Returns the cells of a table as text: the heading, then each row with its published values, if any.
template <class CellWriter>
std::vector<std::vector<std::string>> grid(const Table& table, const std::string& corner,
                                           const CellWriter& write) {
    std::vector<std::vector<std::string>> lines{{corner}};
    for (const TableColumn& c : table.columns) {
        lines[0].push_back(c.group.empty() ? c.title : c.group + " " + c.title);
    }
    for (const Table::Line& line : table.lines) {
        lines.push_back({line.label});
        for (const TableCell& cell : line.cells) lines.back().push_back(write(cell.measured, cell.is_best));
        if (line.has_interval) {
            lines.push_back({interval_label});
            for (const TableCell& cell : line.cells) lines.back().push_back(cell.interval);
        }
        if (!line.has_published) continue;
        lines.push_back({"  published"});
        for (const TableCell& cell : line.cells) lines.back().push_back(write(cell.published, false));
    }
    return lines;
}

// Returns the number of characters of a UTF-8 text.
std::size_t characters(const std::string& text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string padded(const std::string& text, std::size_t width, bool left) {
    const std::size_t length = characters(text);
    const std::string space(width > length ? width - length : 0, ' ');
    return left ? text + space : space + text;
}

// Returns the columns [first, last) of the grid in each block of a text table, without the labels.
std::vector<std::pair<std::size_t, std::size_t>> column_blocks(const Table& table,
                                                               const std::vector<std::size_t>& width) {
    const std::size_t labels = width[0] + 2;
    std::vector<std::pair<std::size_t, std::size_t>> blocks{{1, 1}};
    std::size_t used = labels;
    for (std::size_t c = 1; c < width.size();) {
        std::size_t end = c + 1;  // a group of columns stays together
        const std::string& group = table.columns[c - 1].group;
        while (!group.empty() && end < width.size() && table.columns[end - 1].group == group) ++end;
        std::size_t added = 0;
        for (std::size_t i = c; i < end; ++i) added += width[i] + 2;
        if (table.max_width > 0 && used + added > table.max_width && used > labels) {
            blocks.emplace_back(c, c);
            used = labels;
        }
        blocks.back().second = end;
        used += added;
        c = end;
    }
    return blocks;
}

std::string replaced(const std::string& text, char old, const std::string& with) {
    std::string out;
    for (char c : text) out += c == old ? with : std::string(1, c);
    return out;
}

std::string latex_title(const std::string& name) {
    const metrics::Metric* metric = metrics::find_metric(name);
    if (metric == nullptr) return latex_escaped(name);
    const bool up = metric->direction == metrics::Direction::higher_is_better;
    return std::string(metric->latex_title) + (up ? " $\\uparrow$" : " $\\downarrow$");
}

// Returns the headings over several columns and the rules below them, empty without such headings.
std::string latex_groups(const Table& table) {
    std::string heads;
    std::string rules;
    for (std::size_t c = 0; c < table.columns.size();) {
        std::size_t end = c;
        while (end < table.columns.size() && table.columns[end].group == table.columns[c].group) ++end;
        if (table.columns[c].group.empty()) return "";
        heads +=
            fmt::format(" & \\multicolumn{{{}}}{{c}}{{{}}}", end - c, latex_escaped(table.columns[c].group));
        rules += fmt::format("\\cmidrule(lr){{{}-{}}}", c + 2, end + 1);
        c = end;
    }
    return heads + " \\\\\n" + rules + "\n";
}

// Returns a number as text of LaTeX's math mode: `1.2e-9` as a power of ten, and the sign of a lower bound.
std::string latex_number(const std::string& text) {
    const std::string sign = "≥ ";
    if (text.starts_with(sign)) return "\\geq " + latex_number(text.substr(sign.size()));
    const std::size_t e = text.find('e');
    const bool is_power = e != std::string::npos && core::label_number(text);
    return is_power ? text.substr(0, e) + " \\cdot 10^{" + text.substr(e + 1) + "}" : text;
}

// A text that is not a number, such as `exact`, is no mathematics.
std::string latex_cell(const CellText& cell, bool best) {
    if (cell.mean == "-") return "--";
    if (std::isalpha(static_cast<unsigned char>(cell.mean.front())) != 0) return latex_escaped(cell.mean);
    const std::string number = latex_number(cell.mean);
    const std::string mean = best ? "\\mathbf{" + number + "}" : number;
    return "$" + mean + (cell.deviation.empty() ? "" : " \\pm " + latex_number(cell.deviation)) + "$";
}

// Returns the columns of the interval of a score and of its tests against the baselines.
std::string csv_statistics(const ComparisonRow& row, const Scope& scope, const std::string& metric,
                           ClusterStatistics& statistics) {
    const std::optional<Interval> interval = statistics.interval(row, scope, metric);
    const std::size_t clusters = statistics.clusters(scope);
    std::string text =
        interval ? "," + csv_number(interval->low) + "," + csv_number(interval->high) : std::string(",,");
    text += clusters > 0 ? "," + std::to_string(clusters) : ",";
    for (const char* baseline : {"mean_shift", "moment_map"}) {
        const PairedTest test = row.is_model() ? statistics.test(row, baseline, scope, metric) : PairedTest();
        text += test.pairs == 0 ? ",,,,"
                                : fmt::format(",{},{},{},{}", test.wins, test.losses, test.pairs,
                                              csv_number(test.p_value));
    }
    return text;
}

}  // namespace

std::string text_table(const Table& table) {
    const auto lines = grid(table, "", [](const CellText& cell, bool best) {
        return (best ? "*" : "") + with_deviation(cell, " ± ");
    });
    std::vector<std::size_t> width(lines[0].size(), 0);
    for (const auto& line : lines) {
        for (std::size_t c = 0; c < line.size(); ++c) width[c] = std::max(width[c], characters(line[c]));
    }
    std::string text = table.caption + "\n";
    for (const auto& [first, last] : column_blocks(table, width)) {
        for (const auto& line : lines) {
            std::string out = "  " + padded(line[0], width[0], true) + "  ";
            for (std::size_t c = first; c < last; ++c) out += padded(line[c], width[c], false) + "  ";
            out.erase(out.find_last_not_of(' ') + 1);
            text += out + "\n";
        }
    }
    return text;
}

std::string markdown_table(const Table& table) {
    const auto lines = grid(table, table.part, [](const CellText& cell, bool best) {
        const std::string text = with_deviation(cell, " ± ");
        return best ? "**" + text + "**" : text;
    });
    std::string text = table.caption + "\n\n";
    for (std::size_t i = 0; i < lines.size(); ++i) {
        text += "|";
        for (const std::string& cell : lines[i]) {
            const std::size_t start = std::min(cell.find_first_not_of(' '), cell.size());
            // A label with tags would be HTML.
            text += " " + replaced(replaced(cell.substr(start), '|', "\\|"), '<', "&lt;") + " |";
        }
        text += "\n";
        if (i > 0) continue;
        text += "|---|";
        for (std::size_t c = 0; c < table.columns.size(); ++c) text += "---:|";
        text += "\n";
    }
    return text + "\n";
}

std::string latex_table(const Table& table) {
    std::string text = "\\begin{table}\n\\centering\n\\caption{" + latex_escaped(table.caption) +
                       "}\n\\begin{tabular}{l" + std::string(table.columns.size(), 'r') + "}\n\\toprule\n" +
                       latex_groups(table);
    for (const TableColumn& column : table.columns) text += " & " + latex_title(column.metric);
    text += " \\\\\n\\midrule\n";
    bool is_after_model = true;
    for (const Table::Line& line : table.lines) {
        if (is_after_model && !line.is_model && &line != table.lines.data()) text += "\\midrule\n";
        is_after_model = line.is_model;
        text += latex_escaped(line.label);
        for (const TableCell& cell : line.cells) text += " & " + latex_cell(cell.measured, cell.is_best);
        text += " \\\\\n";
        if (line.has_interval) {
            text += "\\quad 95\\,\\%";
            for (const TableCell& cell : line.cells)
                text += " & " + (cell.interval.empty() ? "" : "{\\scriptsize $" + cell.interval + "$}");
            text += " \\\\\n";
        }
        if (!line.has_published) continue;
        text += "\\quad published";
        for (const TableCell& cell : line.cells) text += " & " + latex_cell(cell.published, false);
        text += " \\\\\n";
    }
    return text + "\\bottomrule\n\\end{tabular}\n\\end{table}\n";
}

std::string csv_cell(const std::string& text) {
    if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
    return "\"" + replaced(text, '"', "\"\"") + "\"";
}

std::string csv_number(double value) {
    return std::isnan(value) ? "" : core::number_label(value);
}

std::string latex_escaped(const std::string& text) {
    std::string out;
    for (char c : text) {
        if (c == '\\') {
            out += "\\textbackslash{}";
        } else if (c == '~' || c == '^') {
            out += std::string("\\") + c + "{}";
        } else {
            if (std::string("&%$#_{}").find(c) != std::string::npos) out += '\\';
            out += c;
        }
    }
    return out;
}

std::string csv_header() {
    return "split,data,predictor,method,base,knn,differs,part,aggregation,metric,mean,std,n_seeds,n_pairs,n_"
           "failed,"
           "published,published_std,low,high,n_clusters,mean_shift_wins,mean_shift_losses,mean_shift_pairs,"
           "mean_shift_p,moment_map_wins,moment_map_losses,moment_map_pairs,moment_map_p\n";
}

std::string csv_lines(const Comparison& comparison, const PublishedTable* published,
                      ClusterStatistics& statistics) {
    std::string text;
    for (const ComparisonRow& row : comparison.rows) {
        const std::string head = fmt::format("{},{},{},{},{},{},{}", csv_cell(comparison.split),
                                             csv_cell(comparison.data_fingerprint), row.predictor, row.method,
                                             row.base, row.knn_text(), csv_cell(row.differs));
        for (const auto& [scope, scores] : row.scores) {
            for (const std::string& metric : metrics::metric_names()) {
                const SeedStatistics* values = row.find(scope, metric);
                if (values == nullptr) continue;
                text += fmt::format("{},{},{},{},{},{},{},{},{},", head, csv_cell(scope.first),
                                    csv_cell(scope.second), metric, csv_number(values->mean()),
                                    csv_number(values->deviation()), values->values().size(), scores.n_pairs,
                                    scores.n_failed);
                if (const auto reference = published ? published->find(row, scope, metric) : std::nullopt) {
                    text += csv_number(reference->mean) + "," +
                            (reference->deviation ? csv_number(*reference->deviation) : std::string());
                } else {
                    text += ",";
                }
                text += csv_statistics(row, scope, metric, statistics) + "\n";
            }
        }
    }
    return text;
}

}  // namespace popflow::report
