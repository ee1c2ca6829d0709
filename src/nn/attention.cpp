// SPDX-License-Identifier: MIT
#include "nn/attention.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include "linalg/row_blocks.hpp"
#include "linalg/softmax.hpp"

namespace popflow::nn {

using linalg::accumulator_t;
using linalg::bfloat16;
using linalg::ConstMatrixView;
using linalg::Matrix;
using linalg::MatrixView;
using linalg::PackedMatrix;

namespace {

// Size of a block of scores.
constexpr std::size_t query_block = linalg::block_rows;
constexpr std::size_t key_block = 256;

// The backward pass splits the keys of a cloud into at most max_chunks chunks, which are computed in
// parallel. Each chunk but the first needs memory for the gradients of all queries.
constexpr std::size_t max_chunks = 4;
constexpr std::size_t min_chunk_keys = 512;

// Consecutive rows of one cloud. `index` counts the ranges of a cloud.
struct RowRange {
    std::size_t cloud, index, first, count;
};

void append_ranges(std::size_t cloud, std::size_t first, std::size_t end, std::size_t size,
                   std::vector<RowRange>& ranges) {
    for (std::size_t index = 0; first < end; ++index, first += size) {
        ranges.push_back({cloud, index, first, std::min(size, end - first)});
    }
}

// Splits the rows of each cloud into ranges of up to `size` rows.
std::vector<RowRange> split_clouds(std::span<const std::size_t> bounds, std::size_t size) {
    std::vector<RowRange> ranges;
    for (std::size_t c = 0; c + 1 < bounds.size(); ++c) {
        append_ranges(c, bounds[c], bounds[c + 1], size, ranges);
    }
    return ranges;
}

// Splits the keys of each cloud into chunks for the backward pass. Their sizes depend on the cloud only.
std::vector<RowRange> split_into_chunks(std::span<const std::size_t> bounds) {
    std::vector<RowRange> ranges;
    for (std::size_t c = 0; c + 1 < bounds.size(); ++c) {
        const std::size_t part = (bounds[c + 1] - bounds[c] + max_chunks - 1) / max_chunks;
        const std::size_t whole_blocks = (part + key_block - 1) / key_block * key_block;
        append_ranges(c, bounds[c], bounds[c + 1], std::max(min_chunk_keys, whole_blocks), ranges);
    }
    return ranges;
}

// Returns x in the type that PackedMatrix packs. Uses `scratch` if it must convert.
ConstMatrixView<float> to_real(ConstMatrixView<bfloat16> x, Matrix<float>& scratch) {
    scratch.reshape(x.rows, x.cols);
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.cols; ++j) scratch(i, j) = linalg::to_float(x(i, j));
    }
    return scratch.view();
}

template <class Real>
ConstMatrixView<Real> to_real(ConstMatrixView<Real> x, Matrix<Real>& /*scratch*/) {
    return x;
}

float element(bfloat16 x) {
    return linalg::to_float(x);
}
template <class Real>
Real element(Real x) {
    return x;
}

void store(float x, bfloat16& to) {
    to = linalg::to_bfloat16(x);
}
template <class Real>
void store(Real x, Real& to) {
    to = x;
}

// Scores of a block in T. If T is the type of the scores, they replace the scores.
template <class T>
MatrixView<T> block_of(Matrix<T>& own, Matrix<accumulator_t<T>>& scores, std::size_t rows, std::size_t cols) {
    if constexpr (std::is_same_v<T, accumulator_t<T>>) {
        return {scores.data(), rows, cols};
    } else {
        own.reshape(query_block, key_block);
        return {own.data(), rows, cols};
    }
}

template <class T>
void reserve_threads(AttentionWorkspace<T>& workspace, std::size_t head_width) {
    const auto threads = static_cast<std::size_t>(omp_get_max_threads());
    if (workspace.threads.size() < threads) workspace.threads.resize(threads);
    for (auto& thread : workspace.threads) {
        thread.scores.reshape(query_block, key_block);
        thread.dprobabilities.reshape(query_block, key_block);
        thread.output.reshape(query_block, head_width);
        thread.dkeys.reshape(key_block, head_width);
        thread.dvalues.reshape(key_block, head_width);
        thread.maximum.resize(query_block);
        thread.sum.resize(query_block);
        thread.factor.resize(query_block);
    }
}

