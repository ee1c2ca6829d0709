// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "options/option_table.hpp"
#include "options/run_config.hpp"
#include "screen/splits.hpp"
#include "train/checkpoint.hpp"

namespace popflow::apps {

/// Splits the pairs of a training by --split, and holds out the units of --validation N.
/// @throws as screen::make_split(), screen::hold_out_units()
screen::Split training_split(const screen::Screen& screen, const options::RunConfig& config);

/// Splits the pairs of an evaluation. It has the validation part of --validation N if it splits the data of
/// the training as the training did. Other pairs are split by --split alone.
/// @param config, table  configuration of the evaluation
/// @throws as training_split()
screen::Split evaluation_split(const screen::Screen& screen, const options::RunConfig& config,
                               const options::OptionTable& table, const train::Checkpoint& checkpoint);

/// Returns the options of the data and the split that differ from those of the training, one text each.
/// @param before  set to the configuration of the training
std::vector<std::string> changed_split_options(const options::RunConfig& config,
                                               const options::OptionTable& table,
                                               const train::Checkpoint& checkpoint,
                                               options::RunConfig& before);

}  // namespace popflow::apps
