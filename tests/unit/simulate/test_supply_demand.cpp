// SPDX-License-Identifier: MIT
#include "simulate/supply_demand.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numbers>
#include <numeric>
#include <set>

#include "core/error.hpp"
#include "h5/dataframe.hpp"
#include "simulate/density_raster.hpp"
#include "support/file_bytes.hpp"
#include "support/temporary_folder.hpp"

namespace h5 = popflow::h5;
namespace simulate = popflow::simulate;
using popflow::linalg::Matrix;
using popflow::support::TemporaryFolder;
using simulate::DensityRaster;
using simulate::Locations;
using simulate::Side;
using simulate::SupplyDemandOptions;

namespace {

// Writes a raster with the given values, row by row.
template <class T>
std::string write_raster(const std::string& path, const std::vector<T>& values,
                         const std::vector<std::size_t>& shape,
                         const std::string& name = "population_density") {
    h5::AtomicFile file(path);
    file.root().write(name, std::span<const T>(values), shape);
    file.commit();
    return path;
}

std::vector<std::size_t> all_blocks(const SupplyDemandOptions& options, Side side) {
    std::vector<std::size_t> blocks(simulate::instance_blocks(options, side).size());
    std::iota(blocks.begin(), blocks.end(), std::size_t{0});
    return blocks;
}

std::string write_file(const SupplyDemandOptions& options, Side side, const std::string& path) {
    const auto file =
        simulate::create_supply_demand_file(options, side, simulate::draw_locations(options, side), path);
    simulate::write_instances(options, side, path, all_blocks(options, side));
    file->commit();
    return path;
}

std::string error_message(const std::function<void()>& work) {
    try {
        work();
    } catch (const popflow::core::UserError& error) {
        return error.what();
    }
    return "no error";
}

}  // namespace

TEST(DensityRaster, CentresOfCellsCoverTheSphere) {
    const TemporaryFolder folder;
    const DensityRaster raster =
        DensityRaster::open(write_raster<float>(folder.file("d.h5"), {1, 2, 3, 4, 5, 6, 7, 8}, {2, 4}));
    EXPECT_EQ(raster.rows(), 2U);
    EXPECT_EQ(raster.cols(), 4U);
    EXPECT_EQ(raster.latitude(0), 45);
    EXPECT_EQ(raster.latitude(1), -45);
    EXPECT_EQ(raster.longitude(0), -135);
    EXPECT_EQ(raster.longitude(3), 135);
    std::vector<double> row;
    raster.read_row(1, row);
    EXPECT_EQ(row, (std::vector<double>{5, 6, 7, 8}));
}

TEST(DensityRaster, CellsAreDrawnInProportionToTheirWeight) {
    const TemporaryFolder folder;
    const std::vector<int> density{0, 1, 0, 4, 0, 3, 2, 0, 0, 0, 0, 0};
    const DensityRaster raster = DensityRaster::open(write_raster(folder.file("d.h5"), density, {4, 3}));
    constexpr std::size_t n = 100000;
    for (const auto weight : {simulate::CellWeight::density, simulate::CellWeight::populated}) {
        std::vector<double> counts(density.size(), 0);
        for (const simulate::RasterCell& cell : simulate::draw_cells(raster, weight, 1, 2, n))
            counts[cell.row * 3 + cell.column] += 1;
        for (std::size_t i = 0; i < density.size(); ++i) {
            const double share =
                weight == simulate::CellWeight::density ? density[i] / 10.0 : (density[i] > 0 ? 0.25 : 0);
            // Five standard errors of a binomial share. A cell without density is never drawn.
            EXPECT_NEAR(counts[i] / n, share, 5 * std::sqrt(share * (1 - share) / n)) << i;
        }
    }
}

TEST(DensityRaster, SyntheticRasterHasContinentsAndEmptyOceans) {
    for (const std::uint64_t seed : {0U, 1U, 2U}) {
        const DensityRaster raster = DensityRaster::synthetic(seed);
        std::vector<double> row;
        double land = 0;
        double area = 0;
        double people = 0;
        double most = 0;
        for (std::size_t r = 0; r < raster.rows(); ++r) {
            raster.read_row(r, row);
            const double cell = std::cos(raster.latitude(r) * std::numbers::pi / 180);
            for (const double density : row) {
                ASSERT_GE(density, 0);
                area += cell;
                if (density > 0) land += cell;
                people += density;
                most = std::max(most, density);
            }
        }
        EXPECT_NEAR(land / area, 0.29, 0.001);
        // Cities are far denser than the mean over land, as on Earth.
        EXPECT_GT(most, 30 * people / (0.29 * static_cast<double>(raster.rows() * raster.cols())));
    }
    std::vector<double> one;
    std::vector<double> other;
    DensityRaster::synthetic(1).read_row(150, one);
    DensityRaster::synthetic(2).read_row(150, other);
    EXPECT_NE(one, other);
}

