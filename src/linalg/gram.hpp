// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// Overwrites the lower triangle of `gram` with that of (x - centre)' (x - centre), in double precision.
///
/// Uses all threads. The order of the sums is fixed, so the result has the same bits for any number of them.
/// Shapes:  x [n, d], centre [d], gram [d, d], whose upper triangle is unspecified.
void centred_gram(ConstMatrixView<float> x, std::span<const float> centre, MatrixView<double> gram);

/// Overwrites `out` with (x - centre)' (x - centre) v, in double precision, without the matrix of d x d.
///
/// Uses all threads, with a fixed order of the sums.
/// Shapes:  x [n, d], centre [d], v [d, k], out [d, k].
void centred_gram_product(ConstMatrixView<float> x, std::span<const float> centre, ConstMatrixView<double> v,
                          MatrixView<double> out);

}  // namespace popflow::linalg
