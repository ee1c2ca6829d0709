// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "linalg/bfloat16.hpp"
#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// Scales and shifts each column, on the calling thread: out(i, j) = (1 + scale[j]) x(i, j) + shift[j],
/// rounded to T.
///
/// Shapes:  x, out [n, h], scale, shift [h].
/// Source: Perez et al., "FiLM: visual reasoning with a general conditioning layer", AAAI 2018, equation 2.
/// @throws ShapeMismatch
template <class T>
void modulate_rows(ConstMatrixView<T> x, std::span<const accumulator_t<T>> scale,
                   std::span<const accumulator_t<T>> shift, MatrixView<T> out);

/// Backward pass of modulate_rows(), on the calling thread. With the gradient d of `out`:
/// - dscale[j] += sum over i of d(i, j) x(i, j), and dshift[j] += sum over i of d(i, j), in the order of i,
/// - d(i, j) is replaced by the gradient of x, (1 + scale[j]) d(i, j).
///
/// Shapes:  x, d [n, h], scale, dscale, dshift [h].
/// @throws ShapeMismatch
template <class T>
void modulate_rows_backward(ConstMatrixView<T> x, std::span<const accumulator_t<T>> scale,
                            MatrixView<accumulator_t<T>> d, std::span<accumulator_t<T>> dscale,
                            std::span<accumulator_t<T>> dshift);

/// Adds the output of a gated branch, on the calling thread, with u = x + bias:
/// - h(i, j) += (1 + gate[j]) u(i, j),
/// - u is stored, rounded to T, for the backward pass.
///
/// Shapes:  x, u, h [n, h], bias, gate [h].
/// @throws ShapeMismatch
template <class T>
void add_gated_rows(ConstMatrixView<accumulator_t<T>> x, std::span<const accumulator_t<T>> bias,
                    std::span<const accumulator_t<T>> gate, MatrixView<T> u, MatrixView<accumulator_t<T>> h);

/// Backward pass of add_gated_rows(), on the calling thread. With the gradient dh of h:
/// - du(i, j) = (1 + gate[j]) dh(i, j), rounded to T,
/// - sums[j] += sum over i of du(i, j) before rounding, in the order of i,
/// - dgate[j] += sum over i of dh(i, j) u(i, j), in the order of i.
///
/// Shapes:  dh, u, du [n, h], gate, sums, dgate [h].
/// @throws ShapeMismatch
template <class T>
void gated_rows_backward(ConstMatrixView<accumulator_t<T>> dh, std::span<const accumulator_t<T>> gate,
                         ConstMatrixView<T> u, MatrixView<T> du, std::span<accumulator_t<T>> sums,
                         std::span<accumulator_t<T>> dgate);

}  // namespace popflow::linalg
