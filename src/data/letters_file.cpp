// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <set>

#include "core/error.hpp"
#include "core/version.hpp"
#include "data/anndata_write.hpp"
#include "data/letters.hpp"
#include "data/row_writer.hpp"

namespace popflow::data {

namespace {

// A column of obs with few values.
struct LabelColumn {
    const char* name;
    std::string (*value)(const RotatedLetter& e, bool control);
};

constexpr std::array<LabelColumn, 5> label_columns{
    {{"patient", [](const RotatedLetter& e, bool /*control*/) { return e.letter; }},
     {"culture",
      [](const RotatedLetter& e, bool /*control*/) { return e.test ? e.letter : std::string("train"); }},
     {"treatment", [](const RotatedLetter& /*e*/,
                      bool control) { return std::string(control ? letter_control : letter_treated); }},
     {"replicate", [](const RotatedLetter& e, bool /*control*/) { return std::to_string(e.rotation); }},
     {"split",
      [](const RotatedLetter& e, bool /*control*/) { return std::string(e.test ? "test" : "train"); }}}};

std::vector<std::string> categories(const Letters& letters, const LabelColumn& column) {
    std::set<std::string> found;
    for (const RotatedLetter& e : letters.experiments) {
        for (const bool control : {true, false}) found.insert(column.value(e, control));
    }
    return {found.begin(), found.end()};
}

void create_obs(h5::Group& root, const Letters& letters) {
    const std::size_t rows = letters.n_points();
    h5::Group obs = root.create_group("obs");
    h5::write_encoding(obs, "dataframe", "0.2.0");
    std::vector<std::string> order;
    for (const LabelColumn& column : label_columns) {
        order.emplace_back(column.name);
        create_categorical(obs, column.name, categories(letters, column), rows);
    }
    order.emplace_back("angle");
    h5::Dataset angle = obs.create_contiguous("angle", h5::Element::float64, {rows});
    h5::write_encoding(angle, "array", "0.2.0");
    obs.write_attribute("column-order", order);
    obs.write_attribute("_index", "_index");
    create_row_names(obs, rows);
}

void write_uns(h5::Group& root, const Letters& letters) {
    const LettersOptions& o = letters.options;
    h5::Group uns = root.create_group("uns");
    h5::write_encoding(uns, "dict", "0.1.0");
    h5::Group simulation = uns.create_group("simulation");
    h5::write_encoding(simulation, "dict", "0.1.0");
    write_string(simulation, "version", std::string("popflow ") + core::version());
    write_string(simulation, "font", letters.alphabet.family);
    write_scalar<std::uint64_t>(simulation, "seed", o.seed);
    write_scalar<std::uint64_t>(simulation, "rotations", o.rotations);
    write_scalar<std::uint64_t>(simulation, "size", o.size);
    write_scalar<double>(simulation, "noise", o.noise);
    write_scalar<double>(simulation, "jitter", o.jitter);
    write_strings(simulation, "letters", o.letters);
    write_strings(simulation, "test_letters", o.test_letters);
}

struct Places {
    std::uint64_t x = 0;
    std::uint64_t index = 0;
    std::uint64_t angle = 0;
    std::array<CodeColumn, label_columns.size()> columns;
};

// The file is open for reading only as long as this takes: processes must not meet in HDF5.
Places find_places(const Letters& letters, const std::string& file, const std::string& path) {
    const h5::Group root = h5::open_file(file);
    const h5::Dataset x = root.open_dataset("X");
    if (x.rows() != letters.n_points()) {
        throw core::DataError(path, "X",
                              "found " + std::to_string(x.rows()) + " rows laid out, " +
                                  std::to_string(letters.n_points()) +
                                  " drawn; the font must be the same on every node");
    }
    Places places{x.file_offset(),
                  root.open_dataset("obs/_index").file_offset(),
                  root.open_dataset("obs/angle").file_offset(),
                  {}};
    for (std::size_t k = 0; k < label_columns.size(); ++k)
        places.columns[k] = find_codes(root, label_columns[k].name);
    return places;
}

void write_population(RowWriter& writer, const Letters& letters, const Places& places, const RotatedLetter& e,
                      bool control, const linalg::Matrix<float>& x) {
    const std::size_t n = x.rows();
    const std::size_t row = e.first_row + (control ? 0 : n);
    writer.write(x.data(), n * 2 * sizeof(float), places.x + row * 2 * sizeof(float));
    const std::vector<double> angle(n, e.angle);
    writer.write(angle.data(), n * sizeof(double), places.angle + row * sizeof(double));
    write_row_names(writer, places.index, row_name_length(letters.n_points()), row, n);
    for (std::size_t k = 0; k < label_columns.size(); ++k)
        write_codes(writer, places.columns[k], label_columns[k].value(e, control), row, n);
}

}  // namespace

std::unique_ptr<h5::AtomicFile> create_letters_file(const Letters& letters, const std::string& path) {
    auto file = std::make_unique<h5::AtomicFile>(path);
    {
        h5::Group root = file->root();
        h5::write_encoding(root, "anndata", "0.1.0");
        h5::Dataset x = root.create_contiguous("X", h5::Element::float32, {letters.n_points(), 2});
        h5::write_encoding(x, "array", "0.2.0");
        create_obs(root, letters);
        h5::DataFrame var;
        var.name_rows({"x", "y"});
        h5::write_dataframe(root, "var", var);
        write_uns(root, letters);
        write_empty_groups(root);
    }
    file->close();
    return file;
}

void write_letters(const Letters& letters, const std::string& path,
                   std::span<const std::size_t> experiments) {
    const std::string file = path + ".tmp";
    const Places places = find_places(letters, file, path);
    RowWriter writer(file, path);
    for (const std::size_t i : experiments) {
        const RotatedLetter& e = letters.experiments.at(i);
        const LetterPoints points = letter_points(letters, e);
        write_population(writer, letters, places, e, true, points.source);
        write_population(writer, letters, places, e, false, points.target);
    }
    writer.sync();
}

}  // namespace popflow::data
