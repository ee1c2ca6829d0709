// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "linalg/avx2_product.hpp"

/// Attention of one head in single precision, for CPUs with AVX2 and no AVX-512. The head widths of small
/// networks make its products thin. Kernels for a tile of scores therefore compute the exponentials as well,
/// while the tile is in registers. Callers check avx2::is_preferred() first.
namespace popflow::linalg::avx2 {

/// Buffers of attend() and attend_backward(), one object for each thread. They grow and are reused.
struct AttentionBuffers {
    AlignedVector<float> probabilities, dscores, output, dqueries, dkeys, dvalues;
};

/// Computes out = softmax_2(q K^T) V on the calling thread, where softmax_2(s)_j = 2^s_j / sum of 2^s.
///
/// Scores are relative to the maximum that a row had when it was last rescaled. A row is rescaled when a
/// score exceeds it by more than a fixed limit, so that nothing overflows.
///
/// Shapes:  q [m, head width], K and V [n, head width], out [m, head width], log_sum [m].
/// @param keys_transposed, values  K^T and V, packed
/// @param log_sum  binary logarithm of the sum of 2^s of each row of q
void attend(ConstMatrixView<float> q, const Panels& keys_transposed, const Panels& values,
            AttentionBuffers& buffers, MatrixView<float> out, std::span<float> log_sum);

/// Queries of one head and the gradients of its outputs, packed for attend_backward().
struct PackedQueries {
    Panels queries, queries_transposed, doutput, doutput_transposed;
    std::vector<float> log_sum;  ///< padded to whole panels
    std::vector<float> delta;    ///< sum over keys of p dp, padded to whole panels

    /// Packs q and dout, and copies log_sum and delta.
    /// Shapes:  q, dout [m, head width], log_sum, delta [m].
    void pack(ConstMatrixView<float> q, ConstMatrixView<float> dout, std::span<const float> log_sum_of_rows,
              std::span<const float> delta_of_rows);
};

/// Backward pass of attend() for some of its keys, on the calling thread. Recomputes the probabilities.
/// Overwrites the gradients. The caller adds the gradients of the queries from all keys.
///
/// Shapes:  k, v, dk, dv [keys, head width], dq [m, head width].
/// @param keys  k, packed
void attend_backward(const PackedQueries& queries, ConstMatrixView<float> k, ConstMatrixView<float> v,
                     const Panels& keys, AttentionBuffers& buffers, MatrixView<float> dq,
                     MatrixView<float> dk, MatrixView<float> dv);

}  // namespace popflow::linalg::avx2
