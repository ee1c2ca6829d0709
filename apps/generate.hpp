// SPDX-License-Identifier: MIT
#pragma once

#include "predict/generator.hpp"
#include "verbs.hpp"

namespace popflow::apps {

/// Whether a run generates populations instead of predicting treated cells.
bool generates_populations(const train::Checkpoint& checkpoint);

/// Returns the options of generated populations.
predict::GenerateOptions generate_options(const options::RunConfig& config);

/// Generates populations and writes them to config.output. A model that completes populations reads given
/// cells of each population from config.data. Collective.
/// @param data  data file of the command line, empty if it was not given
/// @throws core::ConfigError for an option of predictions from controls, and for a missing or superfluous
/// data
///         file
/// @throws core::DataError for a population with fewer cells than the model takes
int generate_run(options::RunConfig& config, const options::OptionTable& table, const Arguments& arguments,
                 const predict::GeneratorModel& generator, const std::string& data,
                 const mpi::Communicator& comm);

}  // namespace popflow::apps
