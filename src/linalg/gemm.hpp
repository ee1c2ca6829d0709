// SPDX-License-Identifier: MIT
#pragma once

#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// C = alpha op(A) op(B) + beta C, where op transposes if asked: the one door to the kernel library, or to
/// kernels of our own where those are faster (CPUs with AVX2 and no AVX-512).
///
/// The work is cut into fixed blocks of the rows of C, each computed by one thread, so that the result has
/// the same bits for any number of threads; inside a parallel region the blocks run one after the other. With
/// beta = 0, C need not be initialised.
///
/// Shapes:  op(A) [m, k], op(B) [k, n], C [m, n].
/// @throws ShapeMismatch; NumericalError if the kernel library refuses the call
void gemm(bool transpose_a, bool transpose_b, float alpha, ConstMatrixView<float> a, ConstMatrixView<float> b,
          float beta, MatrixView<float> c);

/// The same in double by plain loops: for gradient checks, not for speed.
void gemm(bool transpose_a, bool transpose_b, double alpha, ConstMatrixView<double> a,
          ConstMatrixView<double> b, double beta, MatrixView<double> c);

/// Name and version of the kernel library, and what is not left to it.
const char* gemm_library();

}  // namespace popflow::linalg
