// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "data/simulated_screen.hpp"

namespace popflow::data {

/// A column of obs that is the same for all cells of a population.
struct SimulatedColumn {
    const char* name;
    std::string Population::*value;
};

inline constexpr std::array<SimulatedColumn, 6> simulated_columns{
    {{"patient", &Population::patient},
     {"culture", &Population::culture},
     {"treatment", &Population::treatment},
     {"concentration", &Population::concentration},
     {"replicate", &Population::replicate},
     {"plate", &Population::plate}}};

/// The sorted distinct values of a column; a cell's code is its place among them.
inline std::vector<std::string> simulated_categories(const SimulatedScreen& screen,
                                                     const SimulatedColumn& column) {
    std::set<std::string> found;
    for (const Population& p : screen.populations) found.insert(p.*column.value);
    return {found.begin(), found.end()};
}

}  // namespace popflow::data
