// SPDX-License-Identifier: MIT
#include "import/import_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>

#include "anndata/anndata_write.hpp"
#include "anndata/row_writer.hpp"
#include "core/csv.hpp"
#include "core/error.hpp"
#include "core/label_match.hpp"
#include "core/stored_file.hpp"
#include "core/text.hpp"
#include "core/text_encoding.hpp"
#include "core/version.hpp"
#include "image/image_file.hpp"
#include "image/population_images.hpp"
#include "image/resize.hpp"
#include "import/compensation.hpp"
#include "import/fcs.hpp"
#include "import/image_source.hpp"
#include "import/table_source.hpp"

namespace popflow::data_import {

namespace {

using Strings = std::vector<std::string>;

bool contains(const Strings& list, const std::string& name) {
    return std::ranges::find(list, name) != list.end();
}

// Returns the name under which a column of labels is stored, and notes it if it is another one. AnnData
// stores each column as a group of HDF5, whose path a slash would divide.
std::string stored_column(ImportPlan& plan, const std::string& file, const std::string& name,
                          std::size_t number) {
    std::string stored = name;
    std::ranges::replace(stored, '/', '_');
    if (name.empty()) stored = fmt::format("column_{}", number);
    if (name == "_index") stored = "index";
    if (name == "__categories") stored = "categories";
    if (stored == "." || stored == "..")
        throw core::DataError(
            file, fmt::format("column {}", number),
            "found the name '" + name + "', which AnnData cannot store: give the column another name");
    if (stored != name) {
        const std::string column =
            name.empty() ? fmt::format("column {}, which has no name,", number) : "column '" + name + "'";
        plan.notes.push_back({.text = fmt::format("{} is stored as '{}'", column, stored), .path = file});
    }
    return stored;
}

// Adds the columns of the sheet to plan.obs. Returns their numbers.
std::vector<std::size_t> sheet_columns(ImportPlan& plan, const core::CsvFile& sheet) {
    std::vector<std::size_t> numbers;
    for (std::size_t j = 0; j < sheet.columns().size(); ++j) {
        if (j == 0 && sheet.has_row_names()) {
            plan.notes.push_back({.text = "the names of its rows are left out", .path = sheet.path()});
            continue;
        }
        const std::string name = stored_column(plan, sheet.path(), sheet.columns()[j], j + 1);
        if (contains(plan.obs, name))
            throw core::DataError(sheet.path(), "column '" + sheet.columns()[j] + "'",
                                  "it would be stored as '" + name +
                                      "', which is the name of another column: rename one of them");
        plan.obs.push_back(name);
        numbers.push_back(j);
    }
    return numbers;
}

// Reads the sheet: each row names a file of cells, and the other columns are labels of all its cells.
void read_sheet(ImportPlan& plan) {
    const std::string& path = plan.options.sheet;
    const core::CsvFile sheet(path);
    const std::size_t file = column_of(sheet.columns(), plan.options.file_column, path);
    const std::vector<std::size_t> columns = sheet_columns(plan, sheet);
    core::CsvFile::Rows rows(sheet);
    std::set<std::string> seen;
    std::map<std::string, std::size_t> missing;
    Strings fields;
    std::size_t number = 0;
    for (std::string line; rows.next(line);) {
        const std::string place = "row " + std::to_string(++number);
        sheet.split(core::to_utf8(line), place, fields);
        if (std::ranges::all_of(fields, [](const std::string& field) { return field.empty(); })) continue;
        if (fields[file].empty())
            throw core::DataError(path, place + ", column " + plan.options.file_column,
                                  "found an empty field. Give the name of a file of cells");
        if (!seen.insert(fields[file]).second)
            throw core::DataError(path, place, "found file '" + fields[file] + "' twice. Give it once");
        const std::filesystem::path folder = std::filesystem::path(path).parent_path();
        ImportSource source{.path = (folder / fields[file]).string()};
        for (std::size_t k = 0; k < columns.size(); ++k) {
            const std::string& label = fields[columns[k]];
            const bool is_missing = core::is_missing_label(label);
            source.labels.push_back(is_missing ? "" : label);
            if (is_missing && !label.empty()) ++missing[plan.obs[k]];
        }
        if (!std::filesystem::is_regular_file(source.path))
            throw core::DataError(
                path, place,
                "found file '" + source.path +
                    "', which does not exist: relative paths start at the folder of the sheet");
        plan.sources.push_back(std::move(source));
    }
    if (plan.sources.empty())
        throw core::DataError(path, "", "found no rows. Give one for each file of cells");
    for (const auto& [column, count] : missing)
        plan.notes.push_back({.text = missing_labels_note(path, column, count)});
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
                throw core::ConfigError("markers", "found '" + name + "' twice. Give it once");
            if (name == no_name && !are_given) {
                plan.has_unnamed_columns = plan.has_unnamed_columns || source.kind == SourceKind::fcs;
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
            throw core::DataError(source.path, marker,
                                  "found two columns of that name. Leave it out with --exclude-markers");
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
    if (plan.options.data_set != 1) {
        throw core::ConfigError("data-set", fmt::format("found {}, but {} is a table: only FCS files have "
                                                        "several data sets",
                                                        plan.options.data_set, plan.sources[index].path));
    }
    const Strings names = open_table(plan, index);
    find_markers(plan, plan.sources[index], names, plan.options.markers, plan.options.exclude_markers);
    add_table_pieces(plan, index);
}

void plan_image(ImportPlan& plan, std::size_t index) {
    ImportSource& source = plan.sources[index];
    const image::ImageHeader header = image::read_image_header(source.path);
    find_markers(plan, source, image::channel_names, plan.options.markers, plan.options.exclude_markers);
    if (header.has_transparency) add_note(plan, source.path, "transparent pixels are blended over white");
    if (header.is_cmyk) add_note(plan, source.path, "inks (CMYK) are converted without a colour profile");
    const std::size_t max_side = plan.options.max_side;
    const std::size_t pixels = (max_side == 0 ? header : image::shrunk_header(header, max_side)).pixels();
    const std::size_t count = plan.options.pixels == 0 ? pixels : std::min(plan.options.pixels, pixels);
    plan.pieces.push_back({index, 0, count, header.pixels() * 3});
}

SourceKind kind_of(const std::string& path) {
    if (image::is_image(path)) return SourceKind::image;
    return is_fcs(path) ? SourceKind::fcs : SourceKind::table;
}

// Adds the columns of images: their labels, and the places of their pixels.
void add_image_columns(ImportPlan& plan) {
    const ImportOptions& options = plan.options;
    if (!options.obs.empty())
        throw core::ConfigError("obs",
                                "found '" + options.obs.front() +
                                    "', but images have no columns of labels: give labels in a --sheet");
    for (const std::string& column : image::place_columns) {
        if (contains(plan.obs, column))
            throw core::DataError(options.sheet, "column '" + column + "'",
                                  "found a name that a column of the pixels has: rename it");
    }
    plan.places = image::place_columns;
    Strings paths;
    for (const ImportSource& source : plan.sources) paths.push_back(source.path);
    Strings labels = image_labels(paths);
    const auto column = std::ranges::find(plan.obs, image::image_column);
    const bool has_column = column != plan.obs.end();
    std::set<std::string> seen;
    for (std::size_t s = 0; s < plan.sources.size(); ++s) {
        ImportSource& source = plan.sources[s];
        if (has_column) {
            labels[s] = source.labels[static_cast<std::size_t>(column - plan.obs.begin())];
            if (labels[s].empty() || !seen.insert(labels[s]).second)
                throw core::DataError(options.sheet, std::string("column ") + image::image_column,
                                      "found '" + labels[s] + (labels[s].empty() ? "'" : "' twice") +
                                          ". It names the images, so give each its own label");
        } else {
            source.labels.push_back(labels[s]);
        }
        source.image_label = labels[s];
    }
    if (!has_column) plan.obs.emplace_back(image::image_column);
}

// Finds out the formats of the sources. Images have columns that other files lack, so they are not mixed.
void find_kinds(ImportPlan& plan) {
    for (ImportSource& source : plan.sources) source.kind = kind_of(source.path);
    const auto is_picture = [](const ImportSource& source) { return source.kind == SourceKind::image; };
    const auto images = std::ranges::count_if(plan.sources, is_picture);
    if (images == 0 && plan.options.images.empty()) {
        for (const auto& [name, value] :
             {std::pair("pixels", plan.options.pixels), std::pair("max-side", plan.options.max_side)}) {
            if (value != 0)
                throw core::ConfigError(
                    name, "needs images, but found " + plan.sources.front().path + ". Omit --" + name);
        }
        return;
    }
    const auto other = std::ranges::find_if_not(plan.sources, is_picture);
    if (other != plan.sources.end())
        throw core::DataError(
            other->path, "",
            plan.options.images.empty()
                ? "is no image, but " + plan.options.sheet + " names images too: import each kind on its own"
                : "is neither a PNG nor a JPEG file: convert it to PNG");
    add_image_columns(plan);
}

// Locations in the file that is being written.
struct FileOffsets {
    anndata::RowChunks x;
    std::uint64_t index = 0;
    std::size_t name_length = 0;
    std::vector<anndata::CodeColumn> columns;
    std::vector<std::uint64_t> places;
};

FileOffsets find_offsets(const std::string& file, const ImportPlan& plan) {
    const h5::Group root = h5::open_file(file);
    FileOffsets offsets;
    offsets.x = anndata::find_chunks(root.open_dataset("X"));
    offsets.index = root.open_dataset("obs/_index").file_offset();
    offsets.name_length = root.open_dataset("obs/_index").type().bytes;
    for (const std::string& column : plan.obs) offsets.columns.push_back(anndata::find_codes(root, column));
    for (const std::string& column : plan.places)
        offsets.places.push_back(root.open_dataset("obs/" + column).file_offset());
    return offsets;
}

// Returns the code of a label, or -1 for a missing label, which has no category.
std::int32_t code_of(const Strings& categories, const std::string& label) {
    const auto at = std::ranges::lower_bound(categories, label);
    if (at == categories.end() || *at != label) return -1;
    return static_cast<std::int32_t>(at - categories.begin());
}

void read_fcs(const ImportPlan& plan, const ImportPiece& piece, linalg::Matrix<float>& x) {
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
    x.reshape(piece.count, source.columns.size());
    for (std::size_t i = 0; i < piece.count; ++i) {
        for (std::size_t j = 0; j < source.columns.size(); ++j) x(i, j) = all(i, source.columns[j]);
    }
}

void write_column(anndata::RowWriter& writer, const anndata::CodeColumn& column,
                  std::span<const std::int32_t> codes, std::uint64_t row) {
    std::vector<char> bytes(codes.size() * column.width);
    for (std::size_t i = 0; i < codes.size(); ++i)
        std::memcpy(&bytes[i * column.width], &codes[i], column.width);
    writer.write(bytes.data(), bytes.size(), column.offset + row * column.width);
}

// Writes rows [row, row + count) of the columns of the sheet.
void write_sheet_labels(anndata::RowWriter& writer, const FileOffsets& offsets, const ImportSource& source,
                        std::uint64_t row, std::size_t count) {
    for (std::size_t k = 0; k < source.labels.size(); ++k) {
        const std::vector<std::int32_t> codes(count,
                                              code_of(offsets.columns[k].categories, source.labels[k]));
        write_column(writer, offsets.columns[k], codes, row);
    }
}

void write_fcs_piece(anndata::RowWriter& writer, const FileOffsets& offsets, const ImportPlan& plan,
                     std::span<const std::uint64_t> first_row, std::size_t p) {
    const ImportPiece& piece = plan.pieces[p];
    const std::uint64_t row = first_row[p];
    linalg::Matrix<float> x;
    read_fcs(plan, piece, x);
    anndata::write_matrix_rows(writer, offsets.x, x, row);
    anndata::write_row_names(writer, offsets.index, offsets.name_length, row, x.rows());
    write_sheet_labels(writer, offsets, plan.sources[piece.source], row, x.rows());
}

void write_image_piece(anndata::RowWriter& writer, const FileOffsets& offsets, const ImportPlan& plan,
                       std::span<const std::uint64_t> first_row, std::size_t p) {
    const ImportSource& source = plan.sources[plan.pieces[p].source];
    const std::uint64_t row = first_row[p];
    const std::size_t n = first_row[p + 1] - row;
    const ImagePixels pixels = read_pixels(source.path, n, source.image_label, plan.options);
    linalg::Matrix<float> x(n, source.columns.size());
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < source.columns.size(); ++j) x(i, j) = pixels.rgb(i, source.columns[j]);
    }
    anndata::write_matrix_rows(writer, offsets.x, x, row);
    anndata::write_row_names(writer, offsets.index, offsets.name_length, row, n);
    write_sheet_labels(writer, offsets, source, row, n);
    for (std::size_t k = 0; k < offsets.places.size(); ++k)
        writer.write(&pixels.places[k * n], n * sizeof(std::int32_t),
                     offsets.places[k] + row * sizeof(std::int32_t));
}

// Writes the rows of a piece of a table in blocks, because a piece may be a large file.
void write_table_piece(anndata::RowWriter& writer, const FileOffsets& offsets, const ImportPlan& plan,
                       std::span<const std::uint64_t> first_row, std::size_t p) {
    const ImportPiece& piece = plan.pieces[p];
    const ImportSource& source = plan.sources[piece.source];
    std::size_t first_piece = p;
    while (first_piece > 0 && plan.pieces[first_piece - 1].source == piece.source) --first_piece;
    TablePieceReader reader(plan, piece, first_row[p] - first_row[first_piece]);
    const std::size_t block =
        std::max<std::size_t>(1, plan.options.piece_bytes / (sizeof(float) * plan.markers.size()));
    TableRows rows;
    std::vector<std::int32_t> codes;
    for (std::uint64_t row = first_row[p]; row < first_row[p + 1]; row += rows.x.rows()) {
        reader.read(std::min<std::uint64_t>(block, first_row[p + 1] - row), rows);
        const std::size_t n = rows.x.rows();
        anndata::write_matrix_rows(writer, offsets.x, rows.x, row);
        if (rows.names.empty()) {
            anndata::write_row_names(writer, offsets.index, offsets.name_length, row, n);
        } else {
            anndata::write_row_names(writer, offsets.index, offsets.name_length, row, rows.names);
        }
        write_sheet_labels(writer, offsets, source, row, n);
        for (std::size_t k = 0; k < rows.labels.size(); ++k) {
            const anndata::CodeColumn& column = offsets.columns[source.labels.size() + k];
            codes.resize(n);
            for (std::size_t i = 0; i < n; ++i) {
                codes[i] = code_of(column.categories, rows.labels[k][i]);
                if (codes[i] < 0 && !rows.labels[k][i].empty()) fail_changed(source.path);
            }
            write_column(writer, column, codes, row);
        }
    }
}

}  // namespace

