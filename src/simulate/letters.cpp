// SPDX-License-Identifier: MIT
#include "simulate/letters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <set>

#include "anndata/anndata_write.hpp"
#include "anndata/row_writer.hpp"
#include "core/error.hpp"
#include "core/random.hpp"
#include "core/stored_file.hpp"
#include "core/version.hpp"
#include "simulate/simulated_response.hpp"

namespace popflow::simulate {

namespace {

using core::Purpose;
using core::Stream;

void check_letters(const std::string& option, const std::vector<std::string>& letters,
                   std::set<std::string>& seen) {
    for (const std::string& letter : letters) {
        if (letter.size() != 1 || letter.front() < 'A' || letter.front() > 'Z')
            throw core::ConfigError(
                option, "found '" + letter + "'. Give single capitals A to Z, separated by commas");
        if (!seen.insert(letter).second)
            throw core::ConfigError(
                option, "found '" + letter + "' twice. Give each letter once, for training or for the test");
    }
}

// Returns all capitals except the given ones.
std::vector<std::string> capitals_except(const std::vector<std::string>& excluded) {
    std::vector<std::string> letters;
    for (char c = 'A'; c <= 'Z'; ++c) {
        const std::string letter(1, c);
        if (std::ranges::find(excluded, letter) == excluded.end()) letters.push_back(letter);
    }
    return letters;
}

Stream stream(const Letters& letters, const RotatedLetter& e, const std::string& what) {
    return {letters.options.seed, Purpose::simulation, label_key(what + " of letter " + e.letter),
            e.rotation};
}

}  // namespace

std::size_t Letters::n_points() const {
    return experiments.empty() ? 0 : experiments.back().first_row + 2 * experiments.back().n_points;
}

Letters plan_letters(const LettersOptions& options) {
    Letters plan{options, {}, {}};
    LettersOptions& o = plan.options;
    std::set<std::string> all;
    check_letters("test-letters", o.test_letters, all);
    if (o.letters.empty()) o.letters = capitals_except(o.test_letters);
    check_letters("letters", o.letters, all);
    if (o.rotations == 0) throw core::ConfigError("rotations", "found '0'. Give 1 or more");
    if (o.font.empty()) o.font = default_font();
    plan.alphabet = draw_alphabet(o.font, {all.begin(), all.end()}, o.size);

    std::size_t row = 0;
    for (const auto* part : {&o.letters, &o.test_letters}) {
        for (const std::string& letter : *part) {
            for (std::size_t r = 0; r < o.rotations; ++r) {
                RotatedLetter e{.letter = letter, .rotation = r, .test = part == &o.test_letters};
                e.angle = 2 * std::numbers::pi * stream(plan, e, "angle").uniform();
                e.n_points = plan.alphabet.clouds.at(letter).rows();
                e.first_row = row;
                row += 2 * e.n_points;
                plan.experiments.push_back(std::move(e));
            }
        }
    }
    return plan;
}

LetterPoints letter_points(const Letters& letters, const RotatedLetter& e) {
    const linalg::Matrix<float>& cloud = letters.alphabet.clouds.at(e.letter);
    const std::size_t n = cloud.rows();
    LetterPoints points{linalg::Matrix<float>(n, 2), linalg::Matrix<float>(n, 2)};
    Stream jitter = stream(letters, e, "jitter");
    Stream noise = stream(letters, e, "noise");
    const double cosine = std::cos(e.angle);
    const double sine = std::sin(e.angle);
    for (std::size_t i = 0; i < n; ++i) {
        const double x = static_cast<double>(cloud(i, 0)) + letters.options.jitter * jitter.normal();
        const double y = static_cast<double>(cloud(i, 1)) + letters.options.jitter * jitter.normal();
        const double target[] = {cosine * x - sine * y, sine * x + cosine * y};
        for (std::size_t j = 0; j < 2; ++j) {
            points.target(i, j) = static_cast<float>(target[j]);
            points.source(i, j) = static_cast<float>(target[j] + letters.options.noise * noise.normal());
        }
    }
    return points;
}

namespace {

// A categorical column of obs.
struct LetterColumn {
    const char* name;
    std::string (*value)(const RotatedLetter& e, bool control);
};

constexpr std::array<LetterColumn, 5> label_columns{
    {{"patient", [](const RotatedLetter& e, bool /*control*/) { return e.letter; }},
     {"culture",
      [](const RotatedLetter& e, bool /*control*/) { return e.test ? e.letter : std::string("train"); }},
     {"treatment", [](const RotatedLetter& /*e*/,
                      bool control) { return std::string(control ? letter_control : letter_treated); }},
     {"replicate", [](const RotatedLetter& e, bool /*control*/) { return std::to_string(e.rotation); }},
     {"split",
      [](const RotatedLetter& e, bool /*control*/) { return std::string(e.test ? "test" : "train"); }}}};

std::vector<std::string> categories(const Letters& letters, const LetterColumn& column) {
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
    for (const LetterColumn& column : label_columns) {
        order.emplace_back(column.name);
        anndata::create_categorical(obs, column.name, categories(letters, column), rows);
    }
    order.emplace_back("angle");
    h5::Dataset angle = obs.create_contiguous("angle", h5::Element::float64, {rows});
    h5::write_encoding(angle, "array", "0.2.0");
    obs.write_attribute("column-order", order);
    obs.write_attribute("_index", "_index");
    anndata::create_row_names(obs, rows);
}

void write_uns(h5::Group& root, const Letters& letters) {
    const LettersOptions& o = letters.options;
    h5::Group uns = root.create_group("uns");
    h5::write_encoding(uns, "dict", "0.1.0");
    h5::Group simulation = uns.create_group("simulation");
    h5::write_encoding(simulation, "dict", "0.1.0");
    anndata::write_string(simulation, "version", std::string("popflow ") + core::version());
    anndata::write_string(simulation, "font", letters.alphabet.family);
    anndata::write_scalar<std::uint64_t>(simulation, "seed", o.seed);
    anndata::write_scalar<std::uint64_t>(simulation, "rotations", o.rotations);
    anndata::write_scalar<std::uint64_t>(simulation, "size", o.size);
    anndata::write_scalar<double>(simulation, "noise", o.noise);
    anndata::write_scalar<double>(simulation, "jitter", o.jitter);
    anndata::write_strings(simulation, "letters", o.letters);
    anndata::write_strings(simulation, "test_letters", o.test_letters);
}

// Byte offsets in the file that is being written.
struct FileOffsets {
    std::uint64_t x = 0;
    std::uint64_t index = 0;
    std::uint64_t angle = 0;
    std::array<anndata::CodeColumn, label_columns.size()> columns;
};

// Looks up the offsets. Keeps the file open in HDF5 only during this call, because HDF5 does not support
// concurrent access by several processes.
FileOffsets find_offsets(const Letters& letters, const std::string& file, const std::string& path) {
    const h5::Group root = h5::open_file(file);
    const h5::Dataset x = root.open_dataset("X");
    if (x.rows() != letters.n_points()) {
        throw core::DataError(
            path, "X",
            fmt::format("found {} rows, but this process rendered {} points. Use the same font on every node",
                        x.rows(), letters.n_points()));
    }
    FileOffsets offsets{x.file_offset(),
                        root.open_dataset("obs/_index").file_offset(),
                        root.open_dataset("obs/angle").file_offset(),
                        {}};
    for (std::size_t k = 0; k < label_columns.size(); ++k)
        offsets.columns[k] = anndata::find_codes(root, label_columns[k].name);
    return offsets;
}

void write_population(anndata::RowWriter& writer, const Letters& letters, const FileOffsets& offsets,
                      const RotatedLetter& e, bool control, const linalg::Matrix<float>& x) {
    const std::size_t n = x.rows();
    const std::size_t row = e.first_row + (control ? 0 : n);
    writer.write(x.data(), n * 2 * sizeof(float), offsets.x + row * 2 * sizeof(float));
    const std::vector<double> angle(n, e.angle);
    writer.write(angle.data(), n * sizeof(double), offsets.angle + row * sizeof(double));
    anndata::write_row_names(writer, offsets.index, anndata::row_name_length(letters.n_points()), row, n);
    for (std::size_t k = 0; k < label_columns.size(); ++k)
        anndata::write_codes(writer, offsets.columns[k], label_columns[k].value(e, control), row, n);
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
        var.set_row_names({"x", "y"});
        h5::write_dataframe(root, "var", var);
        write_uns(root, letters);
        anndata::write_empty_groups(root);
    }
    file->close();
    return file;
}

void write_letters(const Letters& letters, const std::string& path,
                   std::span<const std::size_t> experiments) {
    const std::string file = core::temporary_name(path);
    const FileOffsets offsets = find_offsets(letters, file, path);
    anndata::RowWriter writer(file, path);
    for (const std::size_t i : experiments) {
        const RotatedLetter& e = letters.experiments.at(i);
        const LetterPoints points = letter_points(letters, e);
        write_population(writer, letters, offsets, e, true, points.source);
        write_population(writer, letters, offsets, e, false, points.target);
    }
    writer.sync();
}

}  // namespace popflow::simulate
