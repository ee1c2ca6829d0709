// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "linalg/bfloat16.hpp"
#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// Constants of SELU(x) = lambda x for x > 0, lambda alpha (e^x - 1) otherwise.
/// Source: Klambauer et al., "Self-normalizing neural networks", NeurIPS 2017, eq. 2.
inline constexpr double selu_alpha = 1.6732632423543772848170429916717;
inline constexpr double selu_lambda = 1.0507009873554804934193349852946;

/// Computes x = SELU(x + bias) in place and z = x rounded to T, on the calling thread.
///
/// Shapes:  x, z [n, h], bias [h].
/// @throws ShapeMismatch
template <class T>
void selu_forward(MatrixView<accumulator_t<T>> x, std::span<const accumulator_t<T>> bias, MatrixView<T> z);

/// Backward pass of selu_forward(), on the calling thread:
/// - dx *= SELU' in place, computed from the output z: lambda where z > 0, z + lambda alpha otherwise,
/// - dz = dx rounded to T,
/// - sums[j] += sum over i of dx(i, j), in the order of i.
///
/// Shapes:  z, dx, dz [n, h], sums [h].
/// @throws ShapeMismatch
template <class T>
void selu_backward(ConstMatrixView<T> z, MatrixView<accumulator_t<T>> dx, MatrixView<T> dz,
                   std::span<accumulator_t<T>> sums);

/// Rounds x to bfloat16, on the calling thread. Shapes: x, out [n, h].
/// @throws ShapeMismatch
void round_rows(ConstMatrixView<float> x, MatrixView<bfloat16> out);

}  // namespace popflow::linalg
