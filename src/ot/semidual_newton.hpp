// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"
#include "ot/entropic.hpp"

namespace popflow::ot {

/// Options of solve_semidual_newton().
struct NewtonOptions {
    double epsilon = 0.01;                 ///< weight of the entropy, in units of the cost
    std::vector<double> tolerances{1e-6};  ///< as in EntropicOptions
    std::size_t max_iterations = 1000;     ///< number of Newton steps, over all levels of epsilon
    bool values = true;                    ///< as in EntropicOptions
    bool record_errors = false;            ///< as in EntropicOptions
    bool check_start = false;              ///< whether to use Fallback::check
};

/// Result of solve_semidual_newton(). An iteration is a Newton step.
struct NewtonResult : EntropicResult {
    std::size_t evaluations = 0;  ///< number of times that the gradient was computed
};

/// Solves the problem of solve_entropic() by damped Newton steps on the semi-dual
/// max_f <a, f> - eps sum_j b_j log sum_i a_i exp((f_i - c_ij) / eps),
/// where f belongs to the side with fewer atoms.
///
/// Its gradient is a - P 1 and its Hessian -(diag(P 1) - P diag(1 / b) P^T) / eps, where P 1 are the row
/// sums. Epsilon decreases by steps, because far from the solution the Hessian is singular when epsilon is
/// small. A step costs n^2 m operations and n^3 for the linear solve: use it for up to about 1000 atoms on
/// one side. The convergence is quadratic. Runs on the calling thread and is deterministic.
///
/// Shapes:  as solve_entropic().
/// Source:  Cuturi and Peyre, "A smoothed dual approach for variational Wasserstein problems", SIAM J.
/// Imaging
///          Sci. 9, 2016. Brauer, Clason, Lorenz and Wirth, "A Sinkhorn-Newton method for entropic optimal
///          transport", 2017.
///
/// @throws core::ShapeMismatch, core::NumericalError as solve_entropic()
NewtonResult solve_semidual_newton(linalg::ConstMatrixView<double> c, std::span<const double> a,
                                   std::span<const double> b, const NewtonOptions& options,
                                   const Potentials* start = nullptr);

}  // namespace popflow::ot
