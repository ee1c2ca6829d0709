// SPDX-License-Identifier: MIT
#pragma once

#include "mpi/communicator.hpp"
#include "options/run_config.hpp"

namespace popflow::apps {

/// Replaces an automatic precision by that of the training: on a resume the earlier one, otherwise bf16 if
/// the CPUs of all ranks support it, else fp32. Collective.
/// @throws core::ConfigError if bf16 is requested but the method or the CPU of a rank does not support it
void resolve_precision(options::RunConfig& config, const mpi::Communicator& comm);

}  // namespace popflow::apps
