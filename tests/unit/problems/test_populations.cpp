// SPDX-License-Identifier: MIT
#include "problems/populations.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "core/error.hpp"
#include "support/screen_file.hpp"
#include "support/temporary_folder.hpp"

using popflow::problems::find_prototypes;
using popflow::problems::PopulationOptions;
using popflow::problems::Populations;
using popflow::problems::Prototypes;
using popflow::problems::read_populations;
using popflow::support::ScreenFile;
using popflow::support::TemporaryFolder;

namespace {

PopulationOptions options(std::vector<std::string> columns) {
    PopulationOptions result;
    result.columns = std::move(columns);
    result.screen.min_cells = 2;
    result.screen.transform.kind = popflow::screen::Transform::Kind::none;
    return result;
}

std::string screen(const TemporaryFolder& folder) {
    ScreenFile file;
    file.add(3, {.patient = "P1", .treatment = "DMSO", .concentration = "0"});
    file.add(4, {.patient = "P1", .treatment = "O", .concentration = "1"});
    file.add(5, {.patient = "P2", .treatment = "O", .concentration = "2"});
    file.add(1, {.patient = "P2", .treatment = "S", .concentration = "2"});
    std::string path = folder.file("screen.h5ad");
    file.write(path);
    return path;
}

// Populations of the given cells, one marker.
Populations cells(const std::vector<std::vector<float>>& values) {
    Populations populations;
    populations.markers = {"m"};
    for (const auto& x : values) {
        populations.cells.emplace_back(x.size(), 1);
        std::ranges::copy(x, populations.cells.back().values().begin());
    }
    return populations;
}

}  // namespace

TEST(Populations, AreTheRowsWithTheSameLabels) {
    const TemporaryFolder folder;
    const Populations found = read_populations(screen(folder), options({"patient", "treatment"}));
    EXPECT_EQ(found.names, (std::vector<std::string>{"P1 / DMSO", "P1 / O", "P2 / O"}));
    EXPECT_EQ(found.values[2], (std::vector<std::string>{"P2", "O"}));
    EXPECT_EQ(found.n_cells, (std::vector<std::size_t>{3, 4, 5}));
    EXPECT_EQ(found.cells[1](0, 0), 3);  // row 3 of the file
    EXPECT_EQ(found.cells[1](0, 1), 103);
    EXPECT_FALSE(found.notes.empty());  // about the population with one cell
    EXPECT_EQ(read_populations(screen(folder), options({"patient"})).n_cells,
              (std::vector<std::size_t>{7, 6}));
}

TEST(Populations, DrawAtMostTheWantedCells) {
    const TemporaryFolder folder;
    PopulationOptions few = options({"patient"});
    few.max_cells = 4;
    const Populations drawn = read_populations(screen(folder), few);
    EXPECT_EQ(drawn.cells[0].rows(), 4U);
    std::set<float> rows(drawn.cells[0].values().begin(), drawn.cells[0].values().end());
    EXPECT_EQ(rows.size(), 8U);
    few.draws_randomly = false;
    EXPECT_EQ(read_populations(screen(folder), few).cells[0](3, 0), 3);
}

TEST(Prototypes, AreTheCentresOfClusters) {
    const Populations populations = cells({{0, 0.5F, 10}, {0.25F, 10.5F, 20, 20.5F}});
    const Prototypes found = find_prototypes(populations, 3, 0);
    std::vector<double> centres(found.positions.values().begin(), found.positions.values().end());
    std::ranges::sort(centres);
    EXPECT_EQ(centres, (std::vector<double>{0.25, 10.25, 20.25}));
    ASSERT_EQ(found.histograms.size(), 2U);
    EXPECT_EQ(found.histograms[0].atoms.size(), 2U);
    EXPECT_EQ(found.histograms[1].atoms.size(), 3U);
}

TEST(Prototypes, NeedAsManyDifferentCells) {
    EXPECT_THROW(find_prototypes(cells({{1, 1, 1}, {2, 2}}), 3, 0), popflow::core::ConfigError);
    const Prototypes found = find_prototypes(cells({{1, 1, 1}, {2, 2}}), 2, 0);
    EXPECT_EQ(found.histograms[0].weights, std::vector<double>{1});
}