template <class T>
typename AttentionWorkspace<T>::Thread& own_buffers(AttentionWorkspace<T>& workspace) {
    return workspace.threads[static_cast<std::size_t>(omp_get_thread_num())];
}

// Columns of qkv, or of its gradient, that belong to one head.
template <class Real>
struct HeadColumns {
    HeadColumns(const MatrixView<Real>& qkv, std::size_t heads, std::size_t head)
        : queries(part(qkv, heads, head)),
          keys(part(qkv, heads, heads + head)),
          values(part(qkv, heads, 2 * heads + head)) {}
    MatrixView<Real> queries, keys, values;

  private:
    static MatrixView<Real> part(const MatrixView<Real>& qkv, std::size_t heads, std::size_t index) {
        const std::size_t head_width = qkv.cols / 3 / heads;
        return qkv.col_block(index * head_width, head_width);
    }
};

void check_shapes(std::size_t rows, std::size_t cols, std::span<const std::size_t> bounds, std::size_t heads,
                  std::size_t out_cols) {
    core::check_shape("attention.qkv", rows, cols, rows, 3 * out_cols);
    if (heads == 0 || out_cols % heads != 0) {
        throw core::ShapeMismatch("attention.out", "a multiple of " + std::to_string(heads) + " columns",
                                  rows, out_cols);
    }
    bool fits = !bounds.empty() && bounds.front() == 0 && bounds.back() == rows;
    for (std::size_t c = 0; fits && c + 1 < bounds.size(); ++c) fits = bounds[c] <= bounds[c + 1];
    if (!fits) {
        throw core::ShapeMismatch("attention.bounds", "increasing bounds from 0 to " + std::to_string(rows),
                                  1, bounds.size());
    }
}

// Computes the output of one head for a range of queries.
template <class T>
void attend(const HeadColumns<const T>& head, const RowRange& queries,
            std::span<const PackedMatrix<T>> keys_transposed, std::span<const PackedMatrix<T>> values,
            typename AttentionWorkspace<T>::Thread& buffers, MatrixView<T> out,
            std::span<accumulator_t<T>> log_sum) {
    using Real = accumulator_t<T>;
    const std::size_t rows = queries.count;
    const auto q = head.queries.row_block(queries.first, rows);
    const auto maximum = std::span(buffers.maximum).first(rows);
    const auto sum = std::span(buffers.sum).first(rows);
    const auto factor = std::span(buffers.factor).first(rows);
    std::ranges::fill(maximum, -std::numeric_limits<Real>::infinity());
    std::ranges::fill(sum, Real{0});
    const MatrixView<Real> output(buffers.output.data(), rows, out.cols);
    for (std::size_t i = 0; i < rows; ++i) std::fill_n(output.row(i), output.cols, Real{0});
    for (std::size_t b = 0; b < values.size(); ++b) {
        const std::size_t keys = values[b].rows();
        const MatrixView<Real> scores(buffers.scores.data(), rows, keys);
        const MatrixView<T> p = block_of(buffers.probabilities, buffers.scores, rows, keys);
        linalg::multiply(q, keys_transposed[b], false, scores);
        linalg::running_softmax<T>(scores, p, maximum, sum, factor);
        for (std::size_t i = 0; i < rows; ++i) {
            for (std::size_t j = 0; j < output.cols; ++j) output(i, j) *= factor[i];
        }
        linalg::multiply(ConstMatrixView<T>(p), values[b], true, output);
    }
    for (std::size_t i = 0; i < rows; ++i) {
        const Real inverse = Real{1} / sum[i];
        for (std::size_t j = 0; j < output.cols; ++j) store(output(i, j) * inverse, out(i, j));
        log_sum[i] = maximum[i] + std::log2(sum[i]);
    }
}

