// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "eval/problem_results.hpp"
#include "report/figure.hpp"

namespace popflow::report {

/// Mean course of the marginal error of one way of solving.
struct ErrorCurve {
    std::string label;
    std::size_t group = 0;     ///< index of the colour: position among solver_scores()
    std::size_t problems = 0;  ///< number of problems of the mean
    std::vector<double> iterations{};
    std::vector<double> seconds{};  ///< mean time at which the iteration ended
    std::vector<double> errors{};   ///< mean marginal error after the iteration
};

/// Returns the mean curves of `/convergence`.
///
/// A mean is over all problems of a way of solving. Between two recorded iterations the error of a problem is
/// interpolated geometrically and its time linearly. A problem that has stopped keeps its last error and
/// time. Curves begin with the first iteration that all problems have reached, and have at most 300 points.
std::vector<ErrorCurve> error_curves(const eval::ProblemResults& results);

/// Returns the figures of the error against iterations and against seconds. Empty without `/convergence`.
std::vector<Figure> convergence_figures(const eval::ProblemResults& results);

/// Returns the names of the populations in the order of average_linkage_order().
std::vector<std::string> ordered_populations(const eval::DistanceMatrix& distances);

/// Returns a heat map of `/distances`, whose rows have the order of average_linkage_order(). Empty without
/// distances.
///
/// A map of up to 12 populations shows the values. One of more than 640 populations shows the means of blocks
/// of neighbours.
std::vector<Figure> distance_figures(const eval::ProblemResults& results);

/// Returns the figures of all result files, each with a unique file name without its extension.
std::vector<std::pair<std::string, Figure>> named_problem_figures(
    const std::vector<eval::ProblemResults>& results);

}  // namespace popflow::report
