// SPDX-License-Identifier: MIT
#include "inspect/inspection_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "core/utf8.hpp"
#include "inspect/advice.hpp"
#include "inspect/inspection_summary.hpp"

namespace popflow::inspect {

namespace {

constexpr std::size_t label_width = 14;
constexpr std::size_t line_width = 100;
constexpr std::size_t max_rows = 60;    // rows of a table, names of a list
constexpr std::size_t max_dropped = 8;  // items listed per reason

/// Formats a number with separators: 24756030 -> 24,756,030.
std::string grouped(std::size_t number) {
    return fmt::format("{}", fmt::group_digits(number));
}

std::string counted(std::size_t number, const std::string& noun) {
    return fmt::format("{} {}{}", grouped(number), noun, number == 1 ? "" : "s");
}

/// Returns the number of characters of a UTF-8 text.
std::size_t width(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// Formats a label and its text, wrapped and indented.
std::string entry(const std::string& label, const std::string& text) {
    std::string result = fmt::format("{:<{}}", label, label_width);
    std::size_t column = label_width;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find(' ', begin), text.size());
        const std::string word = text.substr(begin, end - begin);
        if (column > label_width && column + 1 + width(word) > line_width) {
            result.append(1, '\n').append(label_width, ' ');
            column = label_width;
        } else if (column > label_width) {
            result += ' ';
            ++column;
        }
        result += word;
        column += width(word);
        begin = end + 1;
    }
    return result + "\n";
}

std::string names(const std::vector<std::string>& all) {
    if (all.empty()) return "none kept";
    if (all.size() == 1 && all.front().empty()) return "(no such column: counted as one)";
    std::string text = std::to_string(all.size()) + ":";
    for (std::size_t k = 0; k < all.size() && k < max_rows; ++k) {
        text.append(1, ' ').append(all[k].empty() ? "(none)" : all[k]).append(k + 1 < all.size() ? "," : "");
    }
    return all.size() > max_rows ? fmt::format("{} ... {} more", text, all.size() - max_rows) : text;
}

using Row = std::vector<std::string>;

/// Formats rows, of which the first is the heading. Aligns the first `n_left` columns to the left, the others
/// to the right.
std::string table(const std::vector<Row>& rows, std::size_t n_left) {
    std::vector<std::size_t> widths(rows.front().size(), 0);
    for (const Row& row : rows) {
        for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width(row[c]));
    }
    std::string text;
    for (std::size_t r = 0; r < rows.size() && r <= max_rows; ++r) {
        std::string line;
        for (std::size_t c = 0; c < rows[r].size(); ++c) {
            const std::string padding(widths[c] - width(rows[r][c]), ' ');
            line.append(2, ' ')
                .append(c < n_left ? rows[r][c] : padding)
                .append(c < n_left ? padding : rows[r][c]);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    if (rows.size() > max_rows + 1)
        text += fmt::format("  ... and {} more\n", counted(rows.size() - max_rows - 1, "row"));
    return text;
}

std::string sizes_text(const SizeRange& sizes) {
    return sizes.n == 0 ? ""
                        : fmt::format("; {} to {} cells, median {}", grouped(sizes.smallest),
                                      grouped(sizes.largest), grouped(sizes.median));
}

/// Returns the encoding of the matrix, and its path unless it is X.
std::string matrix_text(const screen::Screen& screen) {
    const anndata::MatrixSource& source = screen.options.source;
    const bool is_x = source.kind == anndata::MatrixSource::Kind::x;
    return is_x ? screen.x_text : screen.x_text + " of " + source.path();
}

std::string transform_text(const screen::ScreenOptions& options) {
    const std::string text = options.transform.text();
    return options.size_factor.is_set() ? "size factors " + options.size_factor.text() + ", then " + text
                                        : text;
}

std::string overview(const screen::Screen& screen, const InspectionSummary& summary) {
    const std::vector<std::string>& keys = screen.options.pair_by;
    std::string key_text;
    for (const std::string& key : keys) key_text += (key_text.empty() ? "" : ", ") + key;
    for (const std::string& key : screen.options.population_columns) key_text += ", " + key;
    const bool highest = screen.options.doses == screen::Doses::highest;
    return entry("File", fmt::format("{} (fingerprint {})", screen.file, screen.fingerprint)) +
           entry("Cells", fmt::format("{} x {}, {}", grouped(screen.n_obs), counted(screen.n_vars, "column"),
                                      matrix_text(screen))) +
           entry("Markers", names(screen.markers)) + entry("Transform", transform_text(screen.options)) +
           entry("Patients", names(summary.patients)) + entry("Cultures", names(summary.cultures)) +
           entry("Plates", names(summary.plates)) + entry("Replicates", names(summary.replicates)) +
           entry("Cell types", names(screen.cell_types)) +
           entry("Experiments",
                 fmt::format("{} found, {} kept (one {} each)", grouped(screen.experiments_found),
                             grouped(screen.experiments.size()), key_text)) +
           entry("Populations",
                 fmt::format("{} found, {} kept{}", grouped(screen.populations_found),
                             grouped(screen.populations.size()), sizes_text(summary.populations))) +
           (screen.options.unpaired
                ? ""
                : entry("Pairs", grouped(screen.pairs.size()) +
                                     (highest ? " (highest dose of each treatment)" : " (every dose)")));
}

// @param has_pairs  false for populations without pairs, whose treatments are labels
std::string doses_table(const InspectionSummary& summary, bool has_pairs) {
    std::vector<Row> rows{
        {has_pairs ? "treatment" : "label", "dose", "populations", "cells", "smallest", "median", "largest"}};
    if (has_pairs) rows.front().emplace_back("pairs");
    for (const DoseSummary& dose : summary.doses) {
        rows.push_back({dose.treatment + (dose.control && has_pairs ? " (control)" : ""), dose.concentration,
                        grouped(dose.sizes.n), grouped(dose.sizes.n_cells), grouped(dose.sizes.smallest),
                        grouped(dose.sizes.median), grouped(dose.sizes.largest)});
        if (has_pairs) rows.back().push_back(grouped(dose.n_pairs));
    }
    return (has_pairs ? "\nTreatments\n" : "\nLabels\n") + table(rows, 2);
}

// Numbers of populations of each label in the parts of a split.
std::string label_split_table(const screen::Screen& screen, const screen::Split& split) {
    std::map<std::string, std::array<std::size_t, 3>> counts;
    for (std::size_t p = 0; p < screen.pairs.size(); ++p)
        ++counts[screen.populations[screen.pairs[p].treated].treatment]
                [static_cast<std::size_t>(split.parts[p])];
    std::vector<Row> rows{{"label", "train", "validation", "test"}};
    for (const auto& [label, count] : counts)
        rows.push_back({label, grouped(count[0]), grouped(count[1]), grouped(count[2])});
    return "\nPopulations of the split " + split.spec + "\n" + table(rows, 1);
}

std::string split_table(const InspectionSummary& summary, const screen::Split& split) {
    const bool by_column = !summary.pairs_by_column.empty();
    std::vector<Row> rows{{"culture", "patient", "train", "validation", "test"}};
    if (by_column) rows.front().erase(rows.front().begin(), rows.front().begin() + 2);
    if (by_column) rows.front().insert(rows.front().begin(), split.column);
    Row total = by_column ? Row{"all"} : Row{"all", ""};
    for (const screen::Part part : {screen::Part::train, screen::Part::validation, screen::Part::test}) {
        total.push_back(grouped(split.pairs(part).size()));
    }
    rows.push_back(total);
    for (const auto& [value, counts] : summary.pairs_by_column)
        rows.push_back({value, grouped(counts[0]), grouped(counts[1]), grouped(counts[2])});
    for (const auto& [group, counts] : summary.pairs) {
        if (by_column) break;
        rows.push_back(
            {group.first, group.second, grouped(counts[0]), grouped(counts[1]), grouped(counts[2])});
    }
    return "\nPairs of the split " + split.spec + "\n" + table(rows, by_column ? 1 : 2);
}

std::string dropped_list(const InspectionSummary& summary) {
    if (summary.dropped.empty()) return "\nNothing was dropped.\n";
    std::string text = "\nDropped\n";
    for (const auto& [why, items] : summary.dropped) {
        std::size_t n_cells = 0;
        for (const screen::Dropped& item : items) n_cells += item.n_cells;
        const screen::Dropped::Kind kind = items.front().kind;
        if (kind == screen::Dropped::Kind::rows) {
            text += "  " + counted(n_cells, "row") + ": " + why + "\n";
            continue;
        }
        text +=
            "  " +
            counted(items.size(), kind == screen::Dropped::Kind::population ? "population" : "experiment") +
            " with " + counted(n_cells, "cell") + ": " + why + "\n";
        for (std::size_t k = 0; k < items.size() && k < max_dropped; ++k) {
            text += "    " + items[k].what + " (" + counted(items[k].n_cells, "cell") + ")\n";
        }
        if (items.size() > max_dropped)
            text += "    ... and " + grouped(items.size() - max_dropped) + " more\n";
    }
    return text;
}

}  // namespace

std::string inspection_text(const screen::Screen& screen, const screen::Split* split,
                            std::span<const std::string> notes) {
    const InspectionSummary summary = summarise(screen, split);
    std::string text = overview(screen, summary);
    const bool has_pairs = !screen.options.unpaired;
    if (!screen.populations.empty()) text += doses_table(summary, has_pairs);
    if (split != nullptr)
        text += has_pairs ? split_table(summary, *split) : label_split_table(screen, *split);
    text += dropped_list(summary);
    if (!screen.notes.empty() || !notes.empty()) text += "\n";
    for (const std::string& note : screen.notes) text += "note: " + core::printable(note) + "\n";
    for (const std::string& note : notes) text += "note: " + core::printable(note) + "\n";
    const std::vector<Advice> advice = advise(screen, summary, split);
    if (!advice.empty()) text += "\nAdvice (docs/choosing.md)\n";
    for (const Advice& line : advice) text += entry("  " + line.topic, line.text);
    if (!screen.nothing_kept.empty()) text += "\nNothing is kept: " + screen.nothing_kept + "\n";
    return text;
}

}  // namespace popflow::inspect
