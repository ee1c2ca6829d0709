// SPDX-License-Identifier: MIT
#include "simulate/simulated_response.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.hpp"
#include "simulate/simulated_cells.hpp"
#include "simulate/simulated_screen.hpp"
#include "support/correlation.hpp"

using popflow::screen::Population;
using popflow::simulate::Composition;
using popflow::simulate::control_composition;
using popflow::simulate::exposure;
using popflow::simulate::plan_simulated_screen;
using popflow::simulate::response;
using popflow::simulate::ResponseKind;
using popflow::simulate::sensitivity;
using popflow::simulate::SimulatedScreen;
using popflow::support::correlation;

namespace {

// Returns the mean of arcsinh(x / 5) over the organoid cells of a population.
double organoid_mean(const SimulatedScreen& screen, std::size_t p, const std::string& marker) {
    const std::size_t n = screen.populations[p].n_cells;
    popflow::linalg::Matrix<float> x(n, screen.markers.size());
    std::vector<std::uint8_t> cell_type(n);
    popflow::simulate::simulate_cells(screen, p, 0, x, cell_type);
    const auto j = static_cast<std::size_t>(std::find(screen.markers.begin(), screen.markers.end(), marker) -
                                            screen.markers.begin());
    double sum = 0;
    double count = 0;
    for (std::size_t i = 0; i < n; ++i) {
        if (cell_type[i] == 0) continue;
        sum += std::asinh(x(i, j) / 5);
        ++count;
    }
    return sum / count;
}

// Simulates a screen with one dose of one treatment. Returns the correlation, over its experiments, of a
// trait of the composition with the shift of a marker under treatment. Skips experiments in which the share
// of proliferating organoid cells is below `min_proliferating`.
double response_correlation(const std::string& culture, const std::string& treatment,
                            const std::string& marker, double Composition::*trait,
                            double min_proliferating = 0) {
    const SimulatedScreen screen = plan_simulated_screen({.seed = 8,
                                                          .cultures = {culture},
                                                          .treatments = {treatment},
                                                          .doses = 1,
                                                          .min_cells = 1000,
                                                          .max_cells = 1000});
    std::vector<double> traits;
    std::vector<double> shifts;
    for (std::size_t p = 0; p + 1 < screen.populations.size(); p += 2) {
        const Composition c = control_composition(8, screen.populations[p], ResponseKind::composition);
        if (c.proliferating < min_proliferating) continue;
        traits.push_back(c.*trait);
        shifts.push_back(organoid_mean(screen, p + 1, marker) - organoid_mean(screen, p, marker));
    }
    return correlation(traits, shifts);
}

}  // namespace

TEST(SimulatedResponse, ProliferatingPopulationsRespondMore) {
    EXPECT_GT(response_correlation("PDO", "S", "pHistone_H2A", &Composition::proliferating), 0.9);
    EXPECT_GT(response_correlation("PDO", "SF", "cCaspase_3", &Composition::proliferating), 0.9);
}

TEST(SimulatedResponse, FibroblastsProtectOrganoids) {
    // Populations with few proliferating cells are skipped, because they respond little even unprotected.
    EXPECT_LT(response_correlation("PDOF", "CSF", "pHistone_H2A", &Composition::fibroblasts, 0.4), -0.8);
    EXPECT_LT(response_correlation("PDOF", "CSF", "pP38", &Composition::fibroblasts, 0.4), -0.8);
}

TEST(SimulatedResponse, CetuximabActsLessAtHighMapkActivity) {
    // Cetuximab lowers pBAD. A positive correlation therefore means a weaker effect at high MAPK activity.
    EXPECT_GT(response_correlation("PDO", "C", "pBAD", &Composition::mapk), 0.8);
}

TEST(SimulatedResponse, SensitivityDependsOnTheComposition) {
    Composition middle{.proliferating = 0.45, .stem = 0.35};
    EXPECT_DOUBLE_EQ(sensitivity(middle, 'S', ResponseKind::composition), 1);
    EXPECT_DOUBLE_EQ(sensitivity(middle, 'C', ResponseKind::composition), 1);
    EXPECT_DOUBLE_EQ(sensitivity(middle, 'L', ResponseKind::composition), 1);

    Composition shielded = middle;
    shielded.fibroblasts = 0.5;
    shielded.activation = 0.5;
    EXPECT_LT(sensitivity(shielded, 'S', ResponseKind::composition), 0.3);
    Composition activated = shielded;
    activated.activation = 0.9;
    EXPECT_LT(sensitivity(activated, 'S', ResponseKind::composition),
              sensitivity(shielded, 'S', ResponseKind::composition));
}

TEST(SimulatedResponse, CombinationsExceedTheSumOfTheirDrugs) {
    const Composition c{.proliferating = 0.45, .stem = 0.35};

    const double s = response(c, "S", 1, ResponseKind::composition).organoid.apoptosis;
    const double f = response(c, "F", 1, ResponseKind::composition).organoid.apoptosis;
    const double v = response(c, "V", 1, ResponseKind::composition).organoid.apoptosis;

    EXPECT_GT(response(c, "SF", 1, ResponseKind::composition).organoid.apoptosis, s + f);
    EXPECT_GT(response(c, "VS", 1, ResponseKind::composition).organoid.apoptosis, 1.25 * (s + v));
    EXPECT_LT(response(c, "CSF", 1, ResponseKind::composition).organoid.mapk, -0.5);
    EXPECT_THROW(response(c, "SX", 1, ResponseKind::composition), popflow::core::ConfigError);
}

TEST(SimulatedResponse, RisesWithTheDose) {
    const Composition c{.proliferating = 0.45};

    EXPECT_DOUBLE_EQ(exposure(4, 4), 1);
    EXPECT_DOUBLE_EQ(exposure(0, 4), 0);
    EXPECT_EQ(response(c, "O", 0, ResponseKind::composition).organoid.damage, 0);
    double previous = 0;
    for (int level = 1; level <= 4; ++level) {
        const double damage = response(c, "O", exposure(level, 4), ResponseKind::composition).organoid.damage;
        EXPECT_GT(damage, 1.2 * previous);
        previous = damage;
    }
}

TEST(SimulatedResponse, CompositionsVaryBetweenPatientsAndExperiments) {
    const SimulatedScreen screen = plan_simulated_screen({});

    std::vector<double> proliferating;
    std::vector<double> fibroblasts;
    for (const Population& p : screen.populations) {
        if (!p.control || p.culture != "PDOF") continue;
        const Composition c = control_composition(0, p, ResponseKind::composition);
        proliferating.push_back(c.proliferating);
        fibroblasts.push_back(c.fibroblasts);
    }

    for (auto* shares : {&proliferating, &fibroblasts}) {
        std::sort(shares->begin(), shares->end());
        EXPECT_LT((*shares)[shares->size() / 10], 0.27);
        EXPECT_GT((*shares)[shares->size() * 9 / 10], 0.63);
    }
}

TEST(SimulatedResponse, PatientNamesContinueAfterThePublishedOnes) {
    EXPECT_EQ(popflow::simulate::patient_name(0), "5");
    EXPECT_EQ(popflow::simulate::patient_name(9), "216");
    EXPECT_EQ(popflow::simulate::patient_name(10), "301");
    for (std::size_t i = 0; i < 30; ++i) {
        EXPECT_EQ(popflow::simulate::patient_index(popflow::simulate::patient_name(i)), i);
    }
}
