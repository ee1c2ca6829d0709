// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "mpi/communicator.hpp"
#include "options/run_config.hpp"

namespace popflow::apps {

/// Path of the selection of --method auto in a run folder.
std::string selection_path(const std::string& run);

/// Result of the selection of a method.
struct Selected {
    bool stopped = false;  ///< on request, with the finished folds in the file
    std::string words{};   ///< which method was chosen and why
};

/// Chooses the method of --method auto by a cross-validation within the training part, and sets the options
/// of the chosen method. Collective.
///
/// The ranks share the folds. Each fold is trained by one rank with all its threads, so that the result is
/// the same on any number of ranks. Rank 0 stores the finished folds in selection_path(). With --resume they
/// are not trained again.
/// @throws core::ConfigError for a stored selection of another configuration, and as a training
Selected select_method(options::RunConfig& config, const options::OptionTable& table,
                       const mpi::Communicator& comm);

/// Sets the options that a complete selection in the run folder has chosen.
/// @return false if there is none, or if the method was given
/// @throws core::DataError for a damaged file
bool apply_stored_selection(const options::RunConfig& config, const options::OptionTable& table);

/// Plan of a selection.
struct PlannedSelection {
    std::string text{};     ///< in one line
    std::size_t folds = 0;  ///< number of trainings before that of the chosen method
};

/// Sets the options of the flow that the selection trains, for the plan of a dry run.
PlannedSelection plan_selection(options::RunConfig& config, const options::OptionTable& table,
                                const mpi::Communicator& comm);

}  // namespace popflow::apps
