// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "mpi/communicator.hpp"
#include "options/run_config.hpp"

namespace popflow::apps {

/// Compares the populations of two files as sets, and prints the scores on rank 0. Collective.
/// @param files  generated and real populations
/// @return exit code
/// @throws core::ConfigError, core::DataError
int compare_set_files(const std::vector<std::string>& files, const options::RunConfig& config,
                      const options::OptionTable& table, const mpi::Communicator& comm);

}  // namespace popflow::apps