TEST(DensityRaster, ReportsWhatIsWrongWithAFile) {
    const TemporaryFolder folder;
    const std::string path = folder.file("d.h5");
    const auto error = [&](const std::string& file) {
        return error_message([&] { simulate::draw_locations({.density = file}, Side::demand); });
    };
    EXPECT_NE(error(folder.file("none.h5")).find("No such file"), std::string::npos);
    EXPECT_EQ(
        error(write_raster<float>(path, {1, 2}, {1, 2}, "population")),
        path +
            ": population_density: is missing, found population. Give a file with a dataset of this name, "
            "[rows, columns] from north to south and from west to east, or --density synthetic");
    EXPECT_EQ(error(write_raster<float>(path, {1, 2}, {2})),
              path + ": population_density: found shape [2], allowed [rows, columns] of 1 or more");
    EXPECT_EQ(
        error(write_raster<float>(path, {1, 2, 3, -9999}, {2, 2})),
        path +
            ": population_density: found -9999 in row 1, column 1. Give finite values of 0 or more, and 0 "
            "for cells without data");
    EXPECT_EQ(
        error(write_raster<double>(path, {1, std::nan(""), 3, 4}, {2, 2})),
        path +
            ": population_density: found nan in row 0, column 1. Give finite values of 0 or more, and 0 "
            "for cells without data");
    EXPECT_EQ(error(write_raster<float>(path, {0, 0}, {1, 2})),
              path + ": population_density: found no cell with a value above 0");
    EXPECT_EQ(error(write_raster<double>(path, {1e308, 1e308}, {1, 2})),
              path + ": population_density: the sum of all values is not finite");
    {
        h5::AtomicFile file(path);
        file.root().write_strings("population_density", std::vector<std::string>{"a", "b"});
        file.commit();
    }
    EXPECT_EQ(error(path), path + ": population_density: found string, allowed numbers");
}

TEST(SupplyDemand, LocationsAreUnitVectorsOfTheirCells) {
    const TemporaryFolder folder;
    // All people live at 45 degrees south, 90 degrees east.
    const std::string file = write_raster<float>(folder.file("d.h5"), {0, 0, 0, 7}, {2, 2});
    for (const Side side : {Side::supply, Side::demand}) {
        const Locations locations =
            simulate::draw_locations({.supply = 5, .demand = 9, .density = file}, side);
        ASSERT_EQ(locations.size(), side == Side::supply ? 5U : 9U);
        ASSERT_EQ(locations.position.rows(), locations.size());
        for (std::size_t i = 0; i < locations.size(); ++i) {
            EXPECT_EQ(locations.latitude[i], -45);
            EXPECT_EQ(locations.longitude[i], 90);
            EXPECT_NEAR(locations.position(i, 0), 0, 1e-15);
            EXPECT_NEAR(locations.position(i, 1), std::sqrt(0.5), 1e-15);
            EXPECT_NEAR(locations.position(i, 2), -std::sqrt(0.5), 1e-15);
        }
    }
}

TEST(SupplyDemand, LocationsDependOnTheSeedAndTheSide) {
    const SupplyDemandOptions options{.seed = 4, .supply = 500, .demand = 500};
    const Locations supply = simulate::draw_locations(options, Side::supply);
    const Locations demand = simulate::draw_locations(options, Side::demand);
    EXPECT_EQ(supply.latitude, simulate::draw_locations(options, Side::supply).latitude);
    EXPECT_NE(supply.latitude, demand.latitude);
    EXPECT_NE(supply.latitude,
              simulate::draw_locations({.seed = 5, .supply = 500, .demand = 500}, Side::supply).latitude);
    for (std::size_t i = 0; i < 500; ++i) {
        double square = 0;
        for (std::size_t j = 0; j < 3; ++j) square += std::pow(demand.position(i, j), 2);
        EXPECT_NEAR(square, 1, 1e-14);
    }
    // Demand is concentrated in cities, supply is not.
    const auto distinct = [](const Locations& l) {
        std::set<std::pair<double, double>> found;
        for (std::size_t i = 0; i < l.size(); ++i) found.insert({l.latitude[i], l.longitude[i]});
        return found.size();
    };
    EXPECT_GT(distinct(supply), 490U);
    EXPECT_LT(distinct(demand), distinct(supply));
}

TEST(SupplyDemand, WeightsHaveTheLawOfTheInstances) {
    const SupplyDemandOptions options{.instances = 200, .supply = 100, .demand = 400};
    double lit = 0;
    double largest = 0;
    std::vector<double> supply(100);
    std::vector<double> demand(400);
    for (std::size_t i = 0; i < options.instances; ++i) {
        simulate::draw_weights(options, Side::supply, i, supply);
        simulate::draw_weights(options, Side::demand, i, demand);
        for (const auto* weights : {&supply, &demand}) {
            EXPECT_NEAR(std::accumulate(weights->begin(), weights->end(), 0.0), 1, 1e-12);
            EXPECT_GE(std::ranges::min(*weights), 0);
        }
        lit += static_cast<double>(std::ranges::count_if(supply, [](double w) { return w > 0; })) / 100;
        // The largest of 400 uniform numbers is near 1, their mean 1/2.
        largest += 400 * std::ranges::max(demand) / 200;
        EXPECT_EQ(std::ranges::count(demand, 0.0), 0);
    }
    // Five standard errors of 20,000 Bernoulli numbers.
    EXPECT_NEAR(lit / 200, 0.5, 5 * 0.5 / std::sqrt(20000.0));
    EXPECT_NEAR(largest, 2, 0.02);
}