std::string ImportOptions::input() const {
    if (!images.empty()) return core::joined(images);
    return sheet.empty() ? cells : sheet;
}

std::string ImportNote::line() const {
    if (path.empty()) return text;
    const std::string others = files == 1 ? "" : " (and in " + core::counted(files - 1, "other file") + ")";
    return path + ": " + text + others;
}

ImportPlan plan_import(const ImportOptions& options) {
    ImportPlan plan{.options = options};
    const int inputs =
        (options.sheet.empty() ? 0 : 1) + (options.cells.empty() ? 0 : 1) + (options.images.empty() ? 0 : 1);
    if (inputs != 1)
        throw core::ConfigError("sheet", "give one of --sheet S.csv, --cells F.csv and --images FOLDER");
    if (!options.sheet.empty()) {
        read_sheet(plan);
    } else if (!options.cells.empty()) {
        plan.sources.push_back({.path = options.cells});
    } else {
        for (const std::string& path : find_images(options.images)) plan.sources.push_back({.path = path});
    }
    find_kinds(plan);
    for (std::size_t k = 0; k < options.obs.size(); ++k) {
        const std::string& name = options.obs[k];
        const std::string stored = stored_column(plan, "--obs", name, k + 1);
        if (contains(plan.obs, stored))
            throw core::ConfigError("obs", "found '" + name + "', which is stored as '" + stored +
                                               "' and was given twice or is a column of the sheet" +
                                               (options.sheet.empty() ? "" : " " + options.sheet) +
                                               ": leave it out of --obs, or rename one of them");
        plan.obs.push_back(stored);
    }
    for (std::size_t s = 0; s < plan.sources.size(); ++s) {
        switch (plan.sources[s].kind) {
            case SourceKind::fcs:
                plan_fcs(plan, s);
                break;
            case SourceKind::image:
                plan_image(plan, s);
                break;
            case SourceKind::table:
                plan_table(plan, s);
        }
    }
    return plan;
}

