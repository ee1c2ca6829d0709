// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "eval/partial_results.hpp"
#include "mpi/communicator.hpp"
#include "options/option_table.hpp"
#include "options/run_config.hpp"
#include "train/checkpoint.hpp"

namespace popflow::apps {

/// Scores a checkpoint of the run in folder `run` and writes `output`. Rank 0 prints the table. Returns the
/// exit code, `done` or `stopped`. @param log  file that gets the lines of progress; may be empty
int evaluate_run(const std::string& run, const train::Checkpoint& checkpoint, const std::string& output,
                 const options::RunConfig& config, const options::OptionTable& table, eval::Leftover leftover,
                 const std::string& log, const mpi::Communicator& comm);

}  // namespace popflow::apps
