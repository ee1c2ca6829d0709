// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"
#include "ot/sinkhorn.hpp"

namespace popflow::ot {

/// Atoms of a histogram that have mass.
struct Histogram {
    std::vector<std::uint32_t> atoms;  ///< ascending
    std::vector<double> weights;       ///< [atoms], positive, sum 1
    double total = 0;                  ///< sum of the weights before they were divided by it
};

/// Leaves out the atoms without mass and divides the weights by their sum.
///
/// @param place  name of the histogram, for messages
/// @throws core::NumericalError if a weight is negative or not finite, or there is no mass
Histogram make_histogram(std::span<const double> weights, const std::string& place);

/// Returns the positions of the atoms of a histogram that have mass.
///
/// Shapes:  positions [all atoms, d]. The result [atoms with mass, d].
linalg::Matrix<double> atom_positions(const linalg::Matrix<double>& positions, const Histogram& histogram);

/// Transport problem between two histograms, without the atoms that have no mass.
struct HistogramProblem {
    const Histogram& source;
    const Histogram& target;
    linalg::Matrix<double> c;  ///< costs between the atoms with mass
};

/// Gathers the costs between the atoms of two histograms, which must outlive the problem.
///
/// Shapes:  c [n, m], costs between all atoms.
/// @throws core::ShapeMismatch if an atom of a histogram is outside c
HistogramProblem histogram_problem(linalg::ConstMatrixView<double> c, const Histogram& source,
                                   const Histogram& target);

/// Returns the potentials of all atoms for the potentials of a problem with entropy. An atom without mass
/// gets the potential that its update would give: f_i = -eps log sum_j b_j exp((g_j - c_ij) / eps).
///
/// With epsilon 0 the update is that of exact transport: f_i = min_j c_ij - g_j.
///
/// Shapes:  c [n, m], the full costs of histogram_problem(). The result has f [n] and g [m].
Potentials extended_potentials(const HistogramProblem& problem, linalg::ConstMatrixView<double> c,
                               double epsilon, const Potentials& potentials);

}  // namespace popflow::ot
