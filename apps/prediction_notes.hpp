// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "predict/prediction_file.hpp"
#include "train/checkpoint.hpp"

namespace popflow::apps {

/// Prints a note as one line on standard error.
void print_note(const std::string& text);

/// Prints the notes about the data that a training prints too, on rank 0: on rows and labels
/// (screen::reading_notes()) and on values (screen::value_notes()). Collective.
void print_data_notes(const screen::Screen& screen, const mpi::Communicator& comm);

/// Returns a note if the training of a run has not ended, else nothing.
std::string unfinished_note(const train::Checkpoint& checkpoint);
/// Prints this note on rank 0.
void print_unfinished(const train::Checkpoint& checkpoint, const mpi::Communicator& comm);

/// Prints a line for each column of obs and var that a prediction file leaves out.
void print_left_out(const predict::PredictionFile& file);

/// Prints how many predicted cells are outside the range of the training cells, if any are.
/// @param cells  number of cells of the file
void print_outside(const predict::PredictionFile& file, const std::vector<std::string>& markers,
                   std::size_t cells);

/// Prints which control populations are far from the training populations, see models::far_distance.
/// @param distances  models::relative_distance() of each of `names`, NaN if it is not known
void print_far(const std::vector<std::string>& names, const std::vector<double>& distances);

}  // namespace popflow::apps