PieceContents scan_piece(const ImportPlan& plan, std::size_t piece) {
    const ImportPiece& p = plan.pieces.at(piece);
    const ImportSource& source = plan.sources[p.source];
    if (source.kind != SourceKind::table) {
        PieceContents contents;
        contents.rows = p.count;
        contents.labels.resize(plan.options.obs.size());
        contents.missing.resize(plan.options.obs.size());
        return contents;
    }
    return scan_table(plan, p);
}

void read_as_a_whole(ImportPlan& plan, std::span<const std::int64_t> whole) {
    std::vector<ImportPiece> pieces;
    for (const ImportPiece& piece : plan.pieces) {
        if (whole[piece.source] == 0) {
            pieces.push_back(piece);
        } else if (pieces.empty() || pieces.back().source != piece.source) {
            pieces.push_back(piece);
        } else {
            pieces.back().count += piece.count;
            pieces.back().bytes += piece.bytes;
        }
    }
    plan.pieces = std::move(pieces);
    for (std::size_t s = 0; s < plan.sources.size(); ++s) {
        if (whole[s] != 0) plan.sources[s].is_divisible = false;
    }
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
        Strings columns = plan.obs;
        columns.insert(columns.end(), plan.places.begin(), plan.places.end());
        obs.write_attribute("column-order", columns);
        obs.write_attribute("_index", "_index");
        for (std::size_t k = 0; k < plan.obs.size(); ++k)
            anndata::create_categorical(obs, plan.obs[k], layout.categories[k], rows);
        for (const std::string& column : plan.places) {
            h5::Dataset numbers = obs.create_contiguous(column, h5::Element::int32, {rows});
            h5::write_encoding(numbers, "array", "0.2.0");
        }
        anndata::create_row_names(obs, rows, layout.name_length);
        h5::DataFrame var;
        var.set_row_names(plan.markers);
        if (!plan.channels.empty()) var.add("channel", plan.channels);
        h5::write_dataframe(root, "var", var);
        h5::Group uns = anndata::create_dict(root, "uns");
        h5::Group ours = anndata::create_dict(uns, "import");
        anndata::write_string(ours, "version", std::string("popflow ") + core::version());
        anndata::write_string(ours, "from", plan.options.input());
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
    const std::string file = core::temporary_name(path);
    const FileOffsets offsets = find_offsets(file, plan);
    anndata::RowWriter writer(file, path);
    for (const std::size_t p : pieces) {
        if (first_row[p + 1] == first_row[p]) continue;
        switch (plan.sources[plan.pieces.at(p).source].kind) {
            case SourceKind::fcs:
                write_fcs_piece(writer, offsets, plan, first_row, p);
                break;
            case SourceKind::image:
                write_image_piece(writer, offsets, plan, first_row, p);
                break;
            case SourceKind::table:
                write_table_piece(writer, offsets, plan, first_row, p);
        }
    }
    writer.sync();
}

}  // namespace popflow::data_import
