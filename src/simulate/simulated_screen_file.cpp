// SPDX-License-Identifier: MIT
#include "simulate/simulated_screen_file.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>

#include "anndata/anndata_write.hpp"
#include "anndata/row_writer.hpp"
#include "core/stored_file.hpp"
#include "core/version.hpp"
#include "h5/dataframe.hpp"
#include "simulate/simulated_cells.hpp"
#include "simulate/simulated_response.hpp"
#include "simulate/simulated_screen.hpp"

namespace popflow::simulate {

namespace {

// A column of obs that has the same value for all cells of a population.
struct SimulatedColumn {
    const char* name;
    std::string screen::Population::*value;
};

constexpr std::array<SimulatedColumn, 6> simulated_columns{
    {{"patient", &screen::Population::patient},
     {"culture", &screen::Population::culture},
     {"treatment", &screen::Population::treatment},
     {"concentration", &screen::Population::concentration},
     {"replicate", &screen::Population::replicate},
     {"plate", &screen::Population::plate}}};

// Returns the sorted distinct values of a column. The code of a cell is the position of its value.
std::vector<std::string> simulated_categories(const SimulatedScreen& screen, const SimulatedColumn& column) {
    std::set<std::string> found;
    for (const screen::Population& p : screen.populations) found.insert(p.*column.value);
    return {found.begin(), found.end()};
}

void create_obs(h5::Group& root, const SimulatedScreen& screen) {
    h5::Group obs = root.create_group("obs");
    h5::write_encoding(obs, "dataframe", "0.2.0");
    std::vector<std::string> order;
    for (const SimulatedColumn& column : simulated_columns) {
        order.emplace_back(column.name);
        anndata::create_categorical(obs, column.name, simulated_categories(screen, column), screen.n_cells());
    }
    order.emplace_back("cell_type");
    anndata::create_categorical(obs, "cell_type", screen.cell_types, screen.n_cells());
    obs.write_attribute("column-order", order);
    obs.write_attribute("_index", "_index");
    anndata::create_row_names(obs, screen.n_cells());
}

h5::DataFrame compositions(const SimulatedScreen& screen) {
    constexpr std::array<std::pair<const char*, double Composition::*>, 10> traits{
        {{"fibroblasts", &Composition::fibroblasts},
         {"activation", &Composition::activation},
         {"proliferating", &Composition::proliferating},
         {"stem", &Composition::stem},
         {"secretory", &Composition::secretory},
         {"apoptotic", &Composition::apoptotic},
         {"mapk", &Composition::mapk},
         {"pi3k", &Composition::pi3k},
         {"damage", &Composition::damage},
         {"correlation", &Composition::correlation}}};
    std::array<h5::DataFrame::Strings, simulated_columns.size()> labels;
    std::array<h5::DataFrame::Doubles, traits.size()> values;
    for (const screen::Population& p : screen.populations) {
        if (!p.control) continue;
        for (std::size_t k = 0; k < labels.size(); ++k) labels[k].push_back(p.*simulated_columns[k].value);
        const Composition c = control_composition(screen.options.seed, p, screen.options.response);
        for (std::size_t k = 0; k < traits.size(); ++k) values[k].push_back(c.*traits[k].second);
    }
    h5::DataFrame table;
    for (std::size_t k = 0; k < labels.size(); ++k) {
        const std::string name = simulated_columns[k].name;
        if (name != "treatment" && name != "concentration") table.add_categorical(name, labels[k]);
    }
    const bool has_correlation = screen.options.response == ResponseKind::correlation;
    for (std::size_t k = 0; k < traits.size(); ++k) {
        if (traits[k].second != &Composition::correlation || has_correlation)
            table.add(traits[k].first, values[k]);
    }
    return table;
}

void write_uns(h5::Group& root, const SimulatedScreen& screen) {
    const SimulatedScreenOptions& o = screen.options;
    h5::Group uns = root.create_group("uns");
    h5::write_encoding(uns, "dict", "0.1.0");
    h5::Group simulation = uns.create_group("simulation");
    h5::write_encoding(simulation, "dict", "0.1.0");
    anndata::write_string(simulation, "version", std::string("popflow ") + core::version());
    anndata::write_scalar<std::uint64_t>(simulation, "seed", o.seed);
    anndata::write_scalar<std::uint64_t>(simulation, "patients", o.patients);
    anndata::write_scalar<std::uint64_t>(simulation, "replicates", o.replicates);
    anndata::write_scalar<std::uint64_t>(simulation, "doses", o.doses);
    anndata::write_scalar<std::uint64_t>(simulation, "min_cells", o.min_cells);
    anndata::write_scalar<std::uint64_t>(simulation, "max_cells", o.max_cells);
    anndata::write_scalar<std::uint64_t>(simulation, "pairs", screen.pairs);
    anndata::write_scalar<double>(simulation, "failed_wells", o.failed_wells);
    anndata::write_string(simulation, "response",
                          o.response == ResponseKind::composition ? "composition" : "correlation");
    anndata::write_strings(simulation, "cultures", o.cultures);
    anndata::write_strings(simulation, "treatments", o.treatments);
    h5::write_dataframe(simulation, "composition", compositions(screen));
}

void create_contents(h5::Group root, const SimulatedScreen& screen) {
    h5::write_encoding(root, "anndata", "0.1.0");
    const std::vector<std::size_t> shape{screen.n_cells(), screen.markers.size()};
    const std::size_t chunk_rows = screen.options.chunk_rows;
    h5::Dataset x = chunk_rows == 0
                        ? root.create_contiguous("X", h5::Element::float32, shape)
                        : root.create_allocated_chunks("X", h5::Element::float32, shape, chunk_rows);
    h5::write_encoding(x, "array", "0.2.0");
    create_obs(root, screen);
    h5::DataFrame var;
    var.set_row_names(screen.markers);
    h5::write_dataframe(root, "var", var);
    write_uns(root, screen);
    anndata::write_empty_groups(root);
}

// Locations in the file that is being written.
struct FileOffsets {
    anndata::RowChunks x;
    std::uint64_t index = 0;
    std::uint64_t cell_type = 0;
    std::array<anndata::CodeColumn, simulated_columns.size()> columns;
};

// Looks up the offsets. Keeps the file open in HDF5 only during this call, because HDF5 does not support
// concurrent access by several processes.
FileOffsets find_offsets(const std::string& file) {
    const h5::Group root = h5::open_file(file);
    FileOffsets offsets;
    offsets.x = anndata::find_chunks(root.open_dataset("X"));
    offsets.index = root.open_dataset("obs/_index").file_offset();
    offsets.cell_type = root.open_dataset("obs/cell_type/codes").file_offset();
    for (std::size_t k = 0; k < simulated_columns.size(); ++k) {
        offsets.columns[k] = anndata::find_codes(root, simulated_columns[k].name);
    }
    return offsets;
}

}  // namespace

std::unique_ptr<h5::AtomicFile> create_simulated_screen_file(const SimulatedScreen& screen,
                                                             const std::string& path) {
    auto file = std::make_unique<h5::AtomicFile>(path);
    create_contents(file->root(), screen);
    file->close();
    return file;
}

void write_simulated_populations(const SimulatedScreen& screen, const std::string& path,
                                 std::span<const std::size_t> populations) {
    constexpr std::size_t block = 16384;  // number of cells, about 3 MB
    const std::string file = core::temporary_name(path);
    const FileOffsets offsets = find_offsets(file);
    anndata::RowWriter writer(file, path);
    linalg::Matrix<float> x;
    std::vector<std::uint8_t> cell_type;
    for (const std::size_t p : populations) {
        const screen::Population& population = screen.populations.at(p);
        for (std::size_t first = 0; first < population.n_cells; first += block) {
            const std::size_t n = std::min(block, population.n_cells - first);
            const std::size_t row = screen.first_row[p] + first;
            x.reshape(n, screen.markers.size());
            cell_type.resize(n);
            simulate_cells(screen, p, first, x, cell_type);
            anndata::write_matrix_rows(writer, offsets.x, x, row);
            writer.write(cell_type.data(), n, offsets.cell_type + row);
            anndata::write_row_names(writer, offsets.index, anndata::row_name_length(screen.n_cells()), row,
                                     n);
            for (std::size_t k = 0; k < simulated_columns.size(); ++k) {
                anndata::write_codes(writer, offsets.columns[k], population.*simulated_columns[k].value, row,
                                     n);
            }
        }
    }
    writer.sync();
}

}  // namespace popflow::simulate
