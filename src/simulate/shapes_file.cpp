// SPDX-License-Identifier: MIT
#include "simulate/shapes_file.hpp"

#include <algorithm>
#include <cstdint>

#include "anndata/anndata_write.hpp"
#include "anndata/row_writer.hpp"
#include "core/parallel_for.hpp"
#include "core/stored_file.hpp"
#include "core/version.hpp"
#include "h5/dataframe.hpp"

namespace popflow::simulate {

namespace {

// A categorical column of obs with one value per population. A code is an index into its categories.
struct ShapeColumn {
    const char* name;
    std::vector<std::string> (*categories)(const Shapes& shapes);
    std::size_t (*code)(const Shapes& shapes, const ShapePopulation& population);
};

std::size_t pair_code(const Shapes& shapes, const ShapePopulation& p) {
    return p.index.number + (p.index.test ? shapes.options.populations : 0);
}

std::vector<std::string> pair_labels(const Shapes& shapes) {
    std::vector<std::string> labels(shapes.options.populations + shapes.options.test_populations);
    for (const ShapePopulation& p : shapes.populations) labels[pair_code(shapes, p)] = p.pair;
    return labels;
}

std::vector<std::string> population_names(const Shapes& shapes) {
    std::vector<std::string> names;
    for (const ShapePopulation& p : shapes.populations) names.push_back(p.name);
    return names;
}

std::vector<ShapeColumn> shape_columns(const Shapes& shapes) {
    std::vector<ShapeColumn> columns{
        {"population", population_names,
         [](const Shapes& all, const ShapePopulation& p) {
             return static_cast<std::size_t>(&p - all.populations.data());
         }},
        {"treatment", [](const Shapes& all) { return all.law.treatments; },
         [](const Shapes& /*all*/, const ShapePopulation& p) { return p.index.treatment; }},
        {"split",
         [](const Shapes& /*all*/) {
             return std::vector<std::string>{"train", "test"};
         },
         [](const Shapes& /*all*/, const ShapePopulation& p) { return std::size_t{p.index.test}; }}};
    if (shapes.law.is_paired) columns.push_back({"true_pair", pair_labels, pair_code});
    return columns;
}

void create_obs(h5::Group& root, const Shapes& shapes) {
    h5::Group obs = root.create_group("obs");
    h5::write_encoding(obs, "dataframe", "0.2.0");
    std::vector<std::string> order;
    for (const ShapeColumn& column : shape_columns(shapes)) {
        order.emplace_back(column.name);
        anndata::create_categorical(obs, column.name, column.categories(shapes), shapes.n_cells());
    }
    if (!shapes.law.states.empty()) {
        order.emplace_back("state");
        anndata::create_categorical(obs, "state", shapes.law.states, shapes.n_cells());
    }
    obs.write_attribute("column-order", order);
    obs.write_attribute("_index", "_index");
    anndata::create_row_names(obs, shapes.n_cells());
}

h5::DataFrame parameter_table(const Shapes& shapes) {
    h5::DataFrame table;
    h5::DataFrame::Ints cells;
    for (const ShapePopulation& p : shapes.populations) cells.push_back(static_cast<std::int64_t>(p.n_cells));
    for (const ShapeColumn& column : shape_columns(shapes)) {
        const std::vector<std::string> categories = column.categories(shapes);
        h5::DataFrame::Strings values;
        for (const ShapePopulation& p : shapes.populations)
            values.push_back(categories[column.code(shapes, p)]);
        if (column.name == std::string("population")) {
            table.set_row_names(std::move(values));
        } else {
            table.add_categorical(column.name, std::move(values));
        }
    }
    table.add("cells", std::move(cells));
    for (std::size_t k = 0; k < shapes.law.parameters.size(); ++k) {
        h5::DataFrame::Doubles values;
        for (const ShapePopulation& p : shapes.populations) values.push_back(p.parameters[k]);
        table.add(shapes.law.parameters[k], std::move(values));
    }
    return table;
}

void write_uns(h5::Group& root, const Shapes& shapes) {
    const ShapesOptions& o = shapes.options;
    h5::Group uns = anndata::create_dict(root, "uns");
    h5::Group simulation = anndata::create_dict(uns, "simulation");
    anndata::write_string(simulation, "version", std::string("popflow ") + core::version());
    anndata::write_string(simulation, "family", o.family);
    const auto count = [&](const char* name, std::size_t value) {
        anndata::write_scalar<std::uint64_t>(simulation, name, value);
    };
    count("seed", o.seed);
    count("populations", o.populations);
    count("test_populations", o.test_populations);
    count("treatments", o.treatments);
    count("min_cells", o.min_cells);
    count("max_cells", o.max_cells);
    const ShapeFamily& family = *shapes.family;
    if (family.has_option("law-seed")) count("law_seed", o.law_seed);
    if (family.has_option("markers")) count("markers", o.markers);
    if (family.has_option("states")) count("states", o.states);
    const auto number = [&](const char* option, const char* name, double value) {
        if (family.has_option(option)) anndata::write_scalar<double>(simulation, name, value);
    };
    number("separation", "separation", o.separation);
    number("dirichlet-sum", "dirichlet_sum", o.dirichlet_sum);
    number("shift", "shift_length", o.shift);
    number("selection", "max_selection", o.selection);
    for (const LawArray& array : shapes.law.arrays)
        anndata::write_array<double>(simulation, array.name, array.values, array.shape);
    h5::write_dataframe(simulation, "parameters", parameter_table(shapes));
}

// Locations in the file that is being written.
struct FileOffsets {
    std::uint64_t x = 0;
    std::uint64_t index = 0;
    std::uint64_t state = 0;
    std::vector<anndata::CodeColumn> columns;
};

// Looks up the offsets. Keeps the file open in HDF5 only during this call, because HDF5 does not support
// concurrent access by several processes.
FileOffsets find_offsets(const Shapes& shapes, const std::vector<ShapeColumn>& columns,
                         const std::string& file) {
    const h5::Group root = h5::open_file(file);
    FileOffsets offsets;
    offsets.x = root.open_dataset("X").file_offset();
    offsets.index = root.open_dataset("obs/_index").file_offset();
    if (!shapes.law.states.empty()) offsets.state = root.open_dataset("obs/state/codes").file_offset();
    for (const ShapeColumn& column : columns) {
        const h5::Dataset codes = root.open_dataset(std::string("obs/") + column.name + "/codes");
        offsets.columns.push_back({codes.file_offset(), codes.type().bytes, {}});
    }
    return offsets;
}

// Consecutive cells of a population.
struct Piece {
    std::size_t population = 0;
    std::size_t first = 0;  ///< first cell of the population
    std::size_t n = 0;      ///< number of cells
    std::size_t place = 0;  ///< row in the buffer of the batch
};

// Groups populations into batches of about a block of cells. A larger population is divided into several.
std::vector<std::vector<Piece>> make_batches(const Shapes& shapes, std::span<const std::size_t> populations) {
    constexpr std::size_t block = 16384;  // number of cells
    std::vector<std::vector<Piece>> batches;
    std::size_t filled = block;
    for (const std::size_t p : populations) {
        const std::size_t n_cells = shapes.populations.at(p).n_cells;
        for (std::size_t first = 0; first < n_cells; first += block) {
            const std::size_t n = std::min(block, n_cells - first);
            if (filled + n > block) {
                batches.emplace_back();
                filled = 0;
            }
            batches.back().push_back({p, first, n, filled});
            filled += n;
        }
    }
    return batches;
}

// Draws the cells of a batch. Threads share the pieces, because a parallel loop over the cells of each small
// population would mostly wait. A single piece is divided over the threads by draw_shape_cells().
void draw_batch(const Shapes& shapes, const std::vector<Piece>& batch, linalg::Matrix<float>& x,
                std::vector<std::uint8_t>& state) {
    const std::size_t rows = batch.back().place + batch.back().n;
    x.reshape(rows, shapes.law.markers.size());
    state.resize(rows);
    core::parallel_for(batch.size(), [&](std::size_t i) {
        const Piece& piece = batch[i];
        draw_shape_cells(shapes, piece.population, piece.first, x.view().row_block(piece.place, piece.n),
                         std::span(state).subspan(piece.place, piece.n));
    });
}

}  // namespace

std::unique_ptr<h5::AtomicFile> create_shapes_file(const Shapes& shapes, const std::string& path) {
    auto file = std::make_unique<h5::AtomicFile>(path);
    {
        h5::Group root = file->root();
        h5::write_encoding(root, "anndata", "0.1.0");
        h5::Dataset x =
            root.create_contiguous("X", h5::Element::float32, {shapes.n_cells(), shapes.law.markers.size()});
        h5::write_encoding(x, "array", "0.2.0");
        create_obs(root, shapes);
        h5::DataFrame var;
        var.set_row_names(shapes.law.markers);
        h5::write_dataframe(root, "var", var);
        write_uns(root, shapes);
        anndata::write_empty_groups(root);
    }
    file->close();
    return file;
}

void write_shapes(const Shapes& shapes, const std::string& path, std::span<const std::size_t> populations) {
    const std::string file = core::temporary_name(path);
    const std::vector<ShapeColumn> columns = shape_columns(shapes);
    const FileOffsets offsets = find_offsets(shapes, columns, file);
    anndata::RowWriter writer(file, path);
    linalg::Matrix<float> x;
    std::vector<std::uint8_t> state;
    for (const std::vector<Piece>& batch : make_batches(shapes, populations)) {
        draw_batch(shapes, batch, x, state);
        for (const Piece& piece : batch) {
            const ShapePopulation& population = shapes.populations[piece.population];
            const std::size_t row = population.first_row + piece.first;
            const std::size_t row_bytes = x.cols() * sizeof(float);
            writer.write(x.view().row(piece.place), piece.n * row_bytes, offsets.x + row * row_bytes);
            if (!shapes.law.states.empty()) writer.write(&state[piece.place], piece.n, offsets.state + row);
            anndata::write_row_names(writer, offsets.index, anndata::row_name_length(shapes.n_cells()), row,
                                     piece.n);
            for (std::size_t k = 0; k < columns.size(); ++k)
                anndata::write_codes(writer, offsets.columns[k],
                                     static_cast<std::int32_t>(columns[k].code(shapes, population)), row,
                                     piece.n);
        }
    }
    writer.sync();
}

}  // namespace popflow::simulate
