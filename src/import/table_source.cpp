// SPDX-License-Identifier: MIT
#include "import/table_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "core/error.hpp"
#include "core/label_match.hpp"
#include "core/text.hpp"
#include "core/text_encoding.hpp"

namespace popflow::data_import {

namespace {

using Strings = std::vector<std::string>;

constexpr std::size_t max_label_bytes = 4096;  // maximum length of a label or name, as in AnnData files

void check_label_length(const std::string& label, const std::string& file, const std::string& place) {
    if (label.size() <= max_label_bytes) return;
    throw core::DataError(
        file, place,
        fmt::format("found a label of {} bytes, more than {}: check for a quote that is not "
                    "closed",
                    label.size(), max_label_bytes));
}

// Hash of a row name (FNV-1a).
std::uint64_t name_hash(const std::string& name) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}

// Collects what a scan finds in the rows of a piece.
class TableScan {
  public:
    TableScan(const ImportPlan& plan, const ImportSource& source, const core::CsvFile& table)
        : plan_(plan), source_(source), table_(table), labels_(plan.options.obs.size()) {
        contents_.missing.resize(labels_.size());
    }

    void add(const std::string& row) {
        ++contents_.rows;
        const bool may_have_commas = plan_.options.decimal == Decimal::automatic &&
                                     row.find(',') != std::string::npos &&
                                     (table_.separator() != ',' || row.find('"') != std::string::npos);
        if (labels_.empty() && !source_.has_row_names && !may_have_commas) return;
        // TablePieceReader reports a row that is too short, with its number.
        const std::string place = source_.is_divisible ? "a row" : "row " + std::to_string(contents_.rows);
        core::split_fields(row, table_.separator(), source_.path, place, fields_);
        for (std::size_t k = 0; k < labels_.size(); ++k) add_label(k);
        if (source_.has_row_names) add_name();
        if (may_have_commas) look_for_commas();
    }

    PieceContents contents() && {
        for (const std::set<std::string>& labels : labels_)
            contents_.labels.emplace_back(labels.begin(), labels.end());
        return std::move(contents_);
    }

  private:
    void add_label(std::size_t k) {
        if (source_.obs_columns[k] >= fields_.size()) return;
        std::string label = core::to_utf8(fields_[source_.obs_columns[k]]);
        if (core::is_missing_label(label)) {
            if (!label.empty()) ++contents_.missing[k];
            return;
        }
        check_label_length(label, source_.path, "column " + plan_.options.obs[k]);
        labels_[k].insert(std::move(label));
    }
    void add_name() {
        const std::string name = core::to_utf8(fields_.front());
        check_label_length(name, source_.path, "names of the rows");
        contents_.name_length = std::max(contents_.name_length, name.size());
        contents_.name_hashes.push_back(name_hash(name));
    }
    void look_for_commas() {
        for (const std::size_t column : source_.columns) {
            if (column >= fields_.size()) continue;
            const core::CommaNumber kind = core::comma_number(fields_[column]);
            if (kind == core::CommaNumber::decimal) contents_.comma_number = fields_[column];
            if (kind == core::CommaNumber::ambiguous) contents_.ambiguous_number = fields_[column];
        }
    }

    const ImportPlan& plan_;
    const ImportSource& source_;
    const core::CsvFile& table_;
    std::vector<std::set<std::string>> labels_;
    PieceContents contents_;
    Strings fields_;
};

}  // namespace

std::size_t column_of(const Strings& columns, const std::string& name, const std::string& file) {
    const auto at = std::ranges::find(columns, name);
    if (at != columns.end()) return static_cast<std::size_t>(at - columns.begin());
    throw core::DataError(
        file, name,
        "missing column" + core::did_you_mean(name, columns) + ", found " + core::joined(columns));
}

std::string missing_labels_note(const std::string& file, const std::string& column, std::uint64_t count) {
    return fmt::format("{}: column {}: {} such as NA read as missing", file, column,
                       core::counted(count, "label"));
}

void fail_changed(const std::string& path) {
    throw core::DataError(path, "", "the file changed during the import: start the import again");
}

std::vector<std::string> open_table(ImportPlan& plan, std::size_t index) {
    ImportSource& source = plan.sources[index];
    const core::CsvFile table(source.path);
    source.is_divisible = table.is_divisible();
    source.has_row_names = table.has_row_names();
    source.has_decimal_comma = plan.options.decimal == Decimal::comma;
    plan.has_unnamed_columns = plan.has_unnamed_columns || table.has_unnamed_columns();
    if (source.has_row_names)
        plan.notes.push_back({.text = "the first column, which has no name, holds the names of the cells",
                              .path = source.path});
    if (std::ranges::all_of(table.columns(),
                            [](const std::string& name) { return core::label_number(name).has_value(); }))
        plan.notes.push_back({.text = "all names in the first line are numbers. It is read as the names of "
                                      "the markers, not as a cell",
                              .path = source.path});
    for (const std::string& name : plan.options.obs)
        source.obs_columns.push_back(column_of(table.columns(), name, source.path));
    return table.columns();
}

