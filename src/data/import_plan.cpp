// SPDX-License-Identifier: MIT
#include "data/import_plan.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"
#include "data/csv.hpp"
#include "data/fcs.hpp"
#include "data/text_encoding.hpp"

namespace popflow::data {

namespace {

using Strings = std::vector<std::string>;

std::size_t column_of(const Strings& columns, const std::string& name, const std::string& file) {
    const auto at = std::ranges::find(columns, name);
    if (at != columns.end()) return static_cast<std::size_t>(at - columns.begin());
    throw core::DataError(
        file, name,
        "missing column" + core::did_you_mean(name, columns) + ", found " + core::joined(columns));
}

// The sources of a sheet: a row each, its other columns labels of all cells of the file.
void read_sheet(ImportPlan& plan) {
    const std::string& path = plan.options.sheet;
    const CsvFile sheet(path);
    const std::size_t file = column_of(sheet.columns(), plan.options.file_column, path);
    plan.obs = sheet.columns();
    CsvFile::Rows rows(sheet, sheet.data_begin(), sheet.bytes());
    std::set<std::string> seen;
    Strings fields;
    std::size_t number = 0;
    for (std::string line; rows.next(line);) {
        const std::string place = "row " + std::to_string(++number);
        sheet.split(to_utf8(line), place, fields);
        if (fields[file].empty()) throw core::DataError(path, place, "names no file");
        if (!seen.insert(fields[file]).second)
            throw core::DataError(path, place, "found file '" + fields[file] + "' twice, allowed once");
        const std::filesystem::path folder = std::filesystem::path(path).parent_path();
        ImportSource source{.path = (folder / fields[file]).string(), .labels = fields};
        if (!std::filesystem::is_regular_file(source.path))
            throw core::DataError(path, place, "found file '" + source.path + "', which is not there");
        plan.sources.push_back(std::move(source));
    }
    if (plan.sources.empty()) throw core::DataError(path, "", "found no rows, allowed one for each file");
}

// The names that a file gives to what it measures.
Strings marker_names(const FcsFile& fcs, MarkerNames names) {
    Strings out;
    for (const FcsParameter& p : fcs.parameters())
        out.push_back(names == MarkerNames::stain && !p.stain.empty() ? p.stain : p.name);
    return out;
}

bool contains(const Strings& list, const std::string& name) {
    return std::ranges::find(list, name) != list.end();
}

// Indices of rows, as pandas and R write them.
constexpr const char* no_name = "";

// The columns of a file that the markers are; the first file decides what they are unless that was said.
void place_markers(ImportPlan& plan, ImportSource& source, const Strings& found) {
    const ImportOptions& options = plan.options;
    const bool chosen = !options.markers.empty();
    if (plan.markers.empty()) {
        for (const std::string& name : chosen ? options.markers : found) {
            if (name == no_name && !chosen) {
                plan.left_out_unnamed = true;
            } else if (!contains(options.exclude_markers, name) && !contains(options.obs, name)) {
                plan.markers.push_back(name);
            }
        }
        for (const std::string& name : options.exclude_markers) column_of(found, name, source.path);
        if (plan.markers.empty()) throw core::DataError(source.path, "", "found no markers");
    }
    for (const std::string& marker : plan.markers) {
        const std::size_t column = column_of(found, marker, source.path);
        if (std::ranges::count(found, marker) > 1) {
            throw core::DataError(source.path, marker,
                                  "found two columns of that name, allowed one (--marker-names channel takes "
                                  "$PnN; --exclude-markers leaves it out)");
        }
        source.columns.push_back(column);
    }
    if (chosen) return;
    for (const std::string& name : found) {
        if (name != no_name && !contains(plan.markers, name) && !contains(options.exclude_markers, name) &&
            !contains(options.obs, name)) {
            throw core::DataError(source.path, name,
                                  "a marker that " + plan.sources.front().path +
                                      " has not; --markers or --exclude-markers says which are meant");
        }
    }
}

void plan_fcs(ImportPlan& plan, std::size_t index) {
    ImportSource& source = plan.sources[index];
    const FcsFile fcs(source.path);
    if (!plan.options.obs.empty())
        throw core::ConfigError("obs",
                                "found '" + plan.options.obs.front() + "', allowed none with FCS files");
    place_markers(plan, source, marker_names(fcs, plan.options.names));
    if (plan.options.compensate) const Compensation compensation(fcs);  // tells what is wrong now
    if (index == 0) {
        for (const std::size_t column : source.columns)
            plan.channels.push_back(fcs.parameters()[column].name);
    }
    const std::uint64_t at_once = std::max<std::uint64_t>(1, plan.options.piece_bytes / fcs.event_bytes());
    for (std::uint64_t first = 0; first < fcs.events(); first += at_once) {
        const std::uint64_t n = std::min(at_once, fcs.events() - first);
        plan.pieces.push_back({index, first, n, n * fcs.event_bytes()});
    }
}

void plan_table(ImportPlan& plan, std::size_t index) {
    ImportSource& source = plan.sources[index];
    const CsvFile table(source.path);
    for (const std::string& name : plan.options.obs)
        source.obs_columns.push_back(column_of(table.columns(), name, source.path));
    place_markers(plan, source, table.columns());
    for (std::uint64_t first = table.data_begin(); first < table.bytes(); first += plan.options.piece_bytes) {
        const std::uint64_t n = std::min<std::uint64_t>(plan.options.piece_bytes, table.bytes() - first);
        plan.pieces.push_back({index, first, n, n});
    }
}

}  // namespace

ImportPlan plan_import(const ImportOptions& options) {
    ImportPlan plan{.options = options};
    if (options.sheet.empty() == options.cells.empty())
        throw core::ConfigError("sheet", "give either --sheet S.csv or --cells F.csv");
    if (options.sheet.empty()) {
        plan.sources.push_back({.path = options.cells});
    } else {
        read_sheet(plan);
    }
    for (const std::string& name : options.obs) {
        if (contains(plan.obs, name))
            throw core::ConfigError("obs",
                                    "found '" + name + "', which the sheet has, or which is there twice");
        plan.obs.push_back(name);
    }
    for (std::size_t s = 0; s < plan.sources.size(); ++s) {
        plan.sources[s].fcs = is_fcs(plan.sources[s].path);
        plan.sources[s].fcs ? plan_fcs(plan, s) : plan_table(plan, s);
    }
    return plan;
}

PieceContents scan_piece(const ImportPlan& plan, std::size_t piece) {
    const ImportPiece& p = plan.pieces.at(piece);
    const ImportSource& source = plan.sources[p.source];
    PieceContents contents;
    contents.labels.resize(plan.options.obs.size());
    if (source.fcs) {
        contents.rows = p.count;
        return contents;
    }
    const CsvFile table(source.path);
    CsvFile::Rows rows(table, p.first, p.first + p.count);
    std::vector<std::set<std::string>> labels(plan.options.obs.size());
    Strings fields;
    for (std::string line; rows.next(line); ++contents.rows) {
        if (labels.empty()) continue;
        split_fields(line, table.separator(), source.path, "a row", fields);
        for (std::size_t k = 0; k < labels.size(); ++k) {
            // A row that is too short is reported where rows are numbered.
            if (source.obs_columns[k] < fields.size())
                labels[k].insert(to_utf8(fields[source.obs_columns[k]]));
        }
    }
    for (std::size_t k = 0; k < labels.size(); ++k)
        contents.labels[k].assign(labels[k].begin(), labels[k].end());
    return contents;
}

}  // namespace popflow::data
