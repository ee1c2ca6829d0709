// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <map>

#include "options/run_config.hpp"
#include "screen/splits.hpp"
#include "train/checkpoint.hpp"

namespace popflow::apps {

/// The pairs of `screen` that a run was trained on, each with its place among the run's training pairs; none
/// if the screen is of other data. Found by name, whatever options the screen was opened with.
///
/// @param split  of the screen
/// @param config, table  what the screen and the split were made by
/// @throws core::ConfigError if a pair that the run was trained on is not for training in `split`, or if
/// experiments are made of other labels than the run's
std::map<std::size_t, std::size_t> trained_pairs(const screen::Screen& screen, const screen::Split& split,
                                                 const options::RunConfig& config,
                                                 const options::OptionTable& table,
                                                 const train::Checkpoint& checkpoint);

}  // namespace popflow::apps
