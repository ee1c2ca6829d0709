// SPDX-License-Identifier: MIT
#include "simulate/simulated_screen.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/error.hpp"

using popflow::core::ConfigError;
using popflow::screen::Population;
using popflow::simulate::plan_simulated_screen;
using popflow::simulate::SimulatedScreen;
using popflow::simulate::SimulatedScreenOptions;

namespace {

std::string label(const Population& p) {
    return p.patient + '/' + p.culture + '/' + p.plate + '/' + p.replicate + '/' + p.treatment + '/' +
           p.concentration;
}

std::set<std::string> values(const SimulatedScreen& screen, std::string Population::*column) {
    std::set<std::string> found;
    for (const Population& p : screen.populations) found.insert(p.*column);
    return found;
}

}  // namespace

TEST(SimulatedScreen, HasTheSizeOfThePublishedScreen) {
    const SimulatedScreen screen = plan_simulated_screen({});

    EXPECT_NEAR(static_cast<double>(screen.pairs), 930, 25);
    EXPECT_EQ(screen.markers.size(), 43U);
    EXPECT_EQ(std::set<std::string>(screen.markers.begin(), screen.markers.end()).size(), 43U);
    EXPECT_EQ(values(screen, &Population::patient),
              (std::set<std::string>{"5", "11", "21", "23", "27", "75", "99", "109", "141", "216"}));
    EXPECT_EQ(values(screen, &Population::treatment),
              (std::set<std::string>{"O", "S", "VS", "L", "V", "F", "C", "SF", "CS", "CF", "CSF", "DMSO",
                                     "AH", "H2O"}));
    EXPECT_EQ(values(screen, &Population::replicate), (std::set<std::string>{"A", "B", "C"}));
    EXPECT_EQ(values(screen, &Population::plate), (std::set<std::string>{"O", "SLV", "CSF"}));
}

TEST(SimulatedScreen, IsDeterministicForItsOptions) {
    const SimulatedScreen screen = plan_simulated_screen({.seed = 3});
    const SimulatedScreen same = plan_simulated_screen({.seed = 3});
    const SimulatedScreen other = plan_simulated_screen({.seed = 4});

    EXPECT_EQ(screen.first_row, same.first_row);
    EXPECT_NE(screen.first_row, other.first_row);
}

TEST(SimulatedScreen, SizesAreInRangeWithTheGeometricMeanAsMedian) {
    const SimulatedScreen screen = plan_simulated_screen({});

    std::vector<std::size_t> sizes;
    for (std::size_t p = 0; p < screen.populations.size(); ++p) {
        EXPECT_EQ(screen.first_row[p] + screen.populations[p].n_cells, screen.first_row[p + 1]);
        sizes.push_back(screen.populations[p].n_cells);
    }
    std::sort(sizes.begin(), sizes.end());

    EXPECT_GE(sizes.front(), 1000U);
    EXPECT_LE(sizes.back(), 30000U);
    EXPECT_NEAR(static_cast<double>(sizes[sizes.size() / 2]), 5477, 400);  // sqrt(1000 * 30000)
    EXPECT_LT(sizes.front(), 1300U);
    EXPECT_GT(sizes.back(), 23000U);
}

TEST(SimulatedScreen, EveryExperimentStartsWithTheControlOfItsPlate) {
    const SimulatedScreen screen = plan_simulated_screen({});
    const std::map<std::string, std::string> vehicle{{"O", "H2O"}, {"SLV", "DMSO"}, {"CSF", "AH"}};

    std::size_t experiment = 0;
    std::size_t highest = 0;
    for (std::size_t p = 0; p < screen.populations.size(); ++p) {
        const Population& population = screen.populations[p];
        const bool first = p == 0 || population.experiment != screen.populations[p - 1].experiment;
        if (first && p > 0) ++experiment;
        EXPECT_EQ(population.experiment, experiment);
        EXPECT_EQ(population.control, first);
        EXPECT_EQ(population.control, population.concentration == "0");
        EXPECT_EQ(population.control, population.treatment == vehicle.at(population.plate));
        highest += !population.control && population.concentration == "3" ? 1 : 0;
    }

    EXPECT_EQ(screen.experiments, experiment + 1);
    EXPECT_EQ(screen.pairs, highest);
}

TEST(SimulatedScreen, SingleDrugsHaveMoreDosesThanCombinations) {
    const SimulatedScreen screen = plan_simulated_screen({.doses = 4, .failed_wells = 0});

    std::map<std::string, std::set<std::string>> doses;
    for (const Population& p : screen.populations) doses[p.treatment].insert(p.concentration);

    EXPECT_EQ(doses["S"], (std::set<std::string>{"1", "2", "3", "4"}));
    EXPECT_EQ(doses["CSF"], (std::set<std::string>{"4"}));
    EXPECT_EQ(doses["DMSO"], (std::set<std::string>{"0"}));
    EXPECT_EQ(screen.pairs, 990U);
}

TEST(SimulatedScreen, HasTheRequestedNumberOfPairs) {
    for (const std::size_t pairs : {1U, 7U, 100U, 1500U}) {
        const SimulatedScreen screen = plan_simulated_screen({.doses = 1, .pairs = pairs});
        EXPECT_EQ(screen.pairs, pairs);
        EXPECT_EQ(screen.populations.size(), pairs + screen.experiments);
    }
    EXPECT_EQ(values(plan_simulated_screen({.pairs = 40}), &Population::patient).size(), 10U);
    EXPECT_TRUE(values(plan_simulated_screen({.pairs = 1500}), &Population::patient).contains("301"));
}

TEST(SimulatedScreen, APopulationDoesNotDependOnTheOtherRequestedOnes) {
    const SimulatedScreen all = plan_simulated_screen({});
    const SimulatedScreen some = plan_simulated_screen({.cultures = {"PDOF"}, .treatments = {"S", "CF"}});

    std::map<std::string, std::size_t> sizes;
    for (const Population& p : all.populations) sizes[label(p)] = p.n_cells;

    EXPECT_LT(some.populations.size(), all.populations.size());
    for (const Population& p : some.populations) EXPECT_EQ(sizes.at(label(p)), p.n_cells) << label(p);
}

TEST(SimulatedScreen, AddsCyclinB1OnRequest) {
    const SimulatedScreen screen = plan_simulated_screen({.cyclin_b1 = true});

    EXPECT_EQ(screen.markers.size(), 44U);
    EXPECT_EQ(screen.markers.back(), "Cyclin_B1");
}

TEST(SimulatedScreen, ThrowsForInvalidOptions) {
    EXPECT_THROW(plan_simulated_screen({.patients = 0}), ConfigError);
    EXPECT_THROW(plan_simulated_screen({.cultures = {"PDO", "X"}}), ConfigError);
    EXPECT_THROW(plan_simulated_screen({.treatments = {}}), ConfigError);
    EXPECT_THROW(plan_simulated_screen({.treatments = {"S", "S"}}), ConfigError);
    EXPECT_THROW(plan_simulated_screen({.replicates = 27}), ConfigError);
    EXPECT_THROW(plan_simulated_screen({.doses = 10}), ConfigError);
    EXPECT_THROW(plan_simulated_screen({.min_cells = 0}), ConfigError);
    EXPECT_THROW(plan_simulated_screen({.min_cells = 2000, .max_cells = 1000}), ConfigError);
    EXPECT_THROW(plan_simulated_screen({.failed_wells = 1}), ConfigError);
}
