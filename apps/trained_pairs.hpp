// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <map>

#include "options/run_config.hpp"
#include "screen/splits.hpp"
#include "train/checkpoint.hpp"

namespace popflow::apps {

/// Returns the pairs of `screen` that a run was trained on, each with its index among the training pairs of
/// the run. Returns none for other data. Pairs are matched by name, because the screen may have been opened
/// with other options.
///
/// @param split  split of `screen`
/// @param config, table  configuration of `screen` and `split`
/// @throws core::ConfigError if `split` holds out a pair that the run was trained on, or if --pair-by differs
/// from that of the run
std::map<std::size_t, std::size_t> trained_pairs(const screen::Screen& screen, const screen::Split& split,
                                                 const options::RunConfig& config,
                                                 const options::OptionTable& table,
                                                 const train::Checkpoint& checkpoint);

}  // namespace popflow::apps
