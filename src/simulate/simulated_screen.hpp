// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "screen/population.hpp"

namespace popflow::simulate {

/// What to simulate.
struct SimulatedScreenOptions {
    std::uint64_t seed = 0;
    std::size_t patients = 10;  ///< the ten published ones first, then 301, 302, ...
    std::vector<std::string> cultures{"PDO", "F", "PDOF"};
    std::vector<std::string> treatments{"O", "S", "VS", "L", "V", "F", "C", "SF", "CS", "CF", "CSF"};
    std::size_t replicates = 3;  ///< A, B, ...
    /// Concentrations of a single drug, labelled "1" (lowest) to "N", fourfold apart; combinations have the
    /// upper third of them, at least one.
    std::size_t doses = 3;
    std::size_t min_cells = 1000;   ///< of a population
    std::size_t max_cells = 30000;  ///< of a population; the median is the geometric middle
    /// Share of treatments missing from an experiment, at random.
    double failed_wells = 0.06;
    /// 0: all of the above. Otherwise exactly so many (control, highest dose) pairs: patients are added until
    /// there are enough; of what is too much replicates go first, then plates, cultures and patients.
    std::size_t pairs = 0;
    bool cyclin_b1 = false;      ///< write Cyclin_B1 as a 44th marker
    std::size_t chunk_rows = 0;  ///< of X in the file; 0: contiguous
};

/// A simulated screen before its cells are drawn: what is in it, and where in the file.
struct SimulatedScreen {
    SimulatedScreenOptions options;
    std::vector<std::string> markers;
    std::vector<std::string> cell_types;  ///< "Fibs", "PDOs"
    /// One experiment after the other: its control, then its treatments by dose. Population::experiment
    /// counts them.
    std::vector<screen::Population> populations;
    std::vector<std::size_t> first_row;  ///< [populations + 1]; the last is the number of cells
    std::size_t experiments = 0;
    std::size_t pairs = 0;  ///< of a control and the highest dose of a treatment

    std::size_t n_cells() const { return first_row.back(); }
};

/// Decides which populations there are and how large each is, without drawing a cell.
///
/// An experiment is one (patient, culture, plate, replicate): plate O holds treatment O and vehicle H2O, SLV
/// holds S, L, V and VS with DMSO, CSF the rest with AH. Whatever else is asked for, the cells of a
/// population depend on the seed, its labels and the number of doses alone, and its size on the range allowed
/// besides.
///
/// @throws ConfigError for a value that is not allowed, or if every treatment failed
SimulatedScreen plan_simulated_screen(const SimulatedScreenOptions& options);

}  // namespace popflow::simulate
