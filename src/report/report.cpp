// SPDX-License-Identifier: MIT
#include "report/report.hpp"

#include "report/baseline_notes.hpp"
#include "report/report_formats.hpp"
#include "report/report_page.hpp"
#include "report/role_columns.hpp"

namespace popflow::report {

namespace {

// Differences between the formats in what surrounds the tables.
struct Writer {
    std::string (*table)(const Table&);
    bool all_scopes;          ///< false: only the scopes of the published tables
    std::string line_prefix;  ///< prefix of a note
    std::string line_end;
    std::string best;  ///< name of the mark of the best value of a column
};

Writer writer(ReportFormat format) {
    if (format == ReportFormat::markdown) return {markdown_table, false, "", "\n\n", "bold"};
    if (format == ReportFormat::latex) return {latex_table, false, "% ", "\n", "bold"};
    return {text_table, true, "  ", "\n", "*"};
}

std::string section_title(const std::vector<eval::Results>& results, const Comparison& comparison) {
    const RoleColumns columns = role_columns(results[comparison.results.front()].provenance.config);
    return "split " + split_title(comparison.split, columns) + ", data " +
           comparison.data_fingerprint.substr(0, 12);
}

std::string section(const std::vector<eval::Results>& results, const Comparison& comparison, const Writer& to,
                    const PublishedTable* published) {
    std::string text;
    bool any_published = false;
    ClusterStatistics statistics(results, comparison);
    const bool has_groups = to.all_scopes || comparison.grouping.is_chosen;
    std::vector<Table> all = tables(comparison, published, statistics);
    std::erase_if(all,
                  [&](const Table& table) { return !has_groups && table.aggregation != "culture_mean"; });
    for (const Table& table : all) {
        if (!text.empty()) text += "\n";
        text += to.table(table);
        for (const Table::Line& line : table.lines) any_published = any_published || line.has_published;
    }
    std::vector<std::string> notes = baseline_notes(comparison, statistics);
    for (const auto& more :
         {interval_notes(all, statistics), legend(to.best, all), metric_notes(all), comparison.notes})
        notes.insert(notes.end(), more.begin(), more.end());
    if (any_published) notes.insert(notes.begin(), "published: " + published->source());
    if (published != nullptr && !any_published)
        notes.push_back(published->source() + " has no values for these rows");
    text += "\n";
    for (const std::string& note : notes) text += to.line_prefix + note + to.line_end;
    return text;
}

}  // namespace

const std::vector<std::string>& report_format_names() {
    static const std::vector<std::string> names{"text", "markdown", "csv", "latex", "html"};
    return names;
}

std::string report(const std::vector<eval::Results>& results, const core::OptionEffects& effects,
                   ReportFormat format, const PublishedTable* published) {
    const std::vector<Comparison> comparisons = compare(results, effects);
    if (format == ReportFormat::html) return report_page(results, comparisons, published);
    if (format == ReportFormat::csv) {
        std::string text = csv_header();
        for (const Comparison& comparison : comparisons) {
            ClusterStatistics statistics(results, comparison);
            text += csv_lines(comparison, published, statistics);
        }
        return text;
    }
    const Writer to = writer(format);
    std::string text;
    for (const Comparison& comparison : comparisons) {
        if (!text.empty()) text += "\n";
        if (comparisons.size() > 1)
            text += to.line_prefix + section_title(results, comparison) + to.line_end + "\n";
        text += section(results, comparison, to, published);
    }
    return text;
}

std::string report_text(const std::vector<eval::Results>& results, const core::OptionEffects& effects) {
    return report(results, effects, ReportFormat::text);
}

}  // namespace popflow::report
