// SPDX-License-Identifier: MIT
#include "data/simulated_screen_file.hpp"

#include <array>

#include "core/version.hpp"
#include "data/anndata_write.hpp"
#include "data/simulated_response.hpp"
#include "data/simulated_screen_columns.hpp"
#include "h5/dataframe.hpp"

namespace popflow::data {

namespace {

void create_obs(h5::Group& root, const SimulatedScreen& screen) {
    h5::Group obs = root.create_group("obs");
    h5::write_encoding(obs, "dataframe", "0.2.0");
    std::vector<std::string> order;
    for (const SimulatedColumn& column : simulated_columns) {
        order.emplace_back(column.name);
        create_categorical(obs, column.name, simulated_categories(screen, column), screen.n_cells());
    }
    order.emplace_back("cell_type");
    create_categorical(obs, "cell_type", screen.cell_types, screen.n_cells());
    obs.write_attribute("column-order", order);
    obs.write_attribute("_index", "_index");
    create_row_names(obs, screen.n_cells());
}

h5::DataFrame compositions(const SimulatedScreen& screen) {
    constexpr std::array<std::pair<const char*, double Composition::*>, 9> traits{
        {{"fibroblasts", &Composition::fibroblasts},
         {"activation", &Composition::activation},
         {"proliferating", &Composition::proliferating},
         {"stem", &Composition::stem},
         {"secretory", &Composition::secretory},
         {"apoptotic", &Composition::apoptotic},
         {"mapk", &Composition::mapk},
         {"pi3k", &Composition::pi3k},
         {"damage", &Composition::damage}}};
    std::array<h5::DataFrame::Strings, simulated_columns.size()> labels;
    std::array<h5::DataFrame::Doubles, traits.size()> values;
    for (const Population& p : screen.populations) {
        if (!p.control) continue;
        for (std::size_t k = 0; k < labels.size(); ++k) labels[k].push_back(p.*simulated_columns[k].value);
        const Composition c = control_composition(screen.options.seed, p);
        for (std::size_t k = 0; k < traits.size(); ++k) values[k].push_back(c.*traits[k].second);
    }
    h5::DataFrame table;
    for (std::size_t k = 0; k < labels.size(); ++k) {
        const std::string name = simulated_columns[k].name;
        if (name != "treatment" && name != "concentration") table.add_categorical(name, labels[k]);
    }
    for (std::size_t k = 0; k < traits.size(); ++k) table.add(traits[k].first, values[k]);
    return table;
}

void write_uns(h5::Group& root, const SimulatedScreen& screen) {
    const SimulatedScreenOptions& o = screen.options;
    h5::Group uns = root.create_group("uns");
    h5::write_encoding(uns, "dict", "0.1.0");
    h5::Group simulation = uns.create_group("simulation");
    h5::write_encoding(simulation, "dict", "0.1.0");
    write_string(simulation, "version", std::string("popflow ") + core::version());
    write_scalar<std::uint64_t>(simulation, "seed", o.seed);
    write_scalar<std::uint64_t>(simulation, "patients", o.patients);
    write_scalar<std::uint64_t>(simulation, "replicates", o.replicates);
    write_scalar<std::uint64_t>(simulation, "doses", o.doses);
    write_scalar<std::uint64_t>(simulation, "min_cells", o.min_cells);
    write_scalar<std::uint64_t>(simulation, "max_cells", o.max_cells);
    write_scalar<std::uint64_t>(simulation, "pairs", screen.pairs);
    write_scalar<double>(simulation, "failed_wells", o.failed_wells);
    write_strings(simulation, "cultures", o.cultures);
    write_strings(simulation, "treatments", o.treatments);
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
    var.name_rows(screen.markers);
    h5::write_dataframe(root, "var", var);
    write_uns(root, screen);
    write_empty_groups(root);
}

}  // namespace

std::unique_ptr<h5::AtomicFile> create_simulated_screen_file(const SimulatedScreen& screen,
                                                             const std::string& path) {
    auto file = std::make_unique<h5::AtomicFile>(path);
    create_contents(file->root(), screen);
    file->close();
    return file;
}

}  // namespace popflow::data
