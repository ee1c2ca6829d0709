// SPDX-License-Identifier: MIT
#pragma once

#include <set>
#include <string>

#include "options/run_config.hpp"

namespace popflow::options {

/// Sets the defaults that depend on the method and the recipe, for all options except those in `given`.
///
/// Recipe `popflow` has the settings that work best in this program. Recipe `paper` trains and evaluates as
/// published (Atanackovic et al., ICLR 2025, and the authors' code):
///   - one pair per step, a constant rate of 1e-4, no warm-up, no clipping, no moving average of the weights
///   - alternating updates of velocity and encoder, with cached embeddings
///   - a linear encoder
///   - FM and CGFM are coupled by optimal transport
///   - the first rows of a population are scored.
/// Method icnn has the optimiser of CellOT in both recipes.
/// @throws core::ConfigError for options that cannot be combined
void apply_defaults(RunConfig& config, const std::set<std::string>& given);

}  // namespace popflow::options