TEST(SupplyDemand, NoInstanceIsWithoutMass) {
    // Half of the draws of a single supply location are empty. They are drawn again.
    const SupplyDemandOptions options{.instances = 1000, .supply = 1, .demand = 1};
    for (std::size_t i = 0; i < options.instances; ++i) {
        double weight = 0;
        simulate::draw_weights(options, Side::supply, i, {&weight, 1});
        EXPECT_EQ(weight, 1);
    }
}

TEST(SupplyDemand, PartsAreConsecutive) {
    const auto summary = [](const SupplyDemandOptions& options) {
        std::string order;
        std::map<std::string, std::size_t> counts;
        for (std::size_t i = 0; i < options.instances; ++i) {
            const std::string part = simulate::instance_part(options, i);
            if (order.empty() || !order.ends_with(part)) order += (order.empty() ? "" : " ") + part;
            ++counts[part];
        }
        for (const auto& [part, n] : counts) order += " " + std::to_string(n);
        return order;
    };
    EXPECT_EQ(summary({}), "train validation test 100 800 100");
    EXPECT_EQ(summary({.instances = 8, .validation_fraction = 0, .test_fraction = 0.25}), "train test 2 6");
    EXPECT_EQ(summary({.instances = 3, .validation_fraction = 0, .test_fraction = 1}), "test 3");
    EXPECT_EQ(summary({.instances = 1}), "train 1");
}

TEST(SupplyDemandFile, HoldsInstancesAndLocations) {
    const TemporaryFolder folder;
    const SupplyDemandOptions options{.seed = 2, .instances = 12, .supply = 7, .demand = 40};
    const std::string path = write_file(options, Side::supply, folder.file("s.h5ad"));
    const h5::Group root = h5::open_file(path);
    const h5::Dataset x = root.open_dataset("X");
    EXPECT_EQ(x.type().text(), "float64");
    ASSERT_EQ(x.shape(), (std::vector<std::size_t>{12, 7}));
    const std::vector<double> values = x.read<double>();
    std::vector<double> weights(7);
    for (std::size_t i = 0; i < 12; ++i) {
        simulate::draw_weights(options, Side::supply, i, weights);
        EXPECT_TRUE(std::equal(weights.begin(), weights.end(), values.begin() + static_cast<long>(7 * i)));
    }
    const h5::DataFrame obs = h5::read_dataframe(root, "obs");
    EXPECT_EQ(obs.row_names()[11], "instance_11");
    EXPECT_EQ(obs.strings("instance"), obs.row_names());
    EXPECT_EQ(obs.strings("split")[0], "train");
    EXPECT_EQ(obs.strings("split")[10], "validation");
    EXPECT_EQ(obs.strings("split")[11], "test");
    const Locations locations = simulate::draw_locations(options, Side::supply);
    const h5::DataFrame var = h5::read_dataframe(root, "var");
    EXPECT_EQ(var.row_names()[6], "supply_6");
    EXPECT_EQ(var.doubles("latitude"), locations.latitude);
    EXPECT_EQ(var.doubles("longitude"), locations.longitude);
    EXPECT_TRUE(
        std::ranges::equal(root.open_dataset("varm/position").read<double>(), locations.position.values()));
}

TEST(SupplyDemandFile, HasTheSameBytesInAnyWriteOrder) {
    const TemporaryFolder folder;
    // A block has 13 instances of 10,000 locations.
    const SupplyDemandOptions options{.instances = 40};
    ASSERT_EQ(simulate::instance_blocks(options, Side::demand), (std::vector<std::size_t>{13, 13, 13, 1}));
    const std::string expected =
        popflow::support::file_bytes(write_file(options, Side::demand, folder.file("one.h5ad")));
    const std::string path = folder.file("many.h5ad");
    const auto file = simulate::create_supply_demand_file(
        options, Side::demand, simulate::draw_locations(options, Side::demand), path);
    for (const std::size_t block : {3U, 1U, 0U, 2U})
        simulate::write_instances(options, Side::demand, path, std::vector<std::size_t>{block});
    file->commit();
    EXPECT_TRUE(expected == popflow::support::file_bytes(path));
}

TEST(SupplyDemand, ReportsInvalidOptions) {
    const auto error = [](const SupplyDemandOptions& options) {
        return error_message([&] { simulate::check(options); });
    };
    EXPECT_EQ(error({.instances = 0}), "instances: found '0'. Give 1 or more");
    EXPECT_EQ(error({.supply = 0}), "supply: found '0'. Give 1 or more");
    EXPECT_EQ(error({.demand = 0}), "demand: found '0'. Give 1 or more");
    EXPECT_EQ(
        error({.validation_fraction = 0.6, .test_fraction = 0.6}),
        "test-fraction: found 0.6 with --validation-fraction 0.6, but both add up to more than 1. Choose "
        "smaller fractions");
}
