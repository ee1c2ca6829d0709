// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "screen/splits.hpp"

namespace popflow::eval {

/// Chooses the pairs to score from some parts of a split.
///
/// @param parts  may contain a part twice
/// @param train_pairs  number of training pairs to choose, 0 for all
/// @param seed  seed of the choice among the training pairs
/// @return  ascending
/// @throws core::ConfigError if these parts have no pair
std::vector<std::size_t> chosen_pairs(const screen::Screen& screen, const screen::Split& split,
                                      std::span<const screen::Part> parts, std::size_t train_pairs,
                                      std::uint64_t seed);

/// Draws `count` of the pairs, spread evenly over the patients: every patient contributes one pair before any
/// contributes a second one.
///
/// The order of the patients and the order of the pairs of each patient are random.
///
/// @param count  0, or pairs.size() and above, for all pairs
/// @return  ascending
std::vector<std::size_t> spread_over_patients(const screen::Screen& screen,
                                              std::span<const std::size_t> pairs, std::size_t count,
                                              std::uint64_t seed);

}  // namespace popflow::eval
