// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "linalg/bfloat16.hpp"
#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// SELU: lambda x for x > 0, lambda alpha (e^x - 1) otherwise.
/// Source: Klambauer et al., "Self-normalizing neural networks", NeurIPS 2017, eq. 2.
inline constexpr double selu_alpha = 1.6732632423543772848170429916717;
inline constexpr double selu_lambda = 1.0507009873554804934193349852946;

/// x = SELU(x + bias) in place, and z = x rounded to T; by the calling thread.
/// Shapes: x, z [n, h], bias [h].
template <class T>
void selu_forward(MatrixView<accumulator_t<T>> x, std::span<const accumulator_t<T>> bias, MatrixView<T> z);

/// dx *= SELU'(.) in place, from the output: SELU' = lambda where z > 0, z + lambda alpha otherwise; dz = dx
/// rounded to T; sums[j] += sum over i of dx(i, j), in the order of i. By the calling thread.
/// Shapes: z, dx, dz [n, h], sums [h].
template <class T>
void selu_backward(ConstMatrixView<T> z, MatrixView<accumulator_t<T>> dx, MatrixView<T> dz,
                   std::span<accumulator_t<T>> sums);

/// out = x rounded to bfloat16; by the calling thread.
void round_rows(ConstMatrixView<float> x, MatrixView<bfloat16> out);

}  // namespace popflow::linalg
