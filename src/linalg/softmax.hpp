// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "linalg/bfloat16.hpp"
#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// Processes one block of columns of a softmax in base 2 whose rows arrive block by block, on the calling
/// thread. For row i:
/// - the maximum m of the scores so far replaces maximum[i],
/// - factor[i] = 2^(previous maximum - m), by which the caller scales its earlier sums over this row,
/// - p(i, j) = 2^(s(i, j) - m), rounded to T,
/// - sum[i] = factor[i] sum[i] + sum over j of 2^(s(i, j) - m).
/// Start with maximum = -infinity and sum = 0.
///
/// Shapes:  s, p [n, keys], maximum, sum, factor [n].
/// Source: Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018, algorithm 3.
/// @throws ShapeMismatch
template <class T>
void running_softmax(ConstMatrixView<accumulator_t<T>> s, MatrixView<T> p,
                     std::span<accumulator_t<T>> maximum, std::span<accumulator_t<T>> sum,
                     std::span<accumulator_t<T>> factor);

/// Recomputes probabilities from scores in base 2 and computes the gradient of the scores, on the calling
/// thread: p(i, j) = 2^(s(i, j) - log_sum[i]), ds(i, j) = ln 2 p(i, j) (dp(i, j) - delta[i]), both rounded to
/// T.
///
/// Shapes:  s, dp, p, ds [n, keys], log_sum, delta [n].
/// @param log_sum  binary logarithm of the sum of 2^s over all keys
/// @param delta  sum over all keys of p dp
/// @throws ShapeMismatch
template <class T>
void softmax_gradient(ConstMatrixView<accumulator_t<T>> s, ConstMatrixView<accumulator_t<T>> dp,
                      std::span<const accumulator_t<T>> log_sum, std::span<const accumulator_t<T>> delta,
                      MatrixView<T> p, MatrixView<T> ds);

}  // namespace popflow::linalg
