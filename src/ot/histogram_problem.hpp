// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"
#include "ot/sinkhorn.hpp"

namespace popflow::ot {

/// Transport problem between two histograms, without the atoms that have no mass.
struct HistogramProblem {
    std::vector<std::uint32_t> rows;  ///< source atoms with mass
    std::vector<std::uint32_t> cols;  ///< target atoms with mass
    std::vector<double> a;            ///< [rows], positive, sum 1
    std::vector<double> b;            ///< [cols], positive, sum 1
    linalg::Matrix<double> c;         ///< [rows, cols] costs between them
};

/// Leaves out the atoms without mass and divides the weights by their sums.
///
/// Shapes:  c [n, m], a [n], b [m].
/// @throws core::ShapeMismatch if a histogram has the wrong length
/// @throws core::NumericalError if a weight is negative or not finite, or a histogram has no mass. `where` is
///         `source` or `target`.
HistogramProblem histogram_problem(linalg::ConstMatrixView<double> c, std::span<const double> a,
                                   std::span<const double> b);

/// Returns the potentials of all atoms for the potentials of a problem with entropy. An atom without mass
/// gets the potential that its update would give: f_i = -eps log sum_j b_j exp((g_j - c_ij) / eps).
///
/// Shapes:  c [n, m], the full costs of histogram_problem(). The result has f [n] and g [m].
Potentials extended_potentials(const HistogramProblem& problem, linalg::ConstMatrixView<double> c,
                               double epsilon, const Potentials& potentials);

}  // namespace popflow::ot
