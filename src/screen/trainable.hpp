// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "screen/conditions.hpp"
#include "screen/screen.hpp"
#include "screen/splits.hpp"

namespace popflow::screen {

/// Checks that each treatment with pairs has a vector. Does nothing without vectors.
/// @throws core::ConfigError if a treatment has none
void check_vectors(const Screen& screen, const TreatmentVectors& vectors);

/// Decides whether a split can be trained and scored. Every verb that splits data for a training uses this
/// function.
///
/// @param vectors  none for one-hot codes
/// @return  notes for the user, for example about test pairs that cannot be scored
/// @throws core::ConfigError if there is no pair to train on, if no test pair can be scored because its
/// treatment has no code, or if a treatment has no vector
std::vector<std::string> check_can_train(const Screen& screen, const Split& split,
                                         const TreatmentVectors& vectors);

/// Decides whether a trained model can be scored on some pairs.
/// @param trained  conditions of the model
/// @return  notes for the user
/// @throws core::ConfigError if it can be scored on none of them
std::vector<std::string> check_can_score(const Screen& screen, std::span<const std::size_t> pairs,
                                         const Conditions& trained);

}  // namespace popflow::screen
