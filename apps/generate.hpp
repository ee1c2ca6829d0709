// SPDX-License-Identifier: MIT
#pragma once

#include "predict/generator.hpp"
#include "verbs.hpp"

namespace popflow::apps {

/// Whether a run generates populations instead of predicting treated cells.
bool generates_populations(const train::Checkpoint& checkpoint);

/// Returns the options of generated populations.
predict::GenerateOptions generate_options(const options::RunConfig& config);

/// Generates populations and writes them to config.output. Collective.
/// @throws core::ConfigError for an option of predictions from controls
int generate_run(const options::RunConfig& config, const options::OptionTable& table,
                 const Arguments& arguments, const predict::GeneratorModel& generator,
                 const mpi::Communicator& comm);

}  // namespace popflow::apps
