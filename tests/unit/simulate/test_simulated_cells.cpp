// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "simulate/simulated_cells.hpp"
#include "simulate/simulated_response.hpp"
#include "simulate/simulated_screen.hpp"
#include "support/correlation.hpp"

using popflow::screen::Cells;
using popflow::screen::Population;
using popflow::simulate::control_composition;
using popflow::simulate::plan_simulated_screen;
using popflow::simulate::ResponseKind;
using popflow::simulate::simulate_cells;
using popflow::simulate::SimulatedScreen;
using popflow::support::correlation;

namespace {

Cells simulate_population(const SimulatedScreen& screen, std::size_t p) {
    const std::size_t n = screen.populations[p].n_cells;
    Cells cells{{n, screen.markers.size()}, std::vector<std::uint8_t>(n)};
    simulate_cells(screen, p, 0, cells.x, cells.cell_type);
    return cells;
}

std::size_t find_population(const SimulatedScreen& screen, const std::string& culture,
                            const std::string& treatment) {
    const auto found =
        std::find_if(screen.populations.begin(), screen.populations.end(),
                     [&](const Population& p) { return p.culture == culture && p.treatment == treatment; });
    return static_cast<std::size_t>(found - screen.populations.begin());
}

std::size_t marker_index(const SimulatedScreen& screen, const std::string& marker) {
    const auto found = std::find(screen.markers.begin(), screen.markers.end(), marker);
    return static_cast<std::size_t>(found - screen.markers.begin());
}

// Returns the share of cells of a population whose marker exceeds `counts`.
double share_above(const SimulatedScreen& screen, std::size_t p, const std::string& marker, float counts) {
    const Cells cells = simulate_population(screen, p);
    const std::size_t j = marker_index(screen, marker);
    std::size_t above = 0;
    for (std::size_t i = 0; i < cells.x.rows(); ++i) above += cells.x(i, j) > counts ? 1 : 0;
    return static_cast<double>(above) / static_cast<double>(cells.x.rows());
}

bool is_equal(const Cells& a, const Cells& b) {
    return std::ranges::equal(a.x.values(), b.x.values()) && a.cell_type == b.cell_type;
}

const SimulatedScreen& small_screen() {
    static const SimulatedScreen screen = plan_simulated_screen(
        {.seed = 5, .replicates = 1, .min_cells = 4000, .max_cells = 4000, .failed_wells = 0});
    return screen;
}

}  // namespace

TEST(SimulatedCells, SlicesAreBitIdenticalToTheWhole) {
    const SimulatedScreen& screen = small_screen();
    const std::size_t p = find_population(screen, "PDOF", "CSF");
    const Cells expected = simulate_population(screen, p);

    Cells pieces{{4000, 43}, std::vector<std::uint8_t>(4000)};
    for (const auto& [first, count] : {std::pair{0, 1}, {1, 1233}, {1234, 2766}}) {
        simulate_cells(screen, p, first, pieces.x.view().row_block(first, count),
                       std::span(pieces.cell_type).subspan(first, count));
    }

    EXPECT_TRUE(is_equal(expected, pieces));
}

TEST(SimulatedCells, DoNotDependOnTheNumberOfThreads) {
    const SimulatedScreen& screen = small_screen();
    const std::size_t p = find_population(screen, "PDOF", "S");
    const int threads = omp_get_max_threads();

    omp_set_num_threads(1);
    const Cells one = simulate_population(screen, p);
    omp_set_num_threads(3);
    const Cells three = simulate_population(screen, p);
    omp_set_num_threads(threads);

    EXPECT_TRUE(is_equal(one, three));
}

TEST(SimulatedCells, CyclinB1DoesNotChangeTheOtherMarkers) {
    SimulatedScreen with = small_screen();
    with.markers.push_back("Cyclin_B1");
    const std::size_t p = find_population(with, "PDO", "F");

    const Cells expected = simulate_population(small_screen(), p);
    const Cells found = simulate_population(with, p);

    for (std::size_t i = 0; i < 4000; ++i) {
        for (std::size_t j = 0; j < 43; ++j) ASSERT_EQ(expected.x(i, j), found.x(i, j));
    }
}

TEST(SimulatedCells, MostMarkersHaveASpikeAtZero) {
    const SimulatedScreen& screen = small_screen();
    const Cells cells = simulate_population(screen, find_population(screen, "PDOF", "DMSO"));

    std::size_t spiked = 0;
    for (std::size_t j = 0; j < cells.x.cols(); ++j) {
        std::size_t zeros = 0;
        for (std::size_t i = 0; i < cells.x.rows(); ++i) {
            ASSERT_TRUE(cells.x(i, j) >= 0 && cells.x(i, j) < 1e5F);
            zeros += cells.x(i, j) == 0 ? 1 : 0;
        }
        spiked += zeros >= 200 && zeros <= 1600 ? 1 : 0;  // 5 to 40 % of 4000
    }

    EXPECT_GE(spiked, 35U);
}

