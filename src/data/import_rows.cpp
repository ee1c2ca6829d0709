// SPDX-License-Identifier: MIT
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "data/anndata_write.hpp"
#include "data/csv.hpp"
#include "data/fcs.hpp"
#include "data/import_plan.hpp"
#include "data/row_writer.hpp"
#include "data/text_encoding.hpp"

namespace popflow::data {

namespace {

using Strings = std::vector<std::string>;

// The rows of one piece: cells, and the labels of the obs columns that a table has.
struct Rows {
    linalg::Matrix<float> x;
    std::vector<std::vector<std::int32_t>> codes;  // of each of ImportOptions::obs
};

// Where things are in the file that is being written.
struct Places {
    RowChunks x;
    std::uint64_t index = 0;
    std::size_t name_length = 0;
    std::vector<CodeColumn> columns;
};

Places find_places(const std::string& file, const ImportPlan& plan, std::uint64_t rows) {
    const h5::Group root = h5::open_file(file);
    Places places;
    places.x = find_chunks(root.open_dataset("X"));
    places.index = root.open_dataset("obs/_index").file_offset();
    places.name_length = row_name_length(rows);
    for (const std::string& column : plan.obs) places.columns.push_back(find_codes(root, column));
    return places;
}

// A missing label has no category.
std::int32_t code_of(const Strings& categories, const std::string& label) {
    const auto at = std::ranges::lower_bound(categories, label);
    if (at == categories.end() || *at != label) return -1;
    return static_cast<std::int32_t>(at - categories.begin());
}

[[noreturn]] void fail_changed(const std::string& path) {
    throw core::DataError(path, "", "changed while it was read");
}

void read_fcs(const ImportPlan& plan, const ImportPiece& piece, Rows& rows) {
    const ImportSource& source = plan.sources[piece.source];
    const FcsFile fcs(source.path);
    linalg::Matrix<float> all(piece.count, fcs.parameters().size());
    fcs.read(piece.first, all);
    if (plan.options.compensate) Compensation(fcs).apply(all);
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
    // What is too small for a float is zero.
    if (error == std::errc::result_out_of_range) {
        const auto wide = core::label_number(text);
        if (wide && std::abs(*wide) < 1) return 0;
    }
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
        throw core::DataError(file, column,
                              "row " + std::to_string(row) + ": found '" + to_utf8(text) +
                                  "', allowed a finite number (--obs makes a column one of labels, "
                                  "--exclude-markers leaves it out)");
    }
    return value;
}

void read_table(const ImportPlan& plan, const ImportPiece& piece, std::uint64_t row_of_file,
                std::span<const CodeColumn> columns, Rows& rows) {
    const ImportSource& source = plan.sources[piece.source];
    const CsvFile table(source.path);
    CsvFile::Rows lines(table, piece.first, piece.first + piece.count);
    const std::size_t n = rows.x.rows();
    Strings fields;
    std::string line;
    for (std::size_t i = 0; i < n; ++i) {
        if (!lines.next(line)) fail_changed(source.path);
        const std::uint64_t row = row_of_file + i + 1;
        const std::string place = "row " + std::to_string(row);
        table.split(line, place, fields);
        for (std::size_t j = 0; j < source.columns.size(); ++j)
            rows.x(i, j) = parse_cell(fields[source.columns[j]], source.path, plan.markers[j], row);
        for (std::size_t k = 0; k < rows.codes.size(); ++k) {
            const std::string label = to_utf8(fields[source.obs_columns[k]]);
            rows.codes[k][i] = code_of(columns[k].categories, label);
            if (rows.codes[k][i] < 0 && !label.empty()) fail_changed(source.path);
        }
    }
}

void write_column(RowWriter& writer, const CodeColumn& column, std::span<const std::int32_t> codes,
                  std::uint64_t row) {
    std::vector<char> bytes(codes.size() * column.width);
    for (std::size_t i = 0; i < codes.size(); ++i)
        std::memcpy(&bytes[i * column.width], &codes[i], column.width);
    writer.write(bytes.data(), bytes.size(), column.offset + row * column.width);
}

}  // namespace

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
            create_categorical(obs, plan.obs[k], layout.categories[k], rows);
        create_row_names(obs, rows);
        h5::DataFrame var;
        var.name_rows(plan.markers);
        if (!plan.channels.empty()) var.add("channel", plan.channels);
        h5::write_dataframe(root, "var", var);
        h5::Group uns = create_dict(root, "uns");
        h5::Group ours = create_dict(uns, "import");
        write_string(ours, "version", std::string("popflow ") + core::version());
        write_string(ours, "from", plan.options.sheet.empty() ? plan.options.cells : plan.options.sheet);
        write_string(ours, "compensated", plan.options.compensate ? "yes" : "no");
        write_empty_groups(root);
    }
    file->close();
    return file;
}

void write_pieces(const ImportPlan& plan, std::span<const std::uint64_t> first_row, const std::string& path,
                  std::span<const std::size_t> pieces) {
    const std::string file = path + ".tmp";
    const Places places = find_places(file, plan, first_row.back());
    const std::size_t n_sheet = plan.obs.size() - plan.options.obs.size();
    RowWriter writer(file, path);
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
        if (source.fcs) {
            read_fcs(plan, piece, rows);
        } else {
            read_table(plan, piece, row - first_row[first_piece], std::span(places.columns).subspan(n_sheet),
                       rows);
        }
        write_matrix_rows(writer, places.x, rows.x, row);
        write_row_names(writer, places.index, places.name_length, row, n);
        for (std::size_t k = 0; k < plan.obs.size(); ++k) {
            const std::vector<std::int32_t> same(
                k < n_sheet ? n : 0,
                k < n_sheet ? code_of(places.columns[k].categories, source.labels[k]) : 0);
            write_column(writer, places.columns[k], k < n_sheet ? same : rows.codes[k - n_sheet], row);
        }
    }
    writer.sync();
}

}  // namespace popflow::data
