// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "mpi/communicator.hpp"
#include "options/run_config.hpp"
#include "screen/screen.hpp"
#include "screen/splits.hpp"
#include "train/training_run.hpp"

namespace popflow::apps {

/// Sizes of a planned training.
struct PlannedModel {
    std::size_t treatments = 0;
    std::size_t parameters = 0;
    bool is_one_pass = false;  ///< trains without gradients
    std::string latent{};      ///< latent space in words, empty without one
};

/// Describes in lines of text what a training with these settings would do, from the metadata alone, and
/// the notes. Collective. Only rank 0 gets the text, other ranks an empty one.
std::string training_plan(const options::RunConfig& config, const screen::Screen& screen,
                          const screen::Split& split, const std::vector<std::string>& notes,
                          const PlannedModel& model, const mpi::Communicator& comm);

/// Describes the memory and time that a dry run has measured, in the same way.
/// @param trainings  number of trainings of this size, whose total time is added if there are several
/// @param selection_folds  number of trainings of --method auto before each of them
std::string timed_plan(const options::RunConfig& config, const train::TrainingRun& run,
                       const train::DryRun& dry_run, const mpi::Communicator& comm, std::size_t trainings = 1,
                       std::size_t selection_folds = 0);

}  // namespace popflow::apps
