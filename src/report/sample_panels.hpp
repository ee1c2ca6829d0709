// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "eval/results.hpp"

namespace popflow::report {

/// Returns the sampled pairs of a result file as HTML, each in a collapsible section. Empty without samples.
///
/// A section shows the control, predicted and treated cells in two principal components of all three, and the
/// densities of moved_markers(). With two markers it also shows the cells at intermediate flow times.
std::string sample_panels(const eval::Results& results);

/// Returns at most `count` markers with the largest treatment effect, the largest first.
///
/// The effect is |mean(treated) - mean(control)| / sd(control). If the marker is constant in the control,
/// sd(treated) is used. If it is constant in both, the effect is 0.
std::vector<std::size_t> moved_markers(const eval::CellSample& sample, std::size_t count);

}  // namespace popflow::report
