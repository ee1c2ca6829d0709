// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "core/option_effect.hpp"
#include "train/checkpoint.hpp"

namespace popflow::train {

/// Checks that a training can be resumed from `before`: all options that change the result are equal, and so
/// are the fingerprint of the data and the statistics of the cells.
/// @param effects  effects of the options
/// @param data_file  name of the data file for messages
/// @throws core::ConfigError with every key that differs
/// @throws core::DataError for other data
void check_can_resume(const Checkpoint& now, const Checkpoint& before, const core::OptionEffects& effects,
                      const std::string& data_file);

}  // namespace popflow::train
