// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstdint>

#include "data/anndata_write.hpp"
#include "data/row_writer.hpp"
#include "data/simulated_screen_columns.hpp"
#include "data/simulated_screen_file.hpp"

namespace popflow::data {

namespace {

struct Places {
    RowChunks x;
    std::uint64_t index = 0;
    std::uint64_t cell_type = 0;
    std::array<CodeColumn, simulated_columns.size()> columns;
};

// The file is open for reading only as long as this takes: processes must not meet in HDF5.
Places find_places(const std::string& file) {
    const h5::Group root = h5::open_file(file);
    Places places;
    places.x = find_chunks(root.open_dataset("X"));
    places.index = root.open_dataset("obs/_index").file_offset();
    places.cell_type = root.open_dataset("obs/cell_type/codes").file_offset();
    for (std::size_t k = 0; k < simulated_columns.size(); ++k) {
        places.columns[k] = find_codes(root, simulated_columns[k].name);
    }
    return places;
}

}  // namespace

void write_simulated_populations(const SimulatedScreen& screen, const std::string& path,
                                 std::span<const std::size_t> populations) {
    constexpr std::size_t block = 16384;  // cells, about 3 MB
    const std::string file = path + ".tmp";
    const Places places = find_places(file);
    RowWriter writer(file, path);
    linalg::Matrix<float> x;
    std::vector<std::uint8_t> cell_type;
    for (const std::size_t p : populations) {
        const Population& population = screen.populations.at(p);
        for (std::size_t first = 0; first < population.n_cells; first += block) {
            const std::size_t n = std::min(block, population.n_cells - first);
            const std::size_t row = screen.first_row[p] + first;
            x.reshape(n, screen.markers.size());
            cell_type.resize(n);
            simulate_cells(screen, p, first, x, cell_type);
            write_matrix_rows(writer, places.x, x, row);
            writer.write(cell_type.data(), n, places.cell_type + row);
            write_row_names(writer, places.index, row_name_length(screen.n_cells()), row, n);
            for (std::size_t k = 0; k < simulated_columns.size(); ++k) {
                write_codes(writer, places.columns[k], population.*simulated_columns[k].value, row, n);
            }
        }
    }
    writer.sync();
}

}  // namespace popflow::data
