// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/aligned.hpp"
#include "linalg/matrix.hpp"
#include "ot/shared_kernel.hpp"

namespace popflow::ot {

/// Kernel matrix of entropic transport, relative to reference potentials:
/// K_ij = b_j exp(f0_i + g0_j - c_ij / eps).
///
/// A Sinkhorn sweep multiplies with this matrix and computes no exponential of its elements. The reference
/// moves to the current potentials when they have drifted so far that elements could underflow (absorption).
/// Therefore no epsilon overflows or underflows.
///
/// Works in double on one thread. Potentials f and g are in units of epsilon, with P_ij = a_i b_j exp(f_i +
/// g_j - c_ij / eps). All weights must be positive: the caller leaves out atoms without mass.
///
/// Shapes:  c [n, m], a [n], b [m]. The views must outlive the kernel. Memory: 8 n m bytes.
/// Source:  Schmitzer, "Stabilized sparse scaling algorithms for entropy regularized transport problems",
///          SIAM J. Sci. Comput. 41, 2019.
class GibbsKernel {
  public:
    GibbsKernel(linalg::ConstMatrixView<double> c, std::span<const double> a, std::span<const double> b,
                double epsilon, const KernelPart& part = {});

    /// Updates f from g, then computes the update of g from the new f:
    /// f_i <- f_i + w (-log sum_j b_j exp(g_j - c_ij / eps) - f_i),
    /// image_j = -log sum_i a_i exp(f_i - c_ij / eps).
    ///
    /// A sweep that moves the reference uses w = 1, as does a row that w would change by a factor above
    /// e^200.
    ///
    /// @param g  [m]
    /// @param relaxation  w
    /// @param image  [m], overwritten
    /// @return  1-norm of the error of the marginals of the plan of (new f, g). For w = 1 the rows have none
    double sweep(std::span<const double> g, double relaxation, std::span<double> image);
    /// Returns f [n] of the last sweep.
    std::vector<double> row_potentials() const;

    /// Computes g_j = -log sum_i a_i exp(f_i - c_ij / eps) in the log domain.
    void update_columns(std::span<const double> f, std::span<double> g) const;

    /// Number of times that the reference moved, including the first sweep.
    std::size_t absorptions() const { return absorptions_; }

  private:
    void absorb(std::span<const double> g);
    void gather_weights();
    double compute_row(std::size_t i);
    bool compute_factors(std::span<const double> g);
    bool multiply(double relaxation);
    double relaxed(double updated, std::size_t i, double relaxation);
    double log_column_sum(std::span<const double> f, std::size_t j) const;

    linalg::ConstMatrixView<double> c_;
    std::span<const double> a_;
    std::span<const double> b_;
    double scale_;                            // 1 / eps
    KernelPart part_;                         // source of the exponentials, may be empty
    std::vector<double> gathered_;            // [m], weights of gathered elements
    double top_ = 0;                          // logarithm of the scale of gathered elements
    core::AlignedArray<double> kernel_;       // [n, m]
    linalg::AlignedVector<double> factors_;   // [m], exp(g_j - g0_j)
    linalg::AlignedVector<double> col_sums_;  // [m], sum_i a_i exp(f_i - f0_i) K_ij
    std::vector<double> row_factors_;         // [n], exp(f_i - f0_i)
    std::vector<double> f0_;
    std::vector<double> g0_;
    double row_error_ = 0;
    std::size_t absorptions_ = 0;
};

}  // namespace popflow::ot
