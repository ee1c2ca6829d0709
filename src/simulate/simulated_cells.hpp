// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "linalg/matrix.hpp"
#include "simulate/simulated_screen.hpp"

namespace popflow::simulate {

/// Simulates the cells [first, first + x.rows) of a population. Runs on all OpenMP threads. Deterministic:
/// any slice of a population has the same bits as in the whole population.
///
/// Counts are Poisson around a log-normal intensity and spread evenly over (count - 1, count], as a mass
/// cytometer exports them. 0 stays 0.
///
/// Shapes:  x [n, markers]. Units:  raw counts >= 0.
/// @param x  destination, with columns in the order of screen.markers
/// @param cell_type  [n], index into screen.cell_types
/// @throws core::ShapeMismatch
void simulate_cells(const SimulatedScreen& screen, std::size_t population, std::size_t first,
                    linalg::MatrixView<float> x, std::span<std::uint8_t> cell_type);

}  // namespace popflow::simulate
