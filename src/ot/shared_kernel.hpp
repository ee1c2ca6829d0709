// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "linalg/matrix.hpp"

namespace popflow::ot {

/// Kernel exp((lowest - c_ij) / epsilon) between all atoms of both sides, computed once for many problems
/// whose atoms are among them. `lowest` is the smallest cost.
class SharedKernel {
  public:
    /// Shapes:  c [n, m], finite. Memory: 8 n m bytes.
    SharedKernel(linalg::ConstMatrixView<double> c, double epsilon);

    linalg::ConstMatrixView<double> values() const { return values_.view(); }
    double lowest() const { return lowest_; }
    double epsilon() const { return epsilon_; }

  private:
    linalg::Matrix<double> values_;
    double lowest_;
    double epsilon_;
};

/// Part of a SharedKernel that belongs to the atoms of one problem.
struct KernelPart {
    const SharedKernel* kernel = nullptr;
    std::span<const std::uint32_t> rows;  ///< [n], source atoms of the problem
    std::span<const std::uint32_t> cols;  ///< [m], target atoms of the problem
};

/// Checks that a part fits a problem.
///
/// @throws core::ShapeMismatch if the numbers of atoms differ, or an atom is not in the kernel
/// @throws core::NumericalError if epsilon differs
void check_kernel_part(const KernelPart& part, std::size_t n, std::size_t m, double epsilon);

}  // namespace popflow::ot
