// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "eval/partial_results.hpp"
#include "predict/potential_model.hpp"
#include "verbs.hpp"

namespace popflow::apps {

/// Whether a run predicts maps between any two populations.
bool maps_populations(const train::Checkpoint& checkpoint);

/// Scores the maps of a run between the held-out populations and writes the results to `output`. Rank 0
/// prints the table. Collective. The arguments are those of evaluate_run().
/// @return `done` or `stopped`
/// @throws core::UserError, core::Error
int evaluate_maps(const std::string& run, const predict::PotentialModel& model, const std::string& output,
                  const options::RunConfig& config, const options::OptionTable& table,
                  eval::Leftover leftover, const std::string& log, const mpi::Communicator& comm);

/// Maps the cells of the source of each problem of `data` and writes them to config.output. Collective.
/// @return `done`, or `failed` if a problem failed
/// @throws core::UserError, core::Error
int predict_map_run(options::RunConfig& config, const options::OptionTable& table, const Arguments& arguments,
                    const predict::PotentialModel& model, const std::string& data,
                    const mpi::Communicator& comm);

}  // namespace popflow::apps
