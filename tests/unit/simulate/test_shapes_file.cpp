// SPDX-License-Identifier: MIT
#include "simulate/shapes_file.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/error.hpp"
#include "h5/dataframe.hpp"
#include "screen/screen.hpp"
#include "screen/splits.hpp"
#include "support/file_bytes.hpp"
#include "support/temporary_folder.hpp"

namespace h5 = popflow::h5;
namespace screen = popflow::screen;
namespace simulate = popflow::simulate;
using popflow::support::TemporaryFolder;
using simulate::plan_shapes;
using simulate::ShapePopulation;
using simulate::Shapes;

namespace {

Shapes small(const std::string& family) {
    return plan_shapes({.seed = 2,
                        .family = family,
                        .populations = 5,
                        .test_populations = 2,
                        .treatments = 2,
                        .min_cells = 10,
                        .max_cells = 40});
}

std::string write_file(const Shapes& shapes, const std::string& path) {
    const auto file = simulate::create_shapes_file(shapes, path);
    std::vector<std::size_t> all(shapes.populations.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    simulate::write_shapes(shapes, path, all);
    file->commit();
    return path;
}

screen::ScreenOptions screen_options(const std::vector<std::string>& pair_by) {
    screen::ScreenOptions options;
    options.pair_by = pair_by;
    options.min_cells = 1;
    options.transform = screen::Transform::parse("none");
    options.split_column = "split";
    return options;
}

}  // namespace

TEST(ShapesFile, HoldsCellsLabelsAndParameters) {
    const TemporaryFolder folder;
    for (const simulate::ShapeFamily& family : simulate::shape_families()) {
        const Shapes shapes = small(family.name);
        const h5::Group root = h5::open_file(write_file(shapes, folder.file(family.name)));
        const std::size_t d = shapes.law.markers.size();
        ASSERT_EQ(root.open_dataset("X").shape(), (std::vector<std::size_t>{shapes.n_cells(), d}));
        const std::vector<float> x = root.open_dataset("X").read<float>();
        const h5::DataFrame obs = h5::read_dataframe(root, "obs");
        const h5::DataFrame table = h5::read_dataframe(root, "uns/simulation/parameters");
        EXPECT_EQ(h5::read_dataframe(root, "var").row_names(), shapes.law.markers);
        ASSERT_EQ(table.rows(), shapes.populations.size());
        EXPECT_EQ(obs.contains("true_pair"), shapes.law.is_paired);
        EXPECT_EQ(obs.contains("state"), !shapes.law.states.empty());
        for (std::size_t p = 0; p < shapes.populations.size(); ++p) {
            const ShapePopulation& population = shapes.populations[p];
            popflow::linalg::Matrix<float> expected(population.n_cells, d);
            std::vector<std::uint8_t> state(population.n_cells);
            simulate::draw_shape_cells(shapes, p, 0, expected, state);
            const std::size_t row = population.first_row;
            EXPECT_TRUE(std::equal(expected.values().begin(), expected.values().end(), x.begin() + row * d));
            for (std::size_t i = 0; i < population.n_cells; ++i) {
                ASSERT_EQ(obs.strings("population")[row + i], population.name);
                ASSERT_EQ(obs.strings("treatment")[row + i],
                          shapes.law.treatments[population.index.treatment]);
                ASSERT_EQ(obs.strings("split")[row + i], population.index.test ? "test" : "train");
                if (shapes.law.is_paired) {
                    ASSERT_EQ(obs.strings("true_pair")[row + i], population.pair);
                }
                if (!shapes.law.states.empty()) {
                    ASSERT_EQ(obs.strings("state")[row + i], shapes.law.states[state[i]]);
                }
            }
            EXPECT_EQ(table.row_names()[p], population.name);
            EXPECT_EQ(table.ints("cells")[p], static_cast<std::int64_t>(population.n_cells));
            for (std::size_t k = 0; k < shapes.law.parameters.size(); ++k)
                EXPECT_EQ(table.doubles(shapes.law.parameters[k])[p], population.parameters[k]);
        }
        for (const simulate::LawArray& array : shapes.law.arrays) {
            const h5::Dataset stored = root.open_dataset("uns/simulation/" + array.name);
            EXPECT_EQ(stored.shape(), array.shape);
            EXPECT_EQ(stored.read<double>(), array.values);
        }
    }
}

TEST(ShapesFile, HasTheSameBytesInAnyWriteOrder) {
    const TemporaryFolder folder;
    for (const char* family : {"superquadrics", "unpaired"}) {
        const Shapes shapes = small(family);
        const std::string expected =
            popflow::support::file_bytes(write_file(shapes, folder.file("one.h5ad")));
        const std::string path = folder.file("many.h5ad");
        const auto file = simulate::create_shapes_file(shapes, path);
        for (std::size_t p = shapes.populations.size(); p-- > 0;)
            simulate::write_shapes(shapes, path, std::span(&p, 1));
        file->commit();
        EXPECT_TRUE(expected == popflow::support::file_bytes(path)) << family;
    }
}

TEST(ShapesFile, HoldsPopulationsLargerThanABlock) {
    const TemporaryFolder folder;
    const Shapes shapes = plan_shapes({.family = "mixtures",
                                       .populations = 2,
                                       .test_populations = 1,
                                       .min_cells = 10,
                                       .max_cells = 40000,
                                       .markers = 2});
    const h5::Group root = h5::open_file(write_file(shapes, folder.file("m.h5ad")));
    const std::vector<float> x = root.open_dataset("X").read<float>();
    const auto states = root.open_dataset("obs/state/codes").read<std::uint8_t>();
    std::size_t large = 0;
    for (std::size_t p = 0; p < shapes.populations.size(); ++p) {
        const ShapePopulation& population = shapes.populations[p];
        large += population.n_cells > 16384 ? 1 : 0;
        popflow::linalg::Matrix<float> expected(population.n_cells, 2);
        std::vector<std::uint8_t> state(population.n_cells);
        simulate::draw_shape_cells(shapes, p, 0, expected, state);
        const std::size_t row = population.first_row;
        EXPECT_TRUE(std::equal(expected.values().begin(), expected.values().end(), x.begin() + row * 2));
        EXPECT_TRUE(std::equal(state.begin(), state.end(), states.begin() + row));
    }
    EXPECT_GE(large, 2U);
}

TEST(ShapesFile, PairsAreHiddenUnlessTheirColumnIsNamed) {
    const TemporaryFolder folder;
    const Shapes shapes = small("unpaired");
    const std::string path = write_file(shapes, folder.file("u.h5ad"));

    // No role reads true_pair or population, so all controls are one population, and each treatment another.
    const screen::Screen pooled = screen::open_screen(path, screen_options(screen::ScreenOptions().pair_by));
    EXPECT_EQ(pooled.populations.size(), 3U);
    EXPECT_EQ(pooled.pairs.size(), 2U);

    const screen::Screen paired = screen::open_screen(path, screen_options({"true_pair"}));
    ASSERT_EQ(paired.pairs.size(), 14U);
    const screen::Split split = screen::make_split(paired, "letters", 0);
    EXPECT_EQ(split.pairs(screen::Part::train).size(), 10U);
    EXPECT_EQ(split.pairs(screen::Part::test).size(), 4U);
    for (const screen::PopulationPair& pair : paired.pairs) {
        const auto planned = [&](std::size_t population) {
            const std::size_t row = paired.populations[population].first_row;
            return *std::ranges::find(shapes.populations, row, &ShapePopulation::first_row);
        };
        EXPECT_EQ(planned(pair.control).pair, planned(pair.treated).pair);
        EXPECT_EQ(planned(pair.control).index.treatment, 0U);
        EXPECT_EQ(planned(pair.treated).n_cells, paired.populations[pair.treated].n_cells);
    }
}

TEST(ShapesFile, NeedsItsTemporaryFile) {
    const TemporaryFolder folder;
    EXPECT_THROW(simulate::write_shapes(small("rings"), folder.file("r.h5ad"), std::vector<std::size_t>{0}),
                 popflow::core::DataError);
}
