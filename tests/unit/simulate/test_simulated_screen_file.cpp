// SPDX-License-Identifier: MIT
#include "simulate/simulated_cells.hpp"
#include "simulate/simulated_screen_file.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "core/error.hpp"
#include "h5/dataframe.hpp"
#include "support/file_bytes.hpp"
#include "support/temporary_folder.hpp"

namespace h5 = popflow::h5;
using popflow::screen::Population;
using popflow::simulate::create_simulated_screen_file;
using popflow::simulate::plan_simulated_screen;
using popflow::simulate::SimulatedScreen;
using popflow::simulate::write_simulated_populations;
using popflow::support::TemporaryFolder;

namespace {

SimulatedScreen small_screen() {
    return plan_simulated_screen({.seed = 2, .doses = 2, .min_cells = 20, .max_cells = 90, .pairs = 30});
}

std::vector<std::size_t> all_populations(const SimulatedScreen& screen) {
    std::vector<std::size_t> populations(screen.populations.size());
    std::iota(populations.begin(), populations.end(), std::size_t{0});
    return populations;
}

std::string write_file(const SimulatedScreen& screen, const std::string& path) {
    const auto file = create_simulated_screen_file(screen, path);
    write_simulated_populations(screen, path, all_populations(screen));
    file->commit();
    return path;
}

}  // namespace

TEST(SimulatedScreenFile, HoldsTheCellsOfEveryPopulationAtItsRows) {
    const TemporaryFolder folder;
    const SimulatedScreen screen = small_screen();

    const h5::Group root = h5::open_file(write_file(screen, folder.file("a.h5ad")));

    const h5::Dataset stored = root.open_dataset("X");
    ASSERT_EQ(stored.shape(), (std::vector<std::size_t>{screen.n_cells(), 43}));
    const std::vector<float> x = stored.read<float>();
    const auto cell_type = root.open_dataset("obs/cell_type/codes").read<std::uint8_t>();
    for (std::size_t p = 0; p < screen.populations.size(); ++p) {
        const std::size_t n = screen.populations[p].n_cells;
        popflow::linalg::Matrix<float> expected(n, 43);
        std::vector<std::uint8_t> expected_type(n);
        popflow::simulate::simulate_cells(screen, p, 0, expected, expected_type);
        const std::size_t row = screen.first_row[p];
        EXPECT_TRUE(std::equal(expected.values().begin(), expected.values().end(), x.begin() + row * 43));
        EXPECT_TRUE(std::equal(expected_type.begin(), expected_type.end(), cell_type.begin() + row));
    }
}

TEST(SimulatedScreenFile, LabelsEveryRow) {
    const TemporaryFolder folder;
    const SimulatedScreen screen = small_screen();

    const h5::Group root = h5::open_file(write_file(screen, folder.file("a.h5ad")));
    const h5::DataFrame obs = h5::read_dataframe(root, "obs");

    ASSERT_EQ(obs.rows(), screen.n_cells());
    EXPECT_EQ(obs.row_names().front(), "0");
    EXPECT_EQ(obs.row_names().back(), std::to_string(screen.n_cells() - 1));
    for (std::size_t p = 0; p < screen.populations.size(); ++p) {
        const Population& population = screen.populations[p];
        for (std::size_t row = screen.first_row[p]; row < screen.first_row[p + 1]; ++row) {
            ASSERT_EQ(obs.strings("patient")[row], population.patient);
            ASSERT_EQ(obs.strings("culture")[row], population.culture);
            ASSERT_EQ(obs.strings("treatment")[row], population.treatment);
            ASSERT_EQ(obs.strings("concentration")[row], population.concentration);
            ASSERT_EQ(obs.strings("replicate")[row], population.replicate);
            ASSERT_EQ(obs.strings("plate")[row], population.plate);
        }
    }
    const h5::DataFrame truth = h5::read_dataframe(root, "uns/simulation/composition");
    EXPECT_EQ(truth.rows(), screen.experiments);
}

TEST(SimulatedScreenFile, HasTheSameBytesInAnyWriteOrder) {
    const TemporaryFolder folder;
    const SimulatedScreen screen = small_screen();
    const std::string expected = popflow::support::file_bytes(write_file(screen, folder.file("one.h5ad")));

    const std::string path = folder.file("many.h5ad");
    const auto file = create_simulated_screen_file(screen, path);
    std::vector<std::size_t> reversed = all_populations(screen);
    std::reverse(reversed.begin(), reversed.end());
    for (std::size_t first = 0; first < reversed.size(); first += 7) {
        const std::size_t count = std::min<std::size_t>(7, reversed.size() - first);
        write_simulated_populations(screen, path, std::span(reversed).subspan(first, count));
    }
    file->commit();

    EXPECT_TRUE(expected == popflow::support::file_bytes(path));
}

TEST(SimulatedScreenFile, ChunkedAndContiguousFilesHoldTheSameValues) {
    const TemporaryFolder folder;
    SimulatedScreen screen = small_screen();
    const std::string contiguous = write_file(screen, folder.file("contiguous.h5ad"));
    for (const std::size_t chunk_rows : {std::size_t{1}, std::size_t{64}, std::size_t{1000000}}) {
        screen.options.chunk_rows = chunk_rows;
        const h5::Group root = h5::open_file(write_file(screen, folder.file("chunked.h5ad")));
        const h5::Dataset x = root.open_dataset("X");
        EXPECT_EQ(x.chunk_rows(), std::min(chunk_rows, screen.n_cells()));
        EXPECT_EQ(x.read<float>(), h5::open_file(contiguous).open_dataset("X").read<float>());
    }
}

TEST(SimulatedScreenFile, AppearsOnlyAfterCommitAndLeavesNothingWithoutIt) {
    const TemporaryFolder folder;
    const SimulatedScreen screen = small_screen();
    const std::string path = folder.file("a.h5ad");
    {
        const auto file = create_simulated_screen_file(screen, path);
        write_simulated_populations(screen, path, std::vector<std::size_t>{0});
        EXPECT_FALSE(std::filesystem::exists(path));
    }

    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    EXPECT_THROW(write_simulated_populations(screen, path, all_populations(screen)),
                 popflow::core::DataError);
}

TEST(SimulatedScreenFile, UsesWiderCodesForManyPatients) {
    const TemporaryFolder folder;
    const SimulatedScreen screen = plan_simulated_screen({.patients = 200,
                                                          .cultures = {"PDO"},
                                                          .treatments = {"O"},
                                                          .replicates = 1,
                                                          .doses = 1,
                                                          .min_cells = 5,
                                                          .max_cells = 5,
                                                          .failed_wells = 0});

    const h5::Group root = h5::open_file(write_file(screen, folder.file("a.h5ad")));

    EXPECT_EQ(root.open_dataset("obs/patient/codes").type().bytes, 2U);
    EXPECT_EQ(h5::read_dataframe(root, "obs").strings("patient").back(), screen.populations.back().patient);
}