// Computes the gradients of the keys and values of a chunk, and what the chunk adds to those of the queries.
template <class T>
void attend_backward(const HeadColumns<const T>& head, const RowRange& cloud, const RowRange& chunk,
                     ConstMatrixView<T> dout, std::span<const accumulator_t<T>> log_sum,
                     std::span<const accumulator_t<T>> delta, typename AttentionWorkspace<T>::Thread& buffers,
                     MatrixView<accumulator_t<T>> dqueries, MatrixView<accumulator_t<T>> dkeys,
                     MatrixView<accumulator_t<T>> dvalues) {
    using Real = accumulator_t<T>;
    const std::size_t end = chunk.first + chunk.count;
    for (std::size_t first = chunk.first; first < end; first += key_block) {
        const std::size_t keys = std::min(key_block, end - first);
        const auto k = to_real(head.keys.row_block(first, keys), buffers.converted);
        buffers.keys.pack(false, k);
        buffers.keys_transposed.pack(true, k);
        buffers.values_transposed.pack(true, to_real(head.values.row_block(first, keys), buffers.converted));
        const MatrixView<Real> dk(buffers.dkeys.data(), keys, dkeys.cols);
        const MatrixView<Real> dv(buffers.dvalues.data(), keys, dkeys.cols);
        std::fill_n(dk.data, keys * dk.cols, Real{0});
        std::fill_n(dv.data, keys * dv.cols, Real{0});
        for (std::size_t at = cloud.first; at < cloud.first + cloud.count; at += query_block) {
            const std::size_t rows = std::min(query_block, cloud.first + cloud.count - at);
            const auto q = head.queries.row_block(at, rows);
            const auto dq = dqueries.row_block(at, rows);
            const auto d = dout.row_block(at, rows);
            const MatrixView<Real> scores(buffers.scores.data(), rows, keys);
            const MatrixView<Real> dp(buffers.dprobabilities.data(), rows, keys);
            const MatrixView<T> p = block_of(buffers.probabilities, buffers.scores, rows, keys);
            const MatrixView<T> ds = block_of(buffers.dscores, buffers.dprobabilities, rows, keys);
            linalg::multiply(q, buffers.keys_transposed, false, scores);
            linalg::multiply(d, buffers.values_transposed, false, dp);
            linalg::softmax_gradient<T>(scores, dp, log_sum.subspan(at, rows), delta.subspan(at, rows), p,
                                        ds);
            linalg::add_transposed_product(ConstMatrixView<T>(p), d, dv);
            linalg::add_transposed_product(ConstMatrixView<T>(ds), q, dk);
            linalg::multiply(ConstMatrixView<T>(ds), buffers.keys, first != chunk.first, dq);
        }
        for (std::size_t i = 0; i < keys; ++i) {
            std::copy_n(dk.row(i), dk.cols, dkeys.row(first + i));
            std::copy_n(dv.row(i), dv.cols, dvalues.row(first + i));
        }
    }
}

// Computes delta(head, i) = sum over j of out(i, j) dout(i, j) over the columns of the head.
template <class T>
void compute_delta(ConstMatrixView<T> out, ConstMatrixView<T> dout, std::size_t heads,
                   MatrixView<accumulator_t<T>> delta) {
    const std::size_t head_width = out.cols / heads;
    linalg::parallel_for_row_blocks(out.rows, [&](std::size_t /*block*/, std::size_t first, std::size_t n) {
        for (std::size_t i = first; i < first + n; ++i) {
            for (std::size_t head = 0; head < heads; ++head) {
                accumulator_t<T> sum = 0;
                for (std::size_t j = head * head_width; j < (head + 1) * head_width; ++j) {
                    sum += element(out(i, j)) * element(dout(i, j));
                }
                delta(head, i) = sum;
            }
        }
    });
}

// Number of queries of a task on CPUs with AVX2 and no AVX-512.
constexpr std::size_t avx2_query_block = 192;

