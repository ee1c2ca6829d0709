// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "mpi/communicator.hpp"
#include "screen/screen.hpp"
#include "screen/splits.hpp"

namespace popflow::train {

/// Returns the median over all ranks of values that are positive numbers: the middle one, or the mean of the
/// two in the middle. Exact, so it does not depend on how the ranks share the values. Collective.
/// @return 0 if there are none
double exact_median(std::span<const double> values, const mpi::Communicator& comm);

/// Returns the median of the totals above zero of the cells of all training pairs, each cell counted once:
/// the target of screen::SizeFactor::Kind::median. Each rank reads a part of the populations. Collective.
/// @throws core::DataError if the total of a cell is not finite, a value is negative, or all totals are zero
double median_total(const screen::Screen& screen, const screen::Split& split, const mpi::Communicator& comm);

}  // namespace popflow::train
