// SPDX-License-Identifier: MIT
#include "import/import_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <optional>
#include <set>

#include "anndata/anndata_write.hpp"
#include "anndata/row_writer.hpp"
#include "core/csv.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "core/text_encoding.hpp"
#include "core/version.hpp"
#include "import/compensation.hpp"
#include "import/fcs.hpp"

namespace popflow::data_import {

namespace {

using Strings = std::vector<std::string>;

std::size_t column_of(const Strings& columns, const std::string& name, const std::string& file) {
    const auto at = std::ranges::find(columns, name);
    if (at != columns.end()) return static_cast<std::size_t>(at - columns.begin());
    throw core::DataError(
        file, name,
        "missing column" + core::did_you_mean(name, columns) + ", found " + core::joined(columns));
}

// Reads the sheet: each row names a file of cells, and the other columns are labels of all its cells.
void read_sheet(ImportPlan& plan) {
    const std::string& path = plan.options.sheet;
    const core::CsvFile sheet(path);
    const std::size_t file = column_of(sheet.columns(), plan.options.file_column, path);
    plan.obs = sheet.columns();
    core::CsvFile::Rows rows(sheet, sheet.data_begin(), sheet.bytes());
    std::set<std::string> seen;
    Strings fields;
    std::size_t number = 0;
    for (std::string line; rows.next(line);) {
        const std::string place = "row " + std::to_string(++number);
        sheet.split(core::to_utf8(line), place, fields);
        if (fields[file].empty())
            throw core::DataError(path, place + ", column " + plan.options.file_column,
                                  "found an empty field, allowed the name of a file of cells");
        if (!seen.insert(fields[file]).second)
            throw core::DataError(path, place, "found file '" + fields[file] + "' twice, allowed once");
        const std::filesystem::path folder = std::filesystem::path(path).parent_path();
        ImportSource source{.path = (folder / fields[file]).string(), .labels = fields};
        if (!std::filesystem::is_regular_file(source.path))
            throw core::DataError(
                path, place,
                "found file '" + source.path +
                    "', which does not exist: relative paths start at the folder of the sheet");
        plan.sources.push_back(std::move(source));
    }
    if (plan.sources.empty()) throw core::DataError(path, "", "found no rows, allowed one for each file");
}

bool contains(const Strings& list, const std::string& name) {
    return std::ranges::find(list, name) != list.end();
}

// Name of the column of row numbers that pandas and R write.
constexpr const char* no_name = "";

// Finds the columns of the markers in a file. Without --markers the first file defines the markers.
// `wanted` and `excluded` are --markers and --exclude-markers with the names of this file.
void find_markers(ImportPlan& plan, ImportSource& source, const Strings& found, const Strings& wanted,
                  const Strings& excluded) {
    const ImportOptions& options = plan.options;
    const bool are_given = !options.markers.empty();
    if (plan.markers.empty()) {
        for (const std::string& name : are_given ? wanted : found) {
            if (are_given && contains(options.obs, name))
                throw core::ConfigError("markers",
                                        "found '" + name +
                                            "', which --obs makes a column of labels: leave it out of "
                                            "one of the two options");
            if (are_given && std::ranges::count(wanted, name) > 1)
                throw core::ConfigError("markers", "found '" + name + "' twice, allowed once");
            if (name == no_name && !are_given) {
                plan.has_unnamed_columns = true;
            } else if (!contains(excluded, name) && !contains(options.obs, name)) {
                plan.markers.push_back(name);
            }
        }
        for (const std::string& name : excluded) column_of(found, name, source.path);
        if (plan.markers.empty())
            throw core::DataError(
                source.path, "",
                "no column is left as a marker: check --markers, --exclude-markers and --obs");
    }
    for (const std::string& marker : plan.markers) {
        const std::size_t column = column_of(found, marker, source.path);
        if (std::ranges::count(found, marker) > 1) {
            throw core::DataError(
                source.path, marker,
                "found two columns of that name, allowed one: leave it out with --exclude-markers");
        }
        source.columns.push_back(column);
    }
    if (are_given) return;
    for (const std::string& name : found) {
        if (name != no_name && !contains(plan.markers, name) && !contains(excluded, name) &&
            !contains(options.obs, name)) {
            throw core::DataError(source.path, name,
                                  "found a marker that is missing in the first file, " +
                                      plan.sources.front().path +
                                      ": choose the markers with --markers or --exclude-markers");
        }
    }
}

void add_note(ImportPlan& plan, const std::string& path, const std::string& text) {
    const auto at = std::ranges::find(plan.notes, text, &ImportNote::text);
    at == plan.notes.end() ? plan.notes.push_back({.text = text, .path = path}) : void(++at->files);
}

// Returns the names of --markers as a file has them, each of one channel.
Strings find_wanted(const ImportPlan& plan, const ImportSource& source, const FcsNames& names) {
    Strings wanted;
    for (const std::string& name : plan.options.markers) {
        Strings found = names.find(name);
        if (found.size() > 1) {
            throw core::DataError(source.path, name,
                                  fmt::format("found {} channels of that name: give one or more of {}",
                                              found.size(), core::joined(found)));
        }
        wanted.push_back(std::move(found.front()));
    }
    return wanted;
}

void plan_fcs(ImportPlan& plan, std::size_t index) {
    ImportSource& source = plan.sources[index];
    const FcsFile fcs(source.path, plan.options.data_set);
    if (!plan.options.obs.empty())
        throw core::ConfigError("obs",
                                "found '" + plan.options.obs.front() +
                                    "', but FCS files have no columns of labels: give labels in a --sheet");
    const FcsNames names(fcs, plan.options.names);
    Strings excluded;
    for (const std::string& name : plan.options.exclude_markers) {
        const Strings found = names.find(name);
        excluded.insert(excluded.end(), found.begin(), found.end());
    }
    find_markers(plan, source, names.markers_as_in(plan.markers), find_wanted(plan, source, names), excluded);
    fcs.check(source.columns);
    for (const std::string& note : fcs.notes()) add_note(plan, source.path, note);
    for (const std::string& note : names.notes(plan.markers)) add_note(plan, source.path, note);
    if (plan.options.compensate) {  // reports an invalid matrix early
        const Compensation compensation(fcs);
        fcs.check(compensation.columns());
        add_note(plan, source.path,
                 "compensated with " + compensation.keyword() +
                     (compensation.columns().empty() ? ", which describes no spillover" : ""));
    }
    if (index == 0) {
        for (const std::size_t column : source.columns)
            plan.channels.push_back(fcs.parameters()[column].name);
    }
    const std::uint64_t piece_events =
        std::max<std::uint64_t>(1, plan.options.piece_bytes / fcs.event_bytes());
    for (std::uint64_t first = 0; first < fcs.events(); first += piece_events) {
        const std::uint64_t n = std::min(piece_events, fcs.events() - first);
        plan.pieces.push_back({index, first, n, n * fcs.event_bytes()});
    }
}

void plan_table(ImportPlan& plan, std::size_t index) {
    ImportSource& source = plan.sources[index];
    const core::CsvFile table(source.path);
    for (const std::string& name : plan.options.obs)
        source.obs_columns.push_back(column_of(table.columns(), name, source.path));
    if (plan.options.data_set != 1) {
        throw core::ConfigError("data-set", fmt::format("found {}, but {} is a table: only FCS files have "
                                                        "several data sets",
                                                        plan.options.data_set, source.path));
    }
    find_markers(plan, source, table.columns(), plan.options.markers, plan.options.exclude_markers);
    for (std::uint64_t first = table.data_begin(); first < table.bytes(); first += plan.options.piece_bytes) {
        const std::uint64_t n = std::min<std::uint64_t>(plan.options.piece_bytes, table.bytes() - first);
        plan.pieces.push_back({index, first, n, n});
    }
}

// Contents of one piece.
struct Rows {
    linalg::Matrix<float> x;
    std::vector<std::vector<std::int32_t>> codes;  // codes of the rows, for each entry of ImportOptions::obs
};

// Locations in the file that is being written.
struct FileOffsets {
    anndata::RowChunks x;
    std::uint64_t index = 0;
    std::size_t name_length = 0;
    std::vector<anndata::CodeColumn> columns;
};

FileOffsets find_offsets(const std::string& file, const ImportPlan& plan, std::uint64_t rows) {
    const h5::Group root = h5::open_file(file);
    FileOffsets offsets;
    offsets.x = anndata::find_chunks(root.open_dataset("X"));
    offsets.index = root.open_dataset("obs/_index").file_offset();
    offsets.name_length = anndata::row_name_length(rows);
    for (const std::string& column : plan.obs) offsets.columns.push_back(anndata::find_codes(root, column));
    return offsets;
}

// Returns the code of a label, or -1 for a missing label, which has no category.
std::int32_t code_of(const Strings& categories, const std::string& label) {
    const auto at = std::ranges::lower_bound(categories, label);
    if (at == categories.end() || *at != label) return -1;
    return static_cast<std::int32_t>(at - categories.begin());
}

[[noreturn]] void fail_changed(const std::string& path) {
    throw core::DataError(path, "", "the file changed during the import: start the import again");
}

void read_fcs(const ImportPlan& plan, const ImportPiece& piece, Rows& rows) {
    const ImportSource& source = plan.sources[piece.source];
    const FcsFile fcs(source.path, plan.options.data_set);
    linalg::Matrix<float> all(piece.count, fcs.parameters().size());
    fcs.read(piece.first, all, source.columns, "leave the channel out with --exclude-markers");
    if (plan.options.compensate) {
        const Compensation compensation(fcs);
        std::vector<std::size_t> others;
        for (const std::size_t column : compensation.columns()) {
            if (std::ranges::find(source.columns, column) == source.columns.end()) others.push_back(column);
        }
        fcs.read(piece.first, all, others,
                 "the compensation needs it: import without compensation with --compensate no");
        compensation.apply(all);
    }
    rows.x.reshape(piece.count, source.columns.size());
    for (std::size_t i = 0; i < piece.count; ++i) {
        for (std::size_t j = 0; j < source.columns.size(); ++j) rows.x(i, j) = all(i, source.columns[j]);
    }
}

float parse_cell(const std::string& text, const std::string& file, const std::string& column,
                 std::uint64_t row) {
    float value = 0;
    const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
    const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
    // Numbers that underflow a float become zero.
    if (error == std::errc::result_out_of_range) {
        const auto wide = core::label_number(text);
        if (wide && std::abs(*wide) < 1) return 0;
    }
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
        throw core::DataError(file, column,
                              fmt::format("row {}: found '{}', allowed a finite number: import a column of "
                                          "labels with --obs, or leave the column out with --exclude-markers",
                                          row, core::to_utf8(text)));
    }
    return value;
}

void read_table(const ImportPlan& plan, const ImportPiece& piece, std::uint64_t file_row,
                std::span<const anndata::CodeColumn> columns, Rows& rows) {
    const ImportSource& source = plan.sources[piece.source];
    const core::CsvFile table(source.path);
    core::CsvFile::Rows lines(table, piece.first, piece.first + piece.count);
    const std::size_t n = rows.x.rows();
    Strings fields;
    std::string line;
    for (std::size_t i = 0; i < n; ++i) {
        if (!lines.next(line)) fail_changed(source.path);
        const std::uint64_t row = file_row + i + 1;
        const std::string place = "row " + std::to_string(row);
        table.split(line, place, fields);
        for (std::size_t j = 0; j < source.columns.size(); ++j)
            rows.x(i, j) = parse_cell(fields[source.columns[j]], source.path, plan.markers[j], row);
        for (std::size_t k = 0; k < rows.codes.size(); ++k) {
            const std::string label = core::to_utf8(fields[source.obs_columns[k]]);
            rows.codes[k][i] = code_of(columns[k].categories, label);
            if (rows.codes[k][i] < 0 && !label.empty()) fail_changed(source.path);
        }
    }
}

void write_column(anndata::RowWriter& writer, const anndata::CodeColumn& column,
                  std::span<const std::int32_t> codes, std::uint64_t row) {
    std::vector<char> bytes(codes.size() * column.width);
    for (std::size_t i = 0; i < codes.size(); ++i)
        std::memcpy(&bytes[i * column.width], &codes[i], column.width);
    writer.write(bytes.data(), bytes.size(), column.offset + row * column.width);
}

}  // namespace

