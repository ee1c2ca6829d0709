// SPDX-License-Identifier: MIT
#pragma once

#include "linalg/matrix.hpp"

/// Products of floats for CPUs with AVX2 and no AVX-512, where those of the kernel library make half of what
/// the machine can; for sources of linalg alone. Element (i, j) of a product is summed in an order that
/// follows from the inner size alone, so that it has the same bits in whatever blocks of rows C is made.
namespace popflow::linalg::avx2 {

/// Whether the CPU can run what is below.
bool available();

/// Whether products are to be made here: where available() and the kernel library, which can be told to leave
/// sets of instructions alone (DNNL_MAX_CPU_ISA), would use AVX2.
bool preferred();

/// The right factor of a product, in panels of so many columns as a kernel takes, each row after row. Once
/// packed, any number of threads may use it.
class Panels {
  public:
    /// Takes op(b), [k, n], where op transposes if asked. The storage is kept if it is large enough.
    void pack(bool transpose, ConstMatrixView<float> b);
    std::size_t rows() const { return rows_; }
    std::size_t cols() const { return cols_; }
    /// Row l of panel p, which holds rows() of them one after the other.
    const float* panel(std::size_t p, std::size_t l) const;

  private:
    std::size_t rows_ = 0, cols_ = 0;
    AlignedVector<float> values_;
};

/// C = alpha op(A) B + beta C, by the calling thread alone; with beta = 0, C need not be initialised.
///
/// Shapes:  op(A) [m, k], B [k, n], C [m, n].
void multiply(float alpha, bool transpose_a, ConstMatrixView<float> a, const Panels& b, float beta,
              MatrixView<float> c);

/// C += A^T B, by the calling thread alone.
///
/// Shapes:  A [k, m], B [k, n], C [m, n].
void add_transposed_product(ConstMatrixView<float> a, ConstMatrixView<float> b, MatrixView<float> c);

}  // namespace popflow::linalg::avx2
