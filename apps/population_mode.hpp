// SPDX-License-Identifier: MIT
#pragma once

#include "train/checkpoint.hpp"
#include "verbs.hpp"

namespace popflow::apps {

/// Whether the items of the configured method are populations as a whole.
bool trains_on_populations(const options::RunConfig& config);

/// Sets how the data of the configured method are read: as pairs, or as populations without pairs.
/// @throws core::ConfigError for --population with a method whose items are pairs
void set_population_mode(options::RunConfig& config, const options::OptionTable& table);

/// Sets that populations are read without pairs, whether they have controls or not.
void read_without_pairs(options::RunConfig& config);

/// Sets how the data of a trained run are read: as pairs, or as populations if the run generates them.
void set_scoring_mode(options::RunConfig& config, const train::Checkpoint& checkpoint);

}  // namespace popflow::apps
