// SPDX-License-Identifier: MIT
#pragma once

#include "linalg/matrix.hpp"

/// Single-precision matrix products for CPUs with AVX2 and no AVX-512, on which oneDNN 2.6 reaches about half
/// of the peak performance. Only for the sources of linalg.
///
/// The order in which an element of a product is summed depends on the inner size only. Hence its bits do not
/// depend on how the rows of C are split into blocks.
namespace popflow::linalg::avx2 {

/// Returns whether the CPU can run the kernels of this file (AVX2 and FMA).
bool is_available();

/// Returns whether products should use the kernels of this file: the CPU can run them, and AVX2 is the best
/// instruction set that oneDNN may use. The environment variable DNNL_MAX_CPU_ISA limits the sets of oneDNN.
bool is_preferred();

/// Right factor of a product, packed into panels of as many columns as a kernel computes at a time. A panel
/// is stored row by row. Reading it is thread-safe.
class Panels {
  public:
    /// Packs op(b), [k, n], where op transposes if `transpose`. Reuses the storage if it is large enough.
    void pack(bool transpose, ConstMatrixView<float> b);
    std::size_t rows() const { return rows_; }
    std::size_t cols() const { return cols_; }
    /// Returns row l of panel p. The rows of a panel are contiguous.
    const float* panel(std::size_t p, std::size_t l) const;

  private:
    std::size_t rows_ = 0, cols_ = 0;
    AlignedVector<float> values_;
};

/// Computes C = alpha op(A) B + beta C on the calling thread. With beta = 0, C may be uninitialised.
///
/// Shapes:  op(A) [m, k], B [k, n], C [m, n].
void multiply(float alpha, bool transpose_a, ConstMatrixView<float> a, const Panels& b, float beta,
              MatrixView<float> c);

/// Adds a product with a transposed left factor, C += A^T B, on the calling thread.
///
/// Shapes:  A [k, m], B [k, n], C [m, n].
void add_transposed_product(ConstMatrixView<float> a, ConstMatrixView<float> b, MatrixView<float> c);

}  // namespace popflow::linalg::avx2
