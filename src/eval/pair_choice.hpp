// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "screen/splits.hpp"

namespace popflow::eval {

/// The pairs of some parts of a split that are to be scored, ascending.
///
/// @param parts  may name a part twice
/// @param train_pairs  how many of the training pairs; 0: all
/// @param seed  of the choice among them
/// @throws core::ConfigError if there is none
std::vector<std::size_t> chosen_pairs(const screen::Screen& screen, const screen::Split& split,
                                      std::span<const screen::Part> parts, std::size_t train_pairs,
                                      std::uint64_t seed);

/// Some of the pairs, spread evenly over the patients: no patient gives a second pair before each has given
/// one.
///
/// Which patients come first, and which of its pairs a patient gives, is drawn.
///
/// @param count  0 or at least pairs.size(): all of them
/// @return  ascending
std::vector<std::size_t> spread_over_patients(const screen::Screen& screen,
                                              std::span<const std::size_t> pairs, std::size_t count,
                                              std::uint64_t seed);

}  // namespace popflow::eval
