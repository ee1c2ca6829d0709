// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "predict/prediction_file.hpp"

namespace popflow::apps {

/// Prints a line on standard error.
void print_note(const std::string& text);

/// Prints a line for each column of obs and var that a prediction file leaves out.
void print_left_out(const predict::PredictionFile& file);

/// Prints how many predicted cells are outside the range of the training cells, if any are.
/// @param cells  number of cells of the file
void print_outside(const predict::PredictionFile& file, const std::vector<std::string>& markers,
                   std::size_t cells);

}  // namespace popflow::apps