std::string ImportNote::line() const {
    const std::string others = files == 1 ? "" : " (and in " + core::counted(files - 1, "other file") + ")";
    return path + ": " + text + others;
}

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
            throw core::ConfigError(
                "obs", "found '" + name + "', which is a column of the sheet or was given twice");
        plan.obs.push_back(name);
    }
    for (std::size_t s = 0; s < plan.sources.size(); ++s) {
        plan.sources[s].is_fcs = is_fcs(plan.sources[s].path);
        plan.sources[s].is_fcs ? plan_fcs(plan, s) : plan_table(plan, s);
    }
    return plan;
}

PieceContents scan_piece(const ImportPlan& plan, std::size_t piece) {
    const ImportPiece& p = plan.pieces.at(piece);
    const ImportSource& source = plan.sources[p.source];
    PieceContents contents;
    contents.labels.resize(plan.options.obs.size());
    if (source.is_fcs) {
        contents.rows = p.count;
        return contents;
    }
    const core::CsvFile table(source.path);
    core::CsvFile::Rows rows(table, p.first, p.first + p.count);
    std::vector<std::set<std::string>> labels(plan.options.obs.size());
    Strings fields;
    for (std::string line; rows.next(line); ++contents.rows) {
        if (labels.empty()) continue;
        core::split_fields(line, table.separator(), source.path, "a row", fields);
        for (std::size_t k = 0; k < labels.size(); ++k) {
            // read_table() reports a row that is too short, with its number.
            if (source.obs_columns[k] < fields.size())
                labels[k].insert(core::to_utf8(fields[source.obs_columns[k]]));
        }
    }
    for (std::size_t k = 0; k < labels.size(); ++k)
        contents.labels[k].assign(labels[k].begin(), labels[k].end());
    return contents;
}

