// SPDX-License-Identifier: MIT
#include "linalg/avx2_attention.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <type_traits>

#include "linalg/avx2_tile.hpp"
#include "linalg/exponential.hpp"

namespace popflow::linalg::avx2 {

namespace {

using Integers __attribute__((vector_size(32), may_alias)) = std::uint32_t;

// Rows that are computed together, so that a panel is read from the L2 cache once for all of their tiles.
constexpr std::size_t group_rows = 2 * tile_rows;

// Keys of a block of the forward pass. The probabilities of a group (13 KiB) stay in the L1 cache.
constexpr std::size_t forward_keys = 256;

// Keys of a block of the backward pass. Its gradients of scores stay in the L2 cache.
constexpr std::size_t backward_keys = 16 * group_rows;

// Returns the number of queries of a block of the backward pass. Its four packed factors and the block of
// gradients stay in the L2 cache.
std::size_t backward_queries(std::size_t head_width) {
    return head_width <= 64 ? 128 : 64;
}

// Floats that are added to the rows of a block, so that its columns fall into all sets of the L1 cache.
constexpr std::size_t row_padding = 16;

// A row is rescaled if a score exceeds its reference by more than this. Sums of 2^32 such terms, times
// values, are far from the largest float.
constexpr float rescale_limit = 32;

// Score of the columns that pad the last panel. Their probability is the least one that exp2 returns.
constexpr float padding_score = -1e30F;

std::size_t padded(std::size_t n) {
    return (n + width - 1) / width * width;
}

// Returns max(x, y) of each lane.
[[gnu::always_inline]] POPFLOW_AVX2 inline Vector larger(Vector x, Vector y) {
#if defined(__x86_64__) && defined(__GNUC__)
    using Floats __attribute__((vector_size(32))) = float;
    return __builtin_ia32_maxps256(static_cast<Floats>(x), static_cast<Floats>(y));
#else
    return x > y ? x : y;
#endif
}

// Returns whether a lane of x exceeds `limit`.
[[gnu::always_inline]] POPFLOW_AVX2 inline bool exceeds(Vector x, float limit) {
    const Integers above = reinterpret_cast<Integers>(x > broadcast(limit));
#if defined(__x86_64__) && defined(__GNUC__)
    using Floats __attribute__((vector_size(32))) = float;
    return __builtin_ia32_movmskps256(reinterpret_cast<Floats>(above)) != 0;
#else
    std::uint32_t any = 0;
    for (std::size_t l = 0; l < Wide::lanes; ++l) any |= above[l];
    return any != 0;
#endif
}

// Returns 2^x, as exp2_bounded() does.
[[gnu::always_inline]] POPFLOW_AVX2 inline Vector exp2(Vector x) {
    const Vector shift = broadcast(round_shift);
    x = larger(x, broadcast(-125.0F));
    const Vector shifted = x + shift;
    const Vector r = x - (shifted - shift);
    Vector p = broadcast(exp2_coefficients[4]);
    p = p * r + broadcast(exp2_coefficients[3]);
    p = p * r + broadcast(exp2_coefficients[2]);
    p = p * r + broadcast(exp2_coefficients[1]);
    p = p * r + broadcast(exp2_coefficients[0]);
    p = p * r + broadcast(1.0F);
    return reinterpret_cast<Vector>(reinterpret_cast<Integers>(p) +
                                    (reinterpret_cast<Integers>(shifted) << 23U));
}

// Takes a reference, because code for other CPUs passes a vector otherwise.
float sum_of_lanes(const Vector& x) {
    float sum = 0;
    for (std::size_t l = 0; l < Wide::lanes; ++l) sum += x[l];
    return sum;
}

// Number of rows as a type.
template <std::size_t Rows>
using RowCount = std::integral_constant<std::size_t, Rows>;

// Calls f(RowCount<rows>()) for a number of rows from 1 to tile_rows.
template <class Function>
[[gnu::always_inline]] inline void with_rows(std::size_t rows, const Function& f) {
    switch (rows) {
        case 1:
            return f(RowCount<1>());
        case 2:
            return f(RowCount<2>());
        case 3:
            return f(RowCount<3>());
        case 4:
            return f(RowCount<4>());
        case 5:
            return f(RowCount<5>());
        default:
            return f(RowCount<tile_rows>());
    }
}

template <std::size_t Rows>
[[gnu::always_inline]] inline std::array<const float*, Rows> rows_at(const float* first, std::size_t stride) {
    std::array<const float*, Rows> row;
#pragma GCC unroll 6
    for (std::size_t r = 0; r < Rows; ++r) {
        row[r] = first + r * stride;
        // Keeps GCC from computing the pointers in vector registers, from which they would have to be moved.
        asm("" : "+r"(row[r]));
    }
    return row;
}

// Running softmax of a few rows: scores are relative to `reference`, and `sum` adds up their exponentials in
// each lane.
struct RowState {
    float reference[tile_rows];
    Vector sum[tile_rows];
};

// Earlier results of a few rows that depend on their references.
struct RowResults {
    float* probabilities;  // those of the current block of keys
    std::size_t stride, count;
    float* output;
    std::size_t output_stride, output_count;
};

// Added to the scores of a tile from element `width - columns` on, pushes those of padding columns down.
alignas(64) constexpr std::array<float, 2 * width> padding_scores = [] {
    std::array<float, 2 * width> added{};
    std::fill(added.begin() + width, added.end(), padding_score);
    return added;
}();

// Raises the references of rows to the maximum of their scores in a tile, which are stored in place of its
// probabilities, and rescales what the rows have so far.
[[gnu::noinline]] POPFLOW_AVX2 void rescale(std::size_t rows, RowState& state, const RowResults& earlier) {
    for (std::size_t r = 0; r < rows; ++r) {
        float* const p = earlier.probabilities + r * earlier.stride;
        const Vector both = larger(*Wide::at(p + earlier.count), *Wide::at(p + earlier.count + Wide::lanes));
        float highest = both[0];
        for (std::size_t l = 1; l < Wide::lanes; ++l) highest = std::max(highest, both[l]);
        if (!(highest > state.reference[r])) continue;
        const float factor = exp2_bounded(state.reference[r] - highest);
        state.reference[r] = highest;
        state.sum[r] *= broadcast(factor);
        for (std::size_t j = 0; j < earlier.count; j += Wide::lanes) *Wide::at(p + j) *= broadcast(factor);
        float* const output = earlier.output + r * earlier.output_stride;
        for (std::size_t j = 0; j < earlier.output_count; j += Wide::lanes)
            *Wide::at(output + j) *= broadcast(factor);
    }
}

// Computes a tile of scores and stores its exponentials behind the earlier probabilities. Columns from
// `columns` on are padding.
template <std::size_t Rows>
POPFLOW_AVX2 void score_tile(const float* q, std::size_t q_stride, const float* panel, std::size_t head_width,
                             std::size_t columns, RowState& state, const RowResults& earlier) {
    Vector s[Rows][2] = {};
    add_rows<Rows, false>(rows_at<Rows>(q, q_stride), 0, panel, head_width, s);
    if (columns < width) [[unlikely]] {
        const float* const added = padding_scores.data() + width - columns;
#pragma GCC unroll 6
        for (std::size_t r = 0; r < Rows; ++r) {
            s[r][0] += *Wide::at(added);
            s[r][1] += *Wide::at(added + Wide::lanes);
        }
    }
    Vector highest = broadcast(-std::numeric_limits<float>::infinity());
#pragma GCC unroll 6
    for (std::size_t r = 0; r < Rows; ++r) {
        highest = larger(highest, larger(s[r][0], s[r][1]) - broadcast(state.reference[r]));
    }
    float* const p = earlier.probabilities + earlier.count;
    if (exceeds(highest, rescale_limit)) [[unlikely]] {
#pragma GCC unroll 6
        for (std::size_t r = 0; r < Rows; ++r) {
            *Wide::at(p + r * earlier.stride) = s[r][0];
            *Wide::at(p + r * earlier.stride + Wide::lanes) = s[r][1];
        }
        rescale(Rows, state, earlier);
#pragma GCC unroll 6
        for (std::size_t r = 0; r < Rows; ++r) {
            s[r][0] = *Wide::at(p + r * earlier.stride);
            s[r][1] = *Wide::at(p + r * earlier.stride + Wide::lanes);
        }
    }
#pragma GCC unroll 6
    for (std::size_t r = 0; r < Rows; ++r) {
        const Vector reference = broadcast(state.reference[r]);
        const Vector left = exp2(s[r][0] - reference);
        const Vector right = exp2(s[r][1] - reference);
        state.sum[r] += left + right;
        *Wide::at(p + r * earlier.stride) = left;
        *Wide::at(p + r * earlier.stride + Wide::lanes) = right;
    }
}

// Adds the product of Rows rows of `a` and a panel of k rows to a tile of c. If Strided, element (r, l) of
// `a` is at a[l * stride + r].
template <std::size_t Rows, bool Strided>
POPFLOW_AVX2 void add_tile(const float* a, std::size_t stride, const float* panel, std::size_t k, float* c,
                           std::size_t c_stride) {
    // Starts from zero and not from c, whose loads would delay the first products.
    Vector sum[Rows][2] = {};
    add_rows<Rows, Strided>(rows_at<Rows>(a, Strided ? 1 : stride), stride, panel, k, sum);
#pragma GCC unroll 6
    for (std::size_t r = 0; r < Rows; ++r) {
        *Wide::at(c + r * c_stride) += sum[r][0];
        *Wide::at(c + r * c_stride + Wide::lanes) += sum[r][1];
    }
}

// Computes a tile of scores of keys (rows) and queries (columns), and stores their probabilities at p and the
// gradients of the scores at ds.
template <std::size_t Rows>
POPFLOW_AVX2 void gradient_tile(const float* k, std::size_t k_stride, const float* v, std::size_t v_stride,
                                const float* queries, const float* doutput, std::size_t head_width,
                                const float* log_sum, const float* delta, float* p, float* ds,
                                std::size_t stride) {
    {
        Vector s[Rows][2] = {};
        add_rows<Rows, false>(rows_at<Rows>(k, k_stride), 0, queries, head_width, s);
        const Vector left = *Wide::at(log_sum);
        const Vector right = *Wide::at(log_sum + Wide::lanes);
#pragma GCC unroll 6
        for (std::size_t r = 0; r < Rows; ++r) {
            *Wide::at(p + r * stride) = exp2(s[r][0] - left);
            *Wide::at(p + r * stride + Wide::lanes) = exp2(s[r][1] - right);
        }
    }
    Vector dp[Rows][2] = {};
    add_rows<Rows, false>(rows_at<Rows>(v, v_stride), 0, doutput, head_width, dp);
    const Vector ln_2 = broadcast(std::numbers::ln2_v<float>);
    const Vector left = *Wide::at(delta);
    const Vector right = *Wide::at(delta + Wide::lanes);
#pragma GCC unroll 6
    for (std::size_t r = 0; r < Rows; ++r) {
        *Wide::at(ds + r * stride) = (dp[r][0] - left) * (ln_2 * *Wide::at(p + r * stride));
        *Wide::at(ds + r * stride + Wide::lanes) =
            (dp[r][1] - right) * (ln_2 * *Wide::at(p + r * stride + Wide::lanes));
    }
}

// Calls f(first row, number of rows) for each tile of `rows` rows.
template <class Function>
[[gnu::always_inline]] inline void for_tiles(std::size_t rows, const Function& f) {
    for (std::size_t i = 0; i < rows;) {
        const std::size_t height = tile_height(rows - i);
        f(i, height);
        i += height;
    }
}

void grow(AlignedVector<float>& buffer, std::size_t size) {
    if (buffer.size() < size) buffer.resize(size);
}

void copy_rows(const float* from, std::size_t stride, MatrixView<float> to) {
    for (std::size_t i = 0; i < to.rows; ++i) std::copy_n(from + i * stride, to.cols, to.row(i));
}

// Computes the output of up to group_rows queries.
void attend_group(const ConstMatrixView<float>& q, const Panels& keys_transposed, const Panels& values,
                  AttentionBuffers& buffers, const MatrixView<float>& out, std::span<float> log_sum) {
    constexpr std::size_t stride = forward_keys + row_padding;
    const std::size_t keys = values.rows();
    const std::size_t out_stride = padded(q.cols);
    std::array<RowState, group_rows> states;  // one for each tile
    for (RowState& state : states) {
        std::ranges::fill(state.reference, -std::numeric_limits<float>::infinity());
        for (Vector& sum : state.sum) sum = Vector{};
    }
    std::fill_n(buffers.output.data(), q.rows * out_stride, 0.0F);
    for (std::size_t first = 0; first < keys; first += forward_keys) {
        const std::size_t count = std::min(forward_keys, keys - first);
        for (std::size_t j = 0; j < count; j += width) {
            const float* const panel = keys_transposed.panel((first + j) / width, 0);
            std::size_t tile = 0;
            for_tiles(q.rows, [&](std::size_t i, std::size_t rows) {
                const RowResults earlier{buffers.probabilities.data() + i * stride, stride,     j,
                                         buffers.output.data() + i * out_stride,    out_stride, out_stride};
                RowState& state = states[tile++];
                with_rows(rows, [&](auto row_count) {
                    constexpr std::size_t Rows = decltype(row_count)::value;
                    score_tile<Rows>(q.row(i), q.stride, panel, q.cols, count - j, state, earlier);
                });
            });
        }
        for (std::size_t c = 0; c < out_stride; c += width) {
            const float* const panel = values.panel(c / width, first);
            for_tiles(q.rows, [&](std::size_t i, std::size_t rows) {
                with_rows(rows, [&](auto row_count) {
                    constexpr std::size_t Rows = decltype(row_count)::value;
                    add_tile<Rows, false>(buffers.probabilities.data() + i * stride, stride, panel, count,
                                          buffers.output.data() + i * out_stride + c, out_stride);
                });
            });
        }
    }
    std::size_t tile = 0;
    for_tiles(q.rows, [&](std::size_t i, std::size_t rows) {
        const RowState& state = states[tile++];
        for (std::size_t r = 0; r < rows; ++r) {
            const float sum = sum_of_lanes(state.sum[r]);
            const float* const row = buffers.output.data() + (i + r) * out_stride;
            for (std::size_t j = 0; j < out.cols; ++j) out(i + r, j) = row[j] / sum;
            log_sum[i + r] = state.reference[r] + std::log2(sum);
        }
    });
}

}  // namespace

void attend(ConstMatrixView<float> q, const Panels& keys_transposed, const Panels& values,
            AttentionBuffers& buffers, MatrixView<float> out, std::span<float> log_sum) {
    grow(buffers.probabilities, group_rows * (forward_keys + row_padding));
    grow(buffers.output, group_rows * padded(q.cols));
    for (std::size_t first = 0; first < q.rows; first += group_rows) {
        const std::size_t count = std::min(group_rows, q.rows - first);
        attend_group(q.row_block(first, count), keys_transposed, values, buffers, out.row_block(first, count),
                     log_sum.subspan(first, count));
    }
}

void PackedQueries::pack(ConstMatrixView<float> q, ConstMatrixView<float> dout,
                         std::span<const float> log_sum_of_rows, std::span<const float> delta_of_rows) {
    queries.pack(false, q);
    queries_transposed.pack(true, q);
    doutput.pack(false, dout);
    doutput_transposed.pack(true, dout);
    // The padding makes the probabilities of queries that do not exist almost zero.
    log_sum.assign(padded(q.rows), -padding_score);
    delta.assign(padded(q.rows), 0.0F);
    std::ranges::copy(log_sum_of_rows, log_sum.begin());
    std::ranges::copy(delta_of_rows, delta.begin());
}

void attend_backward(const PackedQueries& queries, ConstMatrixView<float> k, ConstMatrixView<float> v,
                     const Panels& keys, AttentionBuffers& buffers, MatrixView<float> dq,
                     MatrixView<float> dk, MatrixView<float> dv) {
    const std::size_t head_width = k.cols;
    const std::size_t wide = padded(head_width);
    const std::size_t query_block = backward_queries(head_width);
    const std::size_t stride = query_block + row_padding;
    const std::size_t count = dq.rows;
    grow(buffers.probabilities, group_rows * stride);
    grow(buffers.dscores, backward_keys * stride);
    grow(buffers.dqueries, count * wide);
    grow(buffers.dkeys, backward_keys * wide);
    grow(buffers.dvalues, backward_keys * wide);
    float* const dqueries = buffers.dqueries.data();
    std::fill_n(dqueries, count * wide, 0.0F);
    for (std::size_t first = 0; first < k.rows; first += backward_keys) {
        const std::size_t block = std::min(backward_keys, k.rows - first);
        std::fill_n(buffers.dkeys.data(), block * wide, 0.0F);
        std::fill_n(buffers.dvalues.data(), block * wide, 0.0F);
        for (std::size_t at = 0; at < count; at += query_block) {
            const std::size_t block_queries = std::min(query_block, count - at);
            for (std::size_t group = 0; group < block; group += group_rows) {
                const std::size_t rows_of_group = std::min(group_rows, block - group);
                float* const ds = buffers.dscores.data() + group * stride;
                float* const p = buffers.probabilities.data();
                for (std::size_t j = 0; j < block_queries; j += width) {
                    const std::size_t panel = (at + j) / width;
                    for_tiles(rows_of_group, [&](std::size_t i, std::size_t rows) {
                        const std::size_t row = first + group + i;
                        with_rows(rows, [&](auto row_count) {
                            constexpr std::size_t Rows = decltype(row_count)::value;
                            gradient_tile<Rows>(k.row(row), k.stride, v.row(row), v.stride,
                                                queries.queries_transposed.panel(panel, 0),
                                                queries.doutput_transposed.panel(panel, 0), head_width,
                                                queries.log_sum.data() + at + j,
                                                queries.delta.data() + at + j, p + i * stride + j,
                                                ds + i * stride + j, stride);
                        });
                    });
                }
                for (std::size_t c = 0; c < wide; c += width) {
                    for_tiles(rows_of_group, [&](std::size_t i, std::size_t rows) {
                        const std::size_t to = (group + i) * wide + c;
                        with_rows(rows, [&](auto row_count) {
                            constexpr std::size_t Rows = decltype(row_count)::value;
                            add_tile<Rows, false>(p + i * stride, stride,
                                                  queries.doutput.panel(c / width, at), block_queries,
                                                  buffers.dvalues.data() + to, wide);
                        });
                    });
                    for_tiles(rows_of_group, [&](std::size_t i, std::size_t rows) {
                        const std::size_t to = (group + i) * wide + c;
                        with_rows(rows, [&](auto row_count) {
                            constexpr std::size_t Rows = decltype(row_count)::value;
                            add_tile<Rows, false>(ds + i * stride, stride,
                                                  queries.queries.panel(c / width, at), block_queries,
                                                  buffers.dkeys.data() + to, wide);
                        });
                    });
                }
            }
            for (std::size_t c = 0; c < wide; c += width) {
                for_tiles(block_queries, [&](std::size_t i, std::size_t rows) {
                    with_rows(rows, [&](auto row_count) {
                        constexpr std::size_t Rows = decltype(row_count)::value;
                        add_tile<Rows, true>(buffers.dscores.data() + i, stride, keys.panel(c / width, first),
                                             block, dqueries + (at + i) * wide + c, wide);
                    });
                });
            }
        }
        copy_rows(buffers.dkeys.data(), wide, dk.row_block(first, block));
        copy_rows(buffers.dvalues.data(), wide, dv.row_block(first, block));
    }
    copy_rows(dqueries, wide, dq);
}

}  // namespace popflow::linalg::avx2
