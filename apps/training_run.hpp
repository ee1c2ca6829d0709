// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "mpi/communicator.hpp"
#include "options/option_table.hpp"
#include "options/run_config.hpp"

namespace popflow::apps {

/// Trains as configured into the folder config.output, which must exist and be locked (lock_run_folder()).
/// Collective.
/// @param config  with a resolved precision. Receives the default of --batch-pairs, which depends on the
/// data.
/// @return `done` or `stopped`
/// @throws core::UserError, core::Error
int train_run(options::RunConfig& config, const options::OptionTable& table, const mpi::Communicator& comm);

/// Prints what train_run() would do, and writes nothing. --dry-run decides what it reads and whether it times
/// some steps. Collective.
/// @param trainings  number of trainings of this size, for the total time
/// @return `done`, or `failed` if a step fails
/// @throws core::UserError, core::Error
int dry_run_training(options::RunConfig& config, const options::OptionTable& table,
                     const mpi::Communicator& comm, std::size_t trainings = 1);

}  // namespace popflow::apps