std::unique_ptr<h5::AtomicFile> create_imported_file(const ImportPlan& plan, const ImportLayout& layout,
                                                     const std::string& path) {
    constexpr std::size_t chunk_bytes = std::size_t{1} << 20U;
    auto file = std::make_unique<h5::AtomicFile>(path);
    {
        h5::Group root = file->root();
        h5::write_encoding(root, "anndata", "0.1.0");
        const std::size_t rows = layout.rows();
        const std::size_t chunk_rows =
            std::max<std::size_t>(1, chunk_bytes / (plan.markers.size() * sizeof(float)));
        h5::Dataset x =
            root.create_allocated_chunks("X", h5::Element::float32, {rows, plan.markers.size()}, chunk_rows);
        h5::write_encoding(x, "array", "0.2.0");
        h5::Group obs = root.create_group("obs");
        h5::write_encoding(obs, "dataframe", "0.2.0");
        obs.write_attribute("column-order", plan.obs);
        obs.write_attribute("_index", "_index");
        for (std::size_t k = 0; k < plan.obs.size(); ++k)
            anndata::create_categorical(obs, plan.obs[k], layout.categories[k], rows);
        anndata::create_row_names(obs, rows);
        h5::DataFrame var;
        var.set_row_names(plan.markers);
        if (!plan.channels.empty()) var.add("channel", plan.channels);
        h5::write_dataframe(root, "var", var);
        h5::Group uns = anndata::create_dict(root, "uns");
        h5::Group ours = anndata::create_dict(uns, "import");
        anndata::write_string(ours, "version", std::string("popflow ") + core::version());
        anndata::write_string(ours, "from",
                              plan.options.sheet.empty() ? plan.options.cells : plan.options.sheet);
        anndata::write_string(ours, "compensated", plan.options.compensate ? "yes" : "no");
        if (plan.options.data_set != 1)
            anndata::write_string(ours, "data_set", std::to_string(plan.options.data_set));
        anndata::write_empty_groups(root);
    }
    file->close();
    return file;
}