void add_table_pieces(ImportPlan& plan, std::size_t index) {
    const core::CsvFile table(plan.sources[index].path);
    if (!table.is_divisible()) {
        plan.pieces.push_back({index, 0, table.bytes(), table.bytes()});
        return;
    }
    for (std::uint64_t first = table.data_begin(); first < table.bytes(); first += plan.options.piece_bytes) {
        const std::uint64_t n = std::min<std::uint64_t>(plan.options.piece_bytes, table.bytes() - first);
        plan.pieces.push_back({index, first, n, n});
    }
}

PieceContents scan_table(const ImportPlan& plan, const ImportPiece& piece) {
    const ImportSource& source = plan.sources[piece.source];
    const core::CsvFile table(source.path);
    core::CsvFile::Rows rows(table, piece.first, piece.first + piece.count);
    TableScan scan(plan, source, table);
    bool needs_whole_file = false;
    try {
        for (std::string row; !needs_whole_file && rows.next(row);) {
            scan.add(row);
            needs_whole_file = source.is_divisible && rows.spans_lines();
        }
    } catch (const core::DataError&) {
        // The piece may begin within a quoted field that spans lines. The error is reported if the whole file
        // has it.
        if (!source.is_divisible) throw;
        needs_whole_file = true;
    }
    PieceContents contents = std::move(scan).contents();
    contents.needs_whole_file = needs_whole_file;
    return contents;
}

TablePieceReader::TablePieceReader(const ImportPlan& plan, const ImportPiece& piece, std::uint64_t first_row)
    : plan_(plan),
      source_(plan.sources[piece.source]),
      table_(source_.path),
      rows_(table_, piece.first, piece.first + piece.count),
      row_(first_row) {}

void TablePieceReader::read(std::size_t count, TableRows& rows) {
    rows.x.reshape(count, source_.columns.size());
    rows.labels.assign(source_.obs_columns.size(), Strings(count));
    rows.names.clear();
    Strings fields;
    std::string line;
    for (std::size_t i = 0; i < count; ++i) {
        if (!rows_.next(line)) fail_changed(source_.path);
        table_.split(line, "row " + std::to_string(++row_), fields);
        for (std::size_t j = 0; j < source_.columns.size(); ++j)
            rows.x(i, j) = parse_cell(fields[source_.columns[j]], j);
        for (std::size_t k = 0; k < rows.labels.size(); ++k) {
            std::string label = core::to_utf8(fields[source_.obs_columns[k]]);
            if (!core::is_missing_label(label)) rows.labels[k][i] = std::move(label);
        }
        if (source_.has_row_names) rows.names.push_back(core::to_utf8(fields.front()) + source_.name_suffix);
    }
}

float TablePieceReader::parse_cell(const std::string& text, std::size_t marker) const {
    std::string number = text;
    const bool has_comma = text.find(',') != std::string::npos;
    const bool has_point = text.find('.') != std::string::npos;
    if (source_.has_decimal_comma && has_comma && !has_point) std::ranges::replace(number, ',', '.');
    float value = 0;
    const char* begin = number.data() + (number.starts_with('+') ? 1 : 0);
    const char* last = number.data() + number.size();
    const auto [end, error] = std::from_chars(begin, last, value);
    // Numbers that underflow a float become zero.
    if (error == std::errc::result_out_of_range) {
        const auto wide = core::label_number(number);
        if (wide && std::abs(*wide) < 1) return 0;
    }
    const std::string place = plan_.markers[marker];
    if (error != std::errc() || end != last || !std::isfinite(value)) {
        const bool is_separated = has_comma && text.find_first_not_of("0123456789.,+-") == std::string::npos;
        throw core::DataError(
            source_.path, place,
            fmt::format("row {}: found '{}', which is no finite number. ", row_, core::to_utf8(text)) +
                (is_separated ? "Remove the separators of thousands"
                              : "Import a column of labels with --obs, or leave the column "
                                "out with --exclude-markers"));
    }
    if (source_.has_decimal_comma && has_point) {
        throw core::DataError(
            source_.path, place,
            fmt::format("row {}: found '{}' in a table whose numbers have a decimal comma: write all "
                        "numbers in the same way",
                        row_, text));
    }
    return value;
}

}  // namespace popflow::data_import
