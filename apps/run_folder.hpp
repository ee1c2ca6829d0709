// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/folder_lock.hpp"
#include "eval/results.hpp"
#include "predict/run_model.hpp"
#include "train/checkpoint.hpp"
#include "verbs.hpp"

namespace popflow::apps {

/// Path of the log file of a run folder.
std::string log_path(const std::string& run);

/// Creates the run folder config.output if it does not exist, and locks it for this training. Collective:
/// when it returns on any rank, rank 0 has the lock.
/// @return the lock on rank 0, null on other ranks
/// @throws core::UserError if the folder cannot be created or written, another training has locked it, or it
/// contains a trained model and --resume is not given
std::unique_ptr<core::FolderLock> lock_run_folder(const options::RunConfig& config,
                                                  const mpi::Communicator& comm);

/// Checks that a training can write into the run folder config.output, without creating it.
/// @throws core::ConfigError as lock_run_folder()
void check_run_folder(const options::RunConfig& config);

/// Reads the model of config.run. Sets the configuration to that of the run, overridden by the command line.
/// @throws core::UserError as predict::read_run(), and for an option that a trained run cannot change
train::Checkpoint open_run(options::RunConfig& config, const options::OptionTable& table,
                           const Arguments& arguments, const std::vector<options::Section>& sections);

/// Opens config.data with the markers of a run, in the order of the run.
/// @param need_pairs  see ScreenOptions::need_pairs
/// @throws core::DataError, for example for a missing marker
screen::Screen open_run_screen(const options::RunConfig& config, const train::Checkpoint& checkpoint,
                               bool need_pairs);

/// Same as open_run_screen(), after checking that all ranks have the same configuration and run and see the
/// same file. Collective. @throws core::Error as check_same_on_all_ranks()
screen::Screen open_same_run_screen(const options::RunConfig& config, const options::OptionTable& table,
                                    const train::Checkpoint& checkpoint, bool need_pairs,
                                    const mpi::Communicator& comm);

/// Describes the origin of results, for the files that contain them.
predict::Provenance provenance(const options::RunConfig& config, const train::Checkpoint& checkpoint,
                               const screen::Screen& screen, const std::string& config_text,
                               const mpi::Communicator& comm);

}  // namespace popflow::apps