void write_pieces(const ImportPlan& plan, std::span<const std::uint64_t> first_row, const std::string& path,
                  std::span<const std::size_t> pieces) {
    const std::string file = path + ".tmp";
    const FileOffsets offsets = find_offsets(file, plan, first_row.back());
    const std::size_t n_sheet = plan.obs.size() - plan.options.obs.size();
    anndata::RowWriter writer(file, path);
    Rows rows;
    rows.codes.resize(plan.options.obs.size());
    for (const std::size_t p : pieces) {
        const ImportPiece& piece = plan.pieces.at(p);
        const ImportSource& source = plan.sources[piece.source];
        const std::uint64_t row = first_row[p];
        const std::size_t n = first_row[p + 1] - row;
        if (n == 0) continue;
        std::size_t first_piece = p;
        while (first_piece > 0 && plan.pieces[first_piece - 1].source == piece.source) --first_piece;
        rows.x.reshape(n, plan.markers.size());
        for (auto& codes : rows.codes) codes.resize(n);
        if (source.is_fcs) {
            read_fcs(plan, piece, rows);
        } else {
            read_table(plan, piece, row - first_row[first_piece], std::span(offsets.columns).subspan(n_sheet),
                       rows);
        }
        anndata::write_matrix_rows(writer, offsets.x, rows.x, row);
        anndata::write_row_names(writer, offsets.index, offsets.name_length, row, n);
        for (std::size_t k = 0; k < plan.obs.size(); ++k) {
            const std::vector<std::int32_t> same(
                k < n_sheet ? n : 0,
                k < n_sheet ? code_of(offsets.columns[k].categories, source.labels[k]) : 0);
            write_column(writer, offsets.columns[k], k < n_sheet ? same : rows.codes[k - n_sheet], row);
        }
    }
    writer.sync();
}

}  // namespace popflow::data_import
