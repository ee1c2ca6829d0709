// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "screen/screen.hpp"

namespace popflow::screen {

/// Factor between the depths of a control and a treated population above which value_notes() reports them.
inline constexpr double max_depth_ratio = 1.5;

/// Returns notes, one line each, on values that the options do not suit:
///
///  * The matrix looks like counts, but the transform is not log1p or there is no size factor.
///  * uns["log1p"] says that X is log-transformed, and the options would transform it again.
///  * Without a size factor: control and treated cells of a pair differ in depth, the median over cells of
///  the
///    sum over all columns, by more than max_depth_ratio. Only for counts, and for other non-negative
///    matrices that are wide and mostly zero.
///
/// A matrix looks like counts if a sample of its stored values has whole numbers of 0 or more, one of them at
/// least 2. With at most 64 columns, where cytometers also write whole numbers, half of the values above zero
/// must be at most 3. Files of `popflow import` and members of obsm are never counts.
///
/// Depths come from at most 100 cells of each population and 320 populations. The pairs that differ most are
/// read again with 500 cells. The sample is fixed, so the notes are deterministic. A screen without
/// need_pairs has no note on depths: a prediction does not use the treated cells.
/// @throws core::DataError if the file cannot be read
std::vector<std::string> value_notes(const Screen& screen);

}  // namespace popflow::screen
