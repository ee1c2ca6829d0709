// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "linalg/bfloat16.hpp"
#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// Constant that is added to the variance of a row, the default of PyTorch's LayerNorm.
inline constexpr double normalisation_epsilon = 1e-5;

/// Normalises each row of x + shift to mean 0 and variance 1, on the calling thread:
/// out(i, j) = (x(i, j) + shift[j] - mean_i) inverse[i], rounded to T, with
/// inverse[i] = 1 / sqrt(variance_i + epsilon). The variance is that of the row's elements, without Bessel's
/// correction.
///
/// Shapes:  x, out [n, h], shift [h], inverse [n].
/// Source: Ba, Kiros and Hinton, "Layer normalization", 2016, eq. 4.
/// @throws ShapeMismatch
template <class T>
void normalise_rows(ConstMatrixView<accumulator_t<T>> x, std::span<const accumulator_t<T>> shift,
                    MatrixView<T> out, std::span<accumulator_t<T>> inverse);

/// Backward pass of normalise_rows(), on the calling thread. With the gradient d of `out`, adds the gradient
/// of x, g(i, j) = inverse[i] (d(i, j) - mean_j d(i, j) - out(i, j) mean_j (d(i, j) out(i, j))):
/// - dx(i, j) += g(i, j),
/// - sums[j] += sum over i of g(i, j), in the order of i.
///
/// Shapes:  out, d, dx [n, h], inverse [n], sums [h].
/// @throws ShapeMismatch
template <class T>
void normalise_rows_backward(ConstMatrixView<T> out, std::span<const accumulator_t<T>> inverse,
                             ConstMatrixView<accumulator_t<T>> d, MatrixView<accumulator_t<T>> dx,
                             std::span<accumulator_t<T>> sums);

}  // namespace popflow::linalg
