// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "eval/partial_results.hpp"
#include "mpi/communicator.hpp"
#include "options/option_table.hpp"
#include "options/run_config.hpp"
#include "predict/run_model.hpp"

namespace popflow::apps {

/// Returns everything on which the scores of an evaluation depend: options, weights, data and program.
eval::EvaluationIdentity evaluation_identity(const std::string& config_text,
                                             const core::OptionEffects& effects,
                                             const train::Checkpoint& checkpoint,
                                             const screen::Screen& screen);

/// Scores a checkpoint of the run in folder `run` and writes the results to `output`. Rank 0 prints the
/// table. With --dry-run it prints what it would do, and writes nothing. Collective.
/// @param leftover  use of the pairs that an interrupted evaluation has scored
/// @param log  path of a file for the progress lines, empty for none
/// @return `done` or `stopped`
/// @throws core::UserError, core::Error
int evaluate_run(const std::string& run, const predict::RunModel& model, const std::string& output,
                 const options::RunConfig& config, const options::OptionTable& table, eval::Leftover leftover,
                 const std::string& log, const mpi::Communicator& comm);

}  // namespace popflow::apps
