// SPDX-License-Identifier: MIT
#pragma once

#include "mpi/communicator.hpp"
#include "options/option_table.hpp"
#include "options/run_config.hpp"

namespace popflow::apps {

/// Trains as configured, with a settled precision (and settles what only the data tell), into the folder
/// config.output, which is there and kept to this run; `done` or `stopped`.
int train_run(options::RunConfig& config, const options::OptionTable& table, const mpi::Communicator& comm);

/// Prints what train_run() would do and writes nothing; `done`, or `failed` if some first steps fail.
int plan_run(options::RunConfig& config, const options::OptionTable& table, const mpi::Communicator& comm);

}  // namespace popflow::apps
