// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "eval/problem_solver.hpp"

namespace popflow::eval {

/// Returns a start from the potentials that a trained model predicts (models::DualPredictor).
/// @param run  run folder of the training
/// @throws core::ConfigError if the method does not predict potentials, or was trained on other atoms
/// @throws core::DataError if the run cannot be read
ProblemStart predicted_start(const std::string& run, const problems::ProblemSet& problems);

}  // namespace popflow::eval
