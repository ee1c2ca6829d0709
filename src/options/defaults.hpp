// SPDX-License-Identifier: MIT
#pragma once

#include <set>
#include <string>

#include "options/run_config.hpp"

namespace popflow::options {

/// Defaults that depend on the method and the recipe, for the options that were not given.
///
/// Recipe `popflow`: what this program finds best. Recipe `paper`: training and evaluation as published
/// (Atanackovic et al., ICLR 2025, and the authors' code): one pair a step, constant rate 1e-4 without
/// warm-up, clipping or running mean of the weights; velocity and encoder updated by turns with cached
/// embeddings; a linear encoder; FM and CGFM coupled by optimal transport; the first rows of a population
/// scored. Method icnn has the optimiser of CellOT in both.
/// @throws core::ConfigError for options that cannot go together
void apply_defaults(RunConfig& config, const std::set<std::string>& given);

}  // namespace popflow::options
