// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "linalg/matrix.hpp"
#include "simulate/simulated_cells.hpp"
#include "simulate/simulated_screen.hpp"

namespace popflow::simulate {

/// Cells [first, first + x.rows) of a population; rows of `x` are raw counts >= 0 in the order of
/// screen.markers. Runs on all OpenMP threads; any slice of a population holds the same bits as the whole.
///
/// Counts are Poisson around a log-normal intensity and spread evenly over (count - 1, count], as a mass
/// cytometer exports them; 0 stays 0.
///
/// @param cell_type  [x.rows], index into screen.cell_types
void simulate_cells(const SimulatedScreen& screen, std::size_t population, std::size_t first,
                    linalg::MatrixView<float> x, std::span<std::uint8_t> cell_type);

}  // namespace popflow::simulate
