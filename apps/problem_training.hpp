// SPDX-License-Identifier: MIT
#pragma once

#include "verbs.hpp"

namespace popflow::apps {

/// Whether the items of the configured method are transport problems.
/// @throws core::ConfigError{latent} if they are, and a latent space was given
bool trains_on_problems(const options::RunConfig& config);

/// Checks that a training on pairs has no option of transport problems. @throws core::ConfigError
void refuse_problem_options(const options::RunConfig& config, const options::OptionTable& table);

/// Trains a method whose items are transport problems, as train_run(). Collective.
int train_problem_run(options::RunConfig& config, const options::OptionTable& table,
                      const mpi::Communicator& comm);

/// Prints what train_problem_run() would do, as dry_run_training(). Collective.
int dry_run_problem_training(options::RunConfig& config, const options::OptionTable& table,
                             const mpi::Communicator& comm);

}  // namespace popflow::apps
