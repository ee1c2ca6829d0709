// SPDX-License-Identifier: MIT
#pragma once

#include <set>
#include <string>

#include "options/option_table.hpp"
#include "options/run_config.hpp"

namespace popflow::options {

/// Sets the defaults that depend on the method and the recipe, for all options except those in `given`.
///
/// Recipe `popflow` has the settings that work best in this program. Recipe `paper` trains and evaluates as
/// published (Atanackovic et al., ICLR 2025, and the authors' code): one pair per step, a constant rate of
/// 1e-4, no warm-up, no clipping, no moving average of the weights, and the first rows of a population are
/// scored. models::Family::defaults() has what a method changes.
/// @param table  table of the options of `config`
/// @param changed  options whose defaults an earlier call has changed, updated
/// @throws core::ConfigError for options that cannot be combined
void apply_defaults(const RunConfig& config, const OptionTable& table, const std::set<std::string>& given,
                    std::set<std::string>& changed);

/// Sets the defaults of a small screen (models::Family::small_screen_defaults()), for all options that the
/// user has not set. Recipe `paper`, larger screens and --method auto, which has a recipe of its own, keep
/// the defaults of apply_defaults().
/// @param pairs  number of pairs of the screen, so that all folds of a leave-one-out have the same defaults
/// @return the defaults that were set, empty for a large screen
models::OptionValues apply_screen_defaults(const RunConfig& config, const OptionTable& table,
                                           std::size_t pairs);

/// Appends to the help of each option the defaults of methods, recipes and small screens that differ from its
/// own.
void add_default_notes(OptionTable& table);

}  // namespace popflow::options
