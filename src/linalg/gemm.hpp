// SPDX-License-Identifier: MIT
#pragma once

#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// Computes C = alpha op(A) op(B) + beta C, where op transposes its argument if the flag is set.
///
/// Uses popflow's own kernels on CPUs with AVX2 and no AVX-512, where they are faster, and oneDNN elsewhere.
/// The rows of C are split into blocks of fixed size and each block is computed by one thread. Hence the
/// result is bitwise identical for any number of threads. Inside a parallel region the blocks run
/// sequentially. With beta = 0, C may be uninitialised.
///
/// Shapes:  op(A) [m, k], op(B) [k, n], C [m, n].
/// @throws ShapeMismatch if the shapes do not fit
/// @throws NumericalError if oneDNN refuses the call
/// @throws std::bad_alloc if there is no memory for the code of oneDNN's kernels
void gemm(bool transpose_a, bool transpose_b, float alpha, ConstMatrixView<float> a, ConstMatrixView<float> b,
          float beta, MatrixView<float> c);

/// Computes the product in double with plain loops. It is the reference for gradient checks and slow.
void gemm(bool transpose_a, bool transpose_b, double alpha, ConstMatrixView<double> a,
          ConstMatrixView<double> b, double beta, MatrixView<double> c);

/// Returns the name and version of oneDNN, and which products use popflow's own kernels instead.
const char* gemm_library();

}  // namespace popflow::linalg
