// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::ot {

/// Semi-dual function of entropic transport, with its gradient and Newton step:
/// D(f) = <a, f> - eps sum_j b_j log sum_i a_i exp((f_i - c_ij) / eps).
///
/// Works in the log domain in double, on one thread.
///
/// Shapes:  c [n, m], a [n] and b [m]: weights > 0 with sum 1. The views must outlive the object.
///          Memory: 8 n m bytes.
/// Source:  Cuturi and Peyre, "A smoothed dual approach for variational Wasserstein problems", SIAM J.
/// Imaging
///          Sci. 9, 2016.
class SemiDual {
  public:
    SemiDual(linalg::ConstMatrixView<double> c, std::span<const double> a, std::span<const double> b);

    /// Computes value and gradient at f [n], in units of the cost.
    void evaluate(std::span<const double> f, double epsilon);
    double value() const { return value_; }
    /// 1-norm of the gradient, the error of the row marginals.
    double error() const;
    /// Derivative with respect to f_i: a_i - sum_j P_ij.
    double gradient(std::size_t i) const { return a_[i] - rows_[i]; }
    /// Returns the Newton step [n] of the last evaluation.
    std::vector<double> newton_step() const;
    /// Returns the change of f [n] by one iteration of Sinkhorn, which never lowers the value.
    std::vector<double> sinkhorn_step() const;
    /// Returns the optimal column potentials [m] for the f of the last evaluation, in units of the cost.
    std::vector<double> column_potentials() const;

  private:
    struct Gram;

    linalg::ConstMatrixView<double> c_;
    std::span<const double> a_;
    std::span<const double> b_;
    double epsilon_ = 1;
    double value_ = 0;
    linalg::AlignedVector<double> plan_;     // [n, m], P_ij S_j / b_j
    linalg::AlignedVector<double> highest_;  // [m]
    linalg::AlignedVector<double> sums_;     // [m], S_j
    linalg::AlignedVector<double> shares_;   // [m], b_j / S_j
    std::vector<double> rows_;               // [n], P 1
};

}  // namespace popflow::ot