template <class Element>
void grow(std::vector<Element>& elements, std::size_t size) {
    if (elements.size() < size) elements.resize(size);
}

void reserve_avx2_threads(AttentionWorkspace<float>::Avx2& workspace) {
    grow(workspace.threads, static_cast<std::size_t>(omp_get_max_threads()));
}

linalg::avx2::AttentionBuffers& own_buffers(AttentionWorkspace<float>::Avx2& workspace) {
    return workspace.threads[static_cast<std::size_t>(omp_get_thread_num())];
}

void forward_avx2(ConstMatrixView<float> qkv, std::span<const std::size_t> bounds, std::size_t heads,
                  MatrixView<float> out, MatrixView<float> log_sum,
                  AttentionWorkspace<float>::Avx2& workspace) {
    const std::size_t clouds = bounds.size() - 1;
    const std::size_t head_width = out.cols / heads;
    reserve_avx2_threads(workspace);
    grow(workspace.keys_transposed, clouds * heads);
    grow(workspace.values, clouds * heads);
    linalg::parallel_for_tasks(clouds * heads, [&](std::size_t task) {
        const std::size_t cloud = task / heads;
        const HeadColumns<const float> columns(qkv, heads, task % heads);
        const std::size_t count = bounds[cloud + 1] - bounds[cloud];
        workspace.keys_transposed[task].pack(true, columns.keys.row_block(bounds[cloud], count));
        workspace.values[task].pack(false, columns.values.row_block(bounds[cloud], count));
    });
    const std::vector<RowRange> queries = split_clouds(bounds, avx2_query_block);
    linalg::parallel_for_tasks(queries.size() * heads, [&](std::size_t task) {
        const RowRange& range = queries[task / heads];
        const std::size_t head = task % heads;
        const std::size_t packed = range.cloud * heads + head;
        linalg::avx2::attend(
            HeadColumns<const float>(qkv, heads, head).queries.row_block(range.first, range.count),
            workspace.keys_transposed[packed], workspace.values[packed], own_buffers(workspace),
            out.row_block(range.first, range.count).col_block(head * head_width, head_width),
            log_sum.row_span(head).subspan(range.first, range.count));
    });
}

void pack_queries_avx2(ConstMatrixView<float> qkv, std::span<const std::size_t> bounds, std::size_t heads,
                       ConstMatrixView<float> log_sum, ConstMatrixView<float> delta,
                       ConstMatrixView<float> dout, AttentionWorkspace<float>::Avx2& workspace) {
    const std::size_t clouds = bounds.size() - 1;
    const std::size_t head_width = dout.cols / heads;
    reserve_avx2_threads(workspace);
    grow(workspace.queries, clouds * heads);
    linalg::parallel_for_tasks(clouds * heads, [&](std::size_t task) {
        const std::size_t cloud = task / heads;
        const std::size_t head = task % heads;
        const std::size_t first = bounds[cloud];
        const std::size_t count = bounds[cloud + 1] - first;
        workspace.queries[task].pack(
            HeadColumns<const float>(qkv, heads, head).queries.row_block(first, count),
            dout.row_block(first, count).col_block(head * head_width, head_width),
            log_sum.row_span(head).subspan(first, count), delta.row_span(head).subspan(first, count));
    });
}

// Computes the same as attend_backward() of all chunks of keys.
void backward_avx2(const HeadColumns<const float>& head, const RowRange& cloud, const RowRange& chunk,
                   const linalg::avx2::PackedQueries& queries, linalg::avx2::Panels& keys,
                   linalg::avx2::AttentionBuffers& buffers, MatrixView<float> dqueries,
                   MatrixView<float> dkeys, MatrixView<float> dvalues) {
    const auto rows = [&](const auto& view) { return view.row_block(chunk.first, chunk.count); };
    keys.pack(false, rows(head.keys));
    linalg::avx2::attend_backward(queries, rows(head.keys), rows(head.values), keys, buffers,
                                  dqueries.row_block(cloud.first, cloud.count), rows(dkeys), rows(dvalues));
}

}  // namespace

