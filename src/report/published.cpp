// SPDX-License-Identifier: MIT
#include "report/published.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "core/csv.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "core/text_encoding.hpp"
#include "report/builtin_tables.hpp"

namespace popflow::report {

namespace {

// Removes a suffix from a text. Returns whether the text had the suffix.
bool remove_suffix(std::string& text, const std::string& suffix) {
    if (!text.ends_with(suffix)) return false;
    text.resize(text.size() - suffix.size());
    return true;
}

}  // namespace

void PublishedTable::check_columns(const std::vector<std::string>& columns, const std::string& name) {
    if (columns.size() >= 3 && columns[0] == "method" && columns[1] == "base" && columns[2] == "knn") return;
    throw core::DataError(
        name, "line 1",
        "found '" + fmt::format("{}", fmt::join(columns, ",")) +
            "'. The first line must name the columns method,base,knn and then PART_METRIC, as in test_w2");
}

void PublishedTable::add_row(const std::vector<std::string>& columns, const std::vector<std::string>& cells,
                             bool has_comma, const std::string& place) {
    auto& row = rows_[cells[0] + "," + cells[1] + "," + cells[2]];
    for (std::size_t c = 3; c < cells.size(); ++c) {
        if (cells[c].empty()) continue;
        const std::optional<double> value = core::decimal_number(cells[c], has_comma);
        if (!value) {
            throw core::DataError(source_, place + ", column " + columns[c],
                                  "found '" + cells[c] + "'. Give a number or leave the cell empty");
        }
        std::string column = core::lower_case(columns[c]);
        const bool is_deviation = remove_suffix(column, "_std");
        const double scaled = remove_suffix(column, "_e3") ? *value / 1000 : *value;
        (is_deviation ? row[column].deviation.emplace() : row[column].mean) = scaled;
    }
}

PublishedTable PublishedTable::parse(const std::string& csv, const std::string& name) {
    PublishedTable table;
    table.source_ = name;
    std::istringstream in(csv);
    std::vector<std::string> columns;
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        if (line.ends_with('\r')) line.pop_back();
        const std::vector<std::string> cells = core::split_text(line, ',');
        if (cells.empty()) continue;
        if (columns.empty()) {
            columns = cells;
            check_columns(columns, name);
            continue;
        }
        const std::string where = "line " + std::to_string(number);
        if (cells.size() != columns.size()) {
            throw core::DataError(
                name, where,
                fmt::format(
                    "found {} cells, but the first line names {} columns. Give one cell for each column",
                    cells.size(), columns.size()));
        }
        table.add_row(columns, cells, false, where);
    }
    if (table.rows_.empty())
        throw core::DataError(name, "",
                              "found no row of published values. Add one line for each published model");
    return table;
}

PublishedTable PublishedTable::read(const std::string& path) {
    const core::CsvFile file(path);
    check_columns(file.columns(), path);
    PublishedTable table;
    table.source_ = path;
    std::vector<std::vector<std::string>> rows;
    std::vector<std::string> values;
    core::CsvFile::Rows reader(file);
    for (std::string row; reader.next(row);) {
        file.split(core::to_utf8(row), "row " + std::to_string(rows.size() + 1), rows.emplace_back());
        values.insert(values.end(), rows.back().begin() + 3, rows.back().end());
    }
    const bool has_comma = core::has_decimal_comma(values, path);
    for (std::size_t i = 0; i < rows.size(); ++i)
        table.add_row(file.columns(), rows[i], has_comma, "row " + std::to_string(i + 1));
    if (table.rows_.empty())
        throw core::DataError(path, "",
                              "found no row of published values. Add one line for each published model");
    return table;
}

PublishedTable PublishedTable::load(const std::string& name_or_path) {
    for (const BuiltinTable& builtin : builtin_tables()) {
        if (name_or_path != builtin.name) continue;
        PublishedTable table = parse(builtin.csv, builtin.name);
        table.source_ = "Atanackovic et al., arXiv 2408.14608 (" + name_or_path + ")";
        return table;
    }
    std::error_code ignored;
    const auto size = std::filesystem::file_size(name_or_path, ignored);
    if (ignored || size == 0) {
        throw core::ConfigError("published", "found '" + name_or_path + "'" +
                                                 core::did_you_mean(name_or_path, builtin_names()) +
                                                 ", which is no readable CSV file. Give one, or one of the "
                                                 "tables " +
                                                 core::joined(builtin_names()));
    }
    return read(name_or_path);
}

std::vector<std::string> PublishedTable::builtin_names() {
    std::vector<std::string> names;
    for (const BuiltinTable& builtin : builtin_tables()) names.emplace_back(builtin.name);
    return names;
}

std::optional<PublishedValue> PublishedTable::find(const ComparisonRow& row, const Scope& scope,
                                                   const std::string& metric) const {
    const auto& [part, aggregation] = scope;
    std::string column = part;
    if (aggregation.starts_with("culture:")) {
        column += "_" + core::lower_case(aggregation.substr(8));
    } else if (aggregation != "culture_mean") {
        return std::nullopt;
    }
    const std::string key = fmt::format("{},{},{}", row.method, row.base, row.knn_text());
    const auto at = rows_.find(key);
    // No published method that can ignore the treatment has it as an input, or has a fixed encoder.
    const bool is_other_variant = row.variant.starts_with(treatment_variant) || !row.encoder.empty();
    if (!row.is_model() || is_other_variant || at == rows_.end()) return std::nullopt;
    const auto value = at->second.find(column + "_" + metric);
    if (value == at->second.end() || std::isnan(value->second.mean)) return std::nullopt;
    return value->second;
}

}  // namespace popflow::report
