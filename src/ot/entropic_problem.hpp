// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"
#include "ot/sinkhorn.hpp"

namespace popflow::ot {

/// Values of a pair of potentials in the problem min <P, C> + eps KL(P | a b) over plans with marginals a and
/// b.
struct EntropicValues {
    double marginal_error = 0;  ///< ||P 1 - a||_1 + ||P^T 1 - b||_1 of the plan P of the potentials
    double transport_cost = 0;  ///< <P, C>
    double dual = 0;            ///< <a, f> + <b, g> - eps (sum P - 1), at most the optimal value
    double primal = 0;  ///< objective of a plan near P whose marginals are exact, at least the optimal value
};

/// Computes the values of potentials, with P_ij = a_i b_j exp((f_i + g_j - c_ij) / eps).
///
/// Shapes:  c [n, m], a [n], b [m]. Weights are positive with sum 1. Memory: 8 n m bytes.
/// @param potentials  f [n] and g [m] in units of the cost
/// Source:  the plan with exact marginals: Altschuler, Weed and Rigollet, "Near-linear time approximation
///          algorithms for optimal transport via Sinkhorn iteration", NeurIPS 2017, algorithm 2.
EntropicValues entropic_values(linalg::ConstMatrixView<double> c, std::span<const double> a,
                               std::span<const double> b, double epsilon, const Potentials& potentials);

/// Checks the shapes, weights and costs of a problem with entropy.
/// @param place  name of the caller, for messages
/// @throws core::ShapeMismatch if c is empty or a weight vector has the wrong length
/// @throws core::NumericalError if a weight is not positive and finite, or a cost is not finite
void check_entropic_problem(const std::string& place, linalg::ConstMatrixView<double> c,
                            std::span<const double> a, std::span<const double> b);

/// Checks the potentials f [n] and g [m] of a start. Each may be empty.
/// @param place  name of the caller, for messages
/// @throws core::ShapeMismatch, core::NumericalError if a potential is not finite
void check_potentials(const std::string& place, const Potentials& start, std::size_t n, std::size_t m);

/// Returns the optimal row potentials for given column potentials: f_i = -eps log sum_j b_j exp((g_j - c_ij)
/// / eps).
///
/// Shapes:  c [n, m], b and g [m]. The result [n].
std::vector<double> optimal_row_potentials(linalg::ConstMatrixView<double> c, std::span<const double> b,
                                           double epsilon, std::span<const double> g);

/// Computes the missing one of f and g as the largest potential that is feasible for exact transport:
/// g_j = min_i c_ij - f_i, or f_i = min_j c_ij - g_j.
///
/// Shapes:  c [n, m], f [n] or empty, g [m] or empty.
void complete_potentials(linalg::ConstMatrixView<double> c, Potentials& potentials);

/// Shifts f down and g up by the same constant, so that sum_i a_i f_i = 0.
void centre_potentials(std::span<const double> a, Potentials& potentials);

}  // namespace popflow::ot