double query_scale(std::size_t head_width) {
    return std::numbers::log2e / std::sqrt(static_cast<double>(head_width));
}

template <class T>
void attention_forward(ConstMatrixView<T> qkv, std::span<const std::size_t> bounds, std::size_t heads,
                       MatrixView<T> out, MatrixView<accumulator_t<T>> log_sum,
                       AttentionWorkspace<T>& workspace) {
    check_shapes(qkv.rows, qkv.cols, bounds, heads, out.cols);
    core::check_shape("attention.out", out.rows, out.cols, qkv.rows, out.cols);
    core::check_shape("attention.log_sum", log_sum.rows, log_sum.cols, heads, qkv.rows);
    const std::size_t head_width = out.cols / heads;
    if constexpr (std::is_same_v<T, float>) {
        if (linalg::avx2::is_preferred())
            return forward_avx2(qkv, bounds, heads, out, log_sum, workspace.avx2);
    }
    reserve_threads(workspace, head_width);
    const std::vector<RowRange> keys = split_clouds(bounds, key_block);
    const std::vector<RowRange> queries = split_clouds(bounds, query_block);
    std::vector<std::size_t> first_keys(bounds.size(), 0);  // index of the first block of keys of each cloud
    for (const RowRange& range : keys) ++first_keys[range.cloud + 1];
    for (std::size_t c = 1; c < first_keys.size(); ++c) first_keys[c] += first_keys[c - 1];
    const std::size_t blocks = keys.size();
    if (workspace.values.size() < blocks * heads) {
        workspace.values.resize(blocks * heads);
        workspace.keys_transposed.resize(blocks * heads);
    }
    linalg::parallel_for_tasks(blocks * heads, [&](std::size_t task) {
        auto& buffers = own_buffers(workspace);
        const RowRange& range = keys[task % blocks];
        const HeadColumns<const T> columns(qkv, heads, task / blocks);
        workspace.keys_transposed[task].pack(
            true, to_real(columns.keys.row_block(range.first, range.count), buffers.converted));
        workspace.values[task].pack(
            false, to_real(columns.values.row_block(range.first, range.count), buffers.converted));
    });
    linalg::parallel_for_tasks(queries.size() * heads, [&](std::size_t task) {
        const RowRange& range = queries[task / heads];
        const std::size_t head = task % heads;
        const std::size_t first = head * blocks + first_keys[range.cloud];
        const std::size_t count = first_keys[range.cloud + 1] - first_keys[range.cloud];
        attend<T>(HeadColumns<const T>(qkv, heads, head), range,
                  std::span<const PackedMatrix<T>>(workspace.keys_transposed).subspan(first, count),
                  std::span<const PackedMatrix<T>>(workspace.values).subspan(first, count),
                  own_buffers(workspace),
                  out.row_block(range.first, range.count).col_block(head * head_width, head_width),
                  log_sum.row_span(head).subspan(range.first, range.count));
    });
}

