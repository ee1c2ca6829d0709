// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "eval/results.hpp"
#include "report/figure.hpp"

namespace popflow::report {

/// Figures of one sampled pair.
struct SampledPairFigures {
    std::string pair;  ///< name of the pair
    std::vector<Figure> figures{};
};

/// Returns the figures of the sampled pairs of a result file.
///
/// They show the control, predicted and treated cells and those of the mean shift in two principal components
/// of all of them, and the densities of moved_markers(). With two markers they also show the cells at
/// intermediate flow times.
std::vector<SampledPairFigures> sample_figures(const eval::Results& results);

/// Returns the figures of the pairs as HTML, each pair in a collapsible section. Empty without pairs.
std::string sample_panels(const std::vector<SampledPairFigures>& pairs);

/// Returns at most `count` markers with the largest treatment effect, the largest first.
///
/// The effect is |mean(treated) - mean(control)| / sd(control). If the marker is constant in the control,
/// sd(treated) is used. If it is constant in both, the effect is 0.
std::vector<std::size_t> moved_markers(const eval::CellSample& sample, std::size_t count);

}  // namespace popflow::report
