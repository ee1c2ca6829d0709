// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "linalg/bfloat16.hpp"
#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// Slope of LeakyReLU for negative arguments, the default of PyTorch.
inline constexpr double leaky_relu_slope = 0.01;

/// Computes z = LeakyReLU(x + bias), rounded to T, on the calling thread.
///
/// Shapes:  x, z [n, h], bias [h].
/// @throws ShapeMismatch
template <class T>
void leaky_relu_forward(ConstMatrixView<accumulator_t<T>> x, std::span<const accumulator_t<T>> bias,
                        MatrixView<T> z);

/// Backward pass of leaky_relu_forward(), on the calling thread:
/// - dz = dx LeakyReLU', rounded to T, where the slope follows from the sign of the output z,
/// - sums[j] += sum over i of dz(i, j) before rounding, in the order of i.
///
/// Shapes:  z, dx, dz [n, h], sums [h].
/// @throws ShapeMismatch
template <class T>
void leaky_relu_backward(ConstMatrixView<T> z, ConstMatrixView<accumulator_t<T>> dx, MatrixView<T> dz,
                         std::span<accumulator_t<T>> sums);

/// Copies x to `out`, rounded to T, and adds its column sums: sums[j] += sum over i of x(i, j), in the order
/// of i. On the calling thread. `out` may be `x`.
///
/// Shapes:  x, out [n, h], sums [h].
/// @throws ShapeMismatch
template <class T>
void round_and_sum_rows(ConstMatrixView<accumulator_t<T>> x, MatrixView<T> out,
                        std::span<accumulator_t<T>> sums);

/// Adds the bias to x and rounds to T: out = x + bias, on the calling thread. `out` may be `x`.
///
/// Shapes:  x, out [n, h], bias [h].
/// @throws ShapeMismatch
template <class T>
void add_bias_and_round_rows(ConstMatrixView<accumulator_t<T>> x, std::span<const accumulator_t<T>> bias,
                             MatrixView<T> out);

}  // namespace popflow::linalg
