// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "linalg/avx2_attention.hpp"
#include "linalg/packed_gemm.hpp"

namespace popflow::nn {

/// Factor of the queries of attention_forward(): log2(e) / sqrt(head_width). The scores are then those of
/// scaled dot-product attention in base 2.
double query_scale(std::size_t head_width);

/// Buffers of attention_forward() and attention_backward(). They grow to the largest batch and are reused.
template <class T>
struct AttentionWorkspace {
    using Real = linalg::accumulator_t<T>;

    /// Buffers of one thread: a block of scores and what belongs to it.
    struct Thread {
        linalg::Matrix<Real> scores, dprobabilities;
        linalg::Matrix<T> probabilities, dscores;
        linalg::Matrix<Real> output, dkeys, dvalues;
        linalg::Matrix<Real> converted;
        std::vector<Real> maximum, sum, factor;
        linalg::PackedMatrix<T> keys, keys_transposed, values_transposed;
    };
    std::vector<Thread> threads;

    /// Buffers of the kernels for float on CPUs with AVX2 and no AVX-512. The vectors have an element for
    /// each cloud or chunk of keys, and each head.
    struct Avx2 {
        std::vector<linalg::avx2::AttentionBuffers> threads;
        std::vector<linalg::avx2::Panels> keys_transposed, values, keys;
        std::vector<linalg::avx2::PackedQueries> queries;
    };
    Avx2 avx2;
    std::vector<linalg::PackedMatrix<T>> keys_transposed;  ///< K^T of each block of keys and each head
    std::vector<linalg::PackedMatrix<T>> values;           ///< V of each block of keys and each head
    linalg::Matrix<Real> delta;                            ///< sum of p dp of each query, [heads, n]
    std::vector<linalg::Matrix<Real>> dqueries;  ///< gradients of the queries from further chunks of keys
};

/// Multi-head self-attention within each cloud, without the linear layers around it:
/// out = softmax_2(q k^T) v for each head, where softmax_2(s)_j = 2^s_j / sum of 2^s. With queries that
/// contain query_scale(), this is scaled dot-product attention.
///
/// Columns of qkv: queries, keys, values of width w each. Head i has columns [i w / heads, (i + 1) w / heads)
/// of each. Cloud c has rows [bounds[c], bounds[c + 1]).
///
/// Scores are computed for blocks of queries and keys at a time, with a running softmax. No memory of size
/// n^2 is needed. Results are bitwise identical for any number of threads.
///
/// Shapes:  qkv [n, 3 w], out [n, w], log_sum [heads, n]. Overwrites out and log_sum.
/// Source: Dao et al., "FlashAttention", NeurIPS 2022, algorithm 1.
/// @param log_sum  binary logarithm of the sum of 2^s of each query, for attention_backward()
/// @throws ShapeMismatch
template <class T>
void attention_forward(linalg::ConstMatrixView<T> qkv, std::span<const std::size_t> bounds, std::size_t heads,
                       linalg::MatrixView<T> out, linalg::MatrixView<linalg::accumulator_t<T>> log_sum,
                       AttentionWorkspace<T>& workspace);

/// Backward pass of attention_forward(). Recomputes the probabilities from log_sum.
///
/// Shapes:  dout [n, w], dqkv [n, 3 w]. Overwrites dqkv.
/// Source: Dao et al., algorithm 4.
/// @throws ShapeMismatch
template <class T>
void attention_backward(linalg::ConstMatrixView<T> qkv, std::span<const std::size_t> bounds,
                        std::size_t heads, linalg::ConstMatrixView<T> out,
                        linalg::ConstMatrixView<linalg::accumulator_t<T>> log_sum,
                        linalg::ConstMatrixView<T> dout, linalg::MatrixView<linalg::accumulator_t<T>> dqkv,
                        AttentionWorkspace<T>& workspace);

}  // namespace popflow::nn
