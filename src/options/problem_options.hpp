// SPDX-License-Identifier: MIT
#pragma once

#include "options/option_table.hpp"
#include "options/run_config.hpp"

namespace popflow::options {

/// Adds the options of transport problems, and shares those of other sections that they need.
void add_problem_options(OptionTable& table, RunConfig& config);

/// Adds the options of comparisons of sets of populations. They refer to `config`.
void add_set_options(OptionTable& table, RunConfig& config);

/// Adds the options of potentials of transport between populations. Needs those of add_problem_options().
void add_fine_tune_options(OptionTable& table, RunConfig& config);

}  // namespace popflow::options
