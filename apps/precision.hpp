// SPDX-License-Identifier: MIT
#pragma once

#include "mpi/communicator.hpp"
#include "options/run_config.hpp"

namespace popflow::apps {

/// Replaces an automatic precision by what the training will use: on a resume what it used before, else bf16
/// if every rank's CPU has it. Collective.
/// @throws core::ConfigError if bf16 is asked for and a CPU has it not
void settle_precision(options::RunConfig& config, const mpi::Communicator& comm);

}  // namespace popflow::apps
