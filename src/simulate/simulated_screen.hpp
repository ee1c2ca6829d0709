// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "screen/population.hpp"
#include "simulate/simulated_response.hpp"

namespace popflow::simulate {

/// Options of a simulated screen.
struct SimulatedScreenOptions {
    std::uint64_t seed = 0;
    std::size_t patients = 10;  ///< number of patients: the ten published ones, then 301, 302, ...
    std::vector<std::string> cultures{"PDO", "F", "PDOF"};
    std::vector<std::string> treatments{"O", "S", "VS", "L", "V", "F", "C", "SF", "CS", "CF", "CSF"};
    std::size_t replicates = 3;  ///< number of replicates, named A, B, ...
    /// Number of concentrations of a single drug, labelled "1" (lowest) to "N", fourfold apart. Combinations
    /// have the upper third of them, at least one.
    std::size_t doses = 3;
    std::size_t min_cells = 1000;   ///< smallest population
    std::size_t max_cells = 30000;  ///< largest population; the median is the geometric mean of both
    /// Share of treatments missing from an experiment, at random.
    double failed_wells = 0.06;
    /// Number of (control, highest dose) pairs; 0: all pairs of the options above. Otherwise the screen has
    /// exactly this number of pairs. Adds patients until there are enough. Removes surplus pairs by replicate
    /// first, then by plate, culture and patient.
    std::size_t pairs = 0;
    ResponseKind response = ResponseKind::composition;
    bool cyclin_b1 = false;      ///< write Cyclin_B1 as a 44th marker
    std::size_t chunk_rows = 0;  ///< rows per chunk of X in the file; 0: contiguous
};

/// Layout of a simulated screen: its populations and their rows in the file, without cells.
struct SimulatedScreen {
    SimulatedScreenOptions options;
    std::vector<std::string> markers;
    std::vector<std::string> cell_types;  ///< "Fibs", "PDOs"
    /// Populations sorted by experiment. Within an experiment: its control, then its treatments by dose.
    /// Population::experiment numbers the experiments from 0.
    std::vector<screen::Population> populations;
    std::vector<std::size_t> first_row;  ///< [populations + 1]; the last entry is the number of cells
    std::size_t experiments = 0;         ///< number of experiments
    std::size_t pairs = 0;               ///< number of pairs of a control and the highest dose of a treatment

    std::size_t n_cells() const { return first_row.back(); }
};

/// Draws the populations and their sizes, without cells.
///
/// An experiment is one (patient, culture, plate, replicate). Plate O holds treatment O with the vehicle H2O.
/// Plate SLV holds S, L, V and VS with DMSO. Plate CSF holds the other treatments with AH.
///
/// The cells of a population depend only on the seed, its labels and the number of doses. Its size also
/// depends on min_cells and max_cells. No other option has an influence.
///
/// @throws ConfigError for an invalid value, or if no treatment is left
SimulatedScreen plan_simulated_screen(const SimulatedScreenOptions& options);

}  // namespace popflow::simulate