TEST(SimulatedCells, MitosisAndReplicationAreRare) {
    const SimulatedScreen& screen = small_screen();
    for (const char* vehicle : {"DMSO", "AH", "H2O"}) {
        const std::size_t p = find_population(screen, "PDO", vehicle);
        const double proliferating =
            control_composition(5, screen.populations[p], ResponseKind::composition).proliferating;

        const double mitotic = share_above(screen, p, "pHH3", 8);
        const double replicating = share_above(screen, p, "IdU", 8);

        // Among the proliferating cells, 6 % are mitotic and 30 % replicate. Dropout removes some of them,
        // and some dim cells stay below the gate.
        EXPECT_NEAR(mitotic, 0.06 * proliferating, 0.015);
        EXPECT_NEAR(replicating, 0.30 * proliferating, 0.05);
    }
}

TEST(SimulatedCells, VimentinAndEpcamSeparateTheCellTypes) {
    const SimulatedScreen& screen = small_screen();
    const std::size_t p = find_population(screen, "PDOF", "DMSO");
    const Cells cells = simulate_population(screen, p);
    const std::size_t vimentin = marker_index(screen, "Vimentin");
    const std::size_t epcam = marker_index(screen, "EpCAM");

    std::size_t right = 0;
    std::size_t fibroblasts = 0;
    for (std::size_t i = 0; i < cells.x.rows(); ++i) {
        const bool fibroblast = screen.cell_types[cells.cell_type[i]] == "Fibs";
        fibroblasts += fibroblast ? 1 : 0;
        right += (cells.x(i, vimentin) > cells.x(i, epcam)) == fibroblast ? 1 : 0;
    }

    EXPECT_GT(right, 3960U);  // 99 %
    const double share = control_composition(5, screen.populations[p], ResponseKind::composition).fibroblasts;
    EXPECT_NEAR(static_cast<double>(fibroblasts) / 4000, share, 5 * std::sqrt(0.25 / 4000));
    for (const auto& [culture, type] : {std::pair{"PDO", 1}, {"F", 0}}) {
        const Cells pure = simulate_population(screen, find_population(screen, culture, "S"));
        EXPECT_TRUE(
            std::ranges::all_of(pure.cell_type, [wanted = type](std::uint8_t t) { return t == wanted; }));
    }
}

namespace {

// Returns a marker of a population on the scale of arcsinh(x / 5).
std::vector<double> marker_values(const SimulatedScreen& screen, const Cells& cells,
                                  const std::string& marker) {
    const std::size_t j = marker_index(screen, marker);
    std::vector<double> values;
    for (std::size_t i = 0; i < cells.x.rows(); ++i)
        values.push_back(std::asinh(static_cast<double>(cells.x(i, j)) / 5));
    return values;
}

double mean_of(const std::vector<double>& values) {
    double sum = 0;
    for (const double v : values) sum += v;
    return sum / static_cast<double>(values.size());
}

}  // namespace

TEST(SimulatedCells, WithCorrelationAsTheCauseOnlyTheJointDistributionShowsTheResponse) {
    const SimulatedScreen screen = plan_simulated_screen({.seed = 5,
                                                          .patients = 20,
                                                          .cultures = {"PDO"},
                                                          .treatments = {"O"},
                                                          .replicates = 1,
                                                          .doses = 1,
                                                          .min_cells = 3000,
                                                          .max_cells = 3000,
                                                          .failed_wells = 0,
                                                          .response = ResponseKind::correlation});
    std::vector<double> trait;
    std::vector<double> seen;    // correlation of two markers in the control population
    std::vector<double> change;  // mean change of a marker of damage
    std::vector<double> damage;  // mean of that marker in the control population
    std::vector<double> signal;  // mean of the marker of WNT signalling in the control population
    for (std::size_t p = 0; p + 1 < screen.populations.size(); p += 2) {
        ASSERT_TRUE(screen.populations[p].control && !screen.populations[p + 1].control);
        trait.push_back(control_composition(5, screen.populations[p], ResponseKind::correlation).correlation);
        const Cells control = simulate_population(screen, p);
        const Cells treated = simulate_population(screen, p + 1);
        const auto before = marker_values(screen, control, "pDNAPK");
        seen.push_back(correlation(before, marker_values(screen, control, "Beta_catenin_active")));
        change.push_back(mean_of(marker_values(screen, treated, "pDNAPK")) - mean_of(before));
        damage.push_back(mean_of(before));
        signal.push_back(mean_of(marker_values(screen, control, "Beta_catenin_active")));
    }
    ASSERT_EQ(trait.size(), 20U);
    EXPECT_GT(correlation(trait, seen), 0.95);
    EXPECT_GT(correlation(trait, change), 0.9);
    EXPECT_LT(std::fabs(correlation(trait, damage)), 0.5);
    EXPECT_LT(std::fabs(correlation(trait, signal)), 0.5);
}