template <class T>
void attention_backward(ConstMatrixView<T> qkv, std::span<const std::size_t> bounds, std::size_t heads,
                        ConstMatrixView<T> out, ConstMatrixView<accumulator_t<T>> log_sum,
                        ConstMatrixView<T> dout, MatrixView<accumulator_t<T>> dqkv,
                        AttentionWorkspace<T>& workspace) {
    using Real = accumulator_t<T>;
    check_shapes(qkv.rows, qkv.cols, bounds, heads, out.cols);
    core::check_shape("attention.out", out.rows, out.cols, qkv.rows, out.cols);
    core::check_shape("attention.log_sum", log_sum.rows, log_sum.cols, heads, qkv.rows);
    core::check_shape("attention.dout", dout.rows, dout.cols, qkv.rows, out.cols);
    core::check_shape("attention.dqkv", dqkv.rows, dqkv.cols, qkv.rows, qkv.cols);
    const std::size_t width = out.cols;
    const std::size_t head_width = width / heads;
    const bool is_avx2 = std::is_same_v<T, float> && linalg::avx2::is_preferred();
    if (!is_avx2) reserve_threads(workspace, head_width);
    workspace.delta.reshape(heads, qkv.rows);
    compute_delta(out, dout, heads, workspace.delta.view());
    const std::vector<RowRange> chunks = split_into_chunks(bounds);
    std::size_t chunks_of_a_cloud = 0;
    for (const RowRange& chunk : chunks) chunks_of_a_cloud = std::max(chunks_of_a_cloud, chunk.index + 1);
    if (workspace.dqueries.size() + 1 < chunks_of_a_cloud) workspace.dqueries.resize(chunks_of_a_cloud - 1);
    for (std::size_t i = 0; i + 1 < chunks_of_a_cloud; ++i) workspace.dqueries[i].reshape(qkv.rows, width);
    if constexpr (std::is_same_v<T, float>) {
        if (is_avx2) {
            pack_queries_avx2(qkv, bounds, heads, log_sum, workspace.delta.view(), dout, workspace.avx2);
            grow(workspace.avx2.keys, chunks.size() * heads);
        }
    }

    linalg::parallel_for_tasks(chunks.size() * heads, [&](std::size_t task) {
        const RowRange& chunk = chunks[task / heads];
        const std::size_t head = task % heads;
        const RowRange cloud{chunk.cloud, 0, bounds[chunk.cloud],
                             bounds[chunk.cloud + 1] - bounds[chunk.cloud]};
        const HeadColumns<Real> gradients(dqkv, heads, head);
        const MatrixView<Real> dqueries =
            chunk.index == 0
                ? gradients.queries
                : workspace.dqueries[chunk.index - 1].view().col_block(head * head_width, head_width);
        if constexpr (std::is_same_v<T, float>) {
            if (is_avx2) {
                return backward_avx2(HeadColumns<const T>(qkv, heads, head), cloud, chunk,
                                     workspace.avx2.queries[chunk.cloud * heads + head],
                                     workspace.avx2.keys[task], own_buffers(workspace.avx2), dqueries,
                                     gradients.keys, gradients.values);
            }
        }
        attend_backward<T>(HeadColumns<const T>(qkv, heads, head), cloud, chunk,
                           dout.col_block(head * head_width, head_width), log_sum.row_span(head),
                           workspace.delta.view().row_span(head), own_buffers(workspace), dqueries,
                           gradients.keys, gradients.values);
    });

    linalg::parallel_for_tasks(chunks.size(), [&](std::size_t task) {
        const RowRange& chunk = chunks[task];
        // Sums the gradients of the queries of all chunks of the cloud for the rows of this chunk.
        for (std::size_t other = task - chunk.index + 1;
             other < chunks.size() && chunks[other].cloud == chunk.cloud; ++other) {
            const Matrix<Real>& added = workspace.dqueries[chunks[other].index - 1];
            for (std::size_t i = chunk.first; i < chunk.first + chunk.count; ++i) {
                for (std::size_t j = 0; j < width; ++j) dqkv(i, j) += added(i, j);
            }
        }
    });
}

#define POPFLOW_INSTANTIATE(T, Real)                                                                \
    template void attention_forward(ConstMatrixView<T>, std::span<const std::size_t>, std::size_t,  \
                                    MatrixView<T>, MatrixView<Real>, AttentionWorkspace<T>&);       \
    template void attention_backward(ConstMatrixView<T>, std::span<const std::size_t>, std::size_t, \
                                     ConstMatrixView<T>, ConstMatrixView<Real>, ConstMatrixView<T>, \
                                     MatrixView<Real>, AttentionWorkspace<T>&);
POPFLOW_INSTANTIATE(float, float)
POPFLOW_INSTANTIATE(bfloat16, float)
POPFLOW_INSTANTIATE(double, double)
#undef POPFLOW_INSTANTIATE

}  // namespace popflow::nn
