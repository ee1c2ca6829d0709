// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/folder_lock.hpp"
#include "eval/results.hpp"
#include "predict/trained_model.hpp"
#include "train/checkpoint.hpp"
#include "verbs.hpp"

namespace popflow::apps {

std::string checkpoint_path(const std::string& run);
std::string weights_path(const std::string& run);
std::string log_path(const std::string& run);

/// The model of a run folder: its checkpoint.h5, or where there is none its weights.h5.
/// @throws core::UserError
train::Checkpoint read_model(const std::string& run);

/// Makes the run folder config.output if there is none and keeps it to this training, on rank 0; elsewhere
/// empty. Collective: when it returns, no other training writes there.
/// @throws core::UserError if it cannot be made or written to, another training has it, or it holds a trained
/// model and the training is not to go on with it
std::unique_ptr<core::FolderLock> lock_run_folder(const options::RunConfig& config,
                                                  const mpi::Communicator& comm);

/// read_model() of config.run, and the configuration as that run, then the command line, says.
/// @throws core::UserError for a folder without a checkpoint, or an option that a trained run cannot change
train::Checkpoint open_run(options::RunConfig& config, const options::OptionTable& table,
                           const Arguments& arguments, const std::vector<options::Section>& sections);

/// Opens config.data with the markers that a run was trained on, in their order, wherever the file has them.
/// @throws core::DataError, as for a marker that is missing
screen::Screen open_screen_of_run(const options::RunConfig& config, const train::Checkpoint& checkpoint,
                                  bool need_pairs);

/// The same once all ranks are known to have the same configuration and to see the same file and run.
/// Collective.
screen::Screen open_agreed_screen_of_run(const options::RunConfig& config, const options::OptionTable& table,
                                         const train::Checkpoint& checkpoint, bool need_pairs,
                                         const mpi::Communicator& comm);

/// Refers to the model and the checkpoint.
predict::TrainedModel trained_model(const models::Model& model, const train::Checkpoint& checkpoint);

predict::Provenance provenance(const options::RunConfig& config, const train::Checkpoint& checkpoint,
                               const screen::Screen& screen, const std::string& config_text,
                               const mpi::Communicator& comm);

}  // namespace popflow::apps
