// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::models {

/// Offset of standard deviations in logarithms, relative to their mean over the training populations, so that
/// a constant marker has a finite one.
inline constexpr double relative_offset = 0.05;

/// Statistics of the cells of one population.
struct PopulationStatistics {
    std::vector<double> mean;         ///< [d]
    std::vector<double> deviation;    ///< [d] standard deviations with the divisor n
    std::vector<double> type_shares;  ///< [cell_types] share of each cell type
};

/// Overwrites the means and the standard deviations (divisor n) of the columns of x.
///
/// Shapes: x [n, d], mean [d], deviation [d].
void column_moments(linalg::ConstMatrixView<float> x, std::span<double> mean, std::span<double> deviation);

/// Returns the share of each of `count` cell types. Cells of unknown types count in the total.
///
/// Shapes: types [n], result [count].
std::vector<double> type_shares(std::span<const std::uint8_t> types, std::size_t count);

/// Computes the statistics of a population from its cells.
///
/// Shapes: x [n, d], types [n] or empty if there are no cell types.
PopulationStatistics population_statistics(linalg::ConstMatrixView<float> x,
                                           std::span<const std::uint8_t> types, std::size_t cell_types);

}  // namespace popflow::models
