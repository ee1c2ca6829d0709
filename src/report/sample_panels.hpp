// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "eval/results.hpp"

namespace popflow::report {

/// The sampled pairs of a result file as HTML, one fold each: control, predicted and treated cells in two
/// principal components (of the three together), the densities of the markers that the treatment moves
/// most, and with two markers the cells on their way. Empty if the file has no samples.
std::string sample_panels(const eval::Results& results);

/// The markers whose means differ most between control and treated cells, in standard deviations of the
/// control; at most `count`, the largest first. One that is constant in the control is measured by the
/// treated cells' deviation.
std::vector<std::size_t> moved_markers(const eval::CellSample& sample, std::size_t count);

}  // namespace popflow::report
