// SPDX-License-Identifier: MIT
#include "linalg/avx2_product.hpp"

#include <algorithm>
#include <array>

#include "linalg/avx2_tile.hpp"
#include "linalg/onednn.hpp"

namespace popflow::linalg::avx2 {

namespace {

// Maximum inner sizes. A panel of B of max_inner rows (32 KiB) stays in the L1 cache. A panel of
// max_inner_transposed rows and a packed A stay in the L2 cache. Longer products are accumulated in C.
constexpr std::size_t max_inner = 512;
constexpr std::size_t max_inner_transposed = 256;
// Distance of packed tiles. Eight elements are more than a tile has, because packing stores whole registers.
constexpr std::size_t packed_tile_size = tile_rows * max_inner_transposed + Wide::lanes;

// Returns the size of the parts into which an inner size k is split: as few as possible, of about equal size.
std::size_t inner_part(std::size_t k, std::size_t max_size) {
    const std::size_t parts = std::max<std::size_t>(1, (k + max_size - 1) / max_size);
    return (k + parts - 1) / parts;
}

// Rows of op(A) that a tile multiplies. Element (r, l) is at first + r * stride + l if A is not packed, and
// at first + l * tile_rows + r if it is packed into columns of tile_rows elements.
struct Left {
    const float* first;
    std::size_t stride;
};

// Cache lines, `stride` floats apart, that are prefetched into the L2 cache while a tile is computed.
struct Prefetch {
    const float* first = nullptr;
    std::size_t stride = 0, count = 0;
};

// Computes c = alpha A panel + beta c for a tile of Rows rows and up to `width` columns.
template <std::size_t Rows, bool Packed>
POPFLOW_AVX2 void multiply_tile(const Left& a, const float* panel, std::size_t k, float alpha, float beta,
                                const MatrixView<float>& c, const Prefetch& next) {
    std::array<const float*, Rows> row;
    for (std::size_t r = 0; r < Rows; ++r) {
        __builtin_prefetch(c.row(r), 1);
        row[r] = a.first + r * (Packed ? 1 : a.stride);
    }
    for (std::size_t l = 0; l < next.count; ++l) __builtin_prefetch(next.first + l * next.stride, 0, 2);
    Vector sum[Rows][2] = {};
    add_rows<Rows, Packed>(row, tile_rows, panel, k, sum);
    // Buffer for a tile at the right edge of C, whose columns beyond the last are products of zero padding.
    alignas(64) std::array<float, Rows * width> edge;
    const bool is_full = c.cols == width;
    float* const to = is_full ? c.data : edge.data();
    const std::size_t stride = is_full ? c.stride : width;
    if (!is_full) {
        edge.fill(0);
        for (std::size_t r = 0; r < Rows; ++r) std::copy_n(c.row(r), c.cols, to + r * stride);
    }
#pragma GCC unroll 6
    for (std::size_t r = 0; r < Rows; ++r) {
#pragma GCC unroll 2
        for (std::size_t v = 0; v < 2; ++v) {
            Vector& place = *Wide::at(to + r * stride + v * Wide::lanes);
            place = beta == 0 ? alpha * sum[r][v] : alpha * sum[r][v] + beta * place;
        }
    }
    if (!is_full) {
        for (std::size_t r = 0; r < Rows; ++r) std::copy_n(to + r * stride, c.cols, c.row(r));
    }
}

// Dispatches to multiply_tile() for the number of rows of c.
template <bool Packed>
void multiply_rows(const Left& a, const float* panel, std::size_t k, float alpha, float beta,
                   const MatrixView<float>& c, const Prefetch& next) {
    switch (c.rows) {
        case 1:
            return multiply_tile<1, Packed>(a, panel, k, alpha, beta, c, next);
        case 2:
            return multiply_tile<2, Packed>(a, panel, k, alpha, beta, c, next);
        case 3:
            return multiply_tile<3, Packed>(a, panel, k, alpha, beta, c, next);
        case 4:
            return multiply_tile<4, Packed>(a, panel, k, alpha, beta, c, next);
        case 5:
            return multiply_tile<5, Packed>(a, panel, k, alpha, beta, c, next);
        default:
            return multiply_tile<tile_rows, Packed>(a, panel, k, alpha, beta, c, next);
    }
}

// Packs columns [first, first + width) of `b` row by row. Columns beyond the last one of b are zero.
POPFLOW_AVX2 void pack_panel(ConstMatrixView<float> b, std::size_t first, float* to) {
    const std::size_t count = std::min(width, b.cols - first);
    const float* from = b.data + first;
    for (std::size_t l = 0; l < b.rows; ++l, from += b.stride, to += width) {
        if (count == width) {
            *Wide::at(to) = *Wide::at(from);
            *Wide::at(to + Wide::lanes) = *Wide::at(from + Wide::lanes);
        } else {
            std::copy_n(from, count, to);
            std::fill_n(to + count, width - count, 0.0F);
        }
    }
}

// Transposes a matrix of 8 x 8 elements. Rows of `from` are `stride` elements apart, those of `to` `width`.
POPFLOW_AVX2 void transpose_square(const float* from, std::size_t stride, float* to) {
    Vector row[8];
    Vector pair[8];
    for (std::size_t i = 0; i < 8; ++i) row[i] = *Wide::at(from + i * stride);
    for (std::size_t i = 0; i < 8; i += 2) {
        pair[i] = __builtin_shufflevector(row[i], row[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        pair[i + 1] = __builtin_shufflevector(row[i], row[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (std::size_t i = 0; i < 8; i += 4) {
        row[i] = __builtin_shufflevector(pair[i], pair[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
        row[i + 1] = __builtin_shufflevector(pair[i], pair[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        row[i + 2] = __builtin_shufflevector(pair[i + 1], pair[i + 3], 0, 1, 8, 9, 4, 5, 12, 13);
        row[i + 3] = __builtin_shufflevector(pair[i + 1], pair[i + 3], 2, 3, 10, 11, 6, 7, 14, 15);
    }
    for (std::size_t i = 0; i < 4; ++i) {
        *Wide::at(to + i * width) = __builtin_shufflevector(row[i], row[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        *Wide::at(to + (i + 4) * width) =
            __builtin_shufflevector(row[i], row[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

// Packs columns [first, first + width) of the transpose of `b`.
void pack_transposed_panel(ConstMatrixView<float> b, std::size_t first, float* to) {
    const std::size_t count = std::min(width, b.rows - first);
    std::size_t packed = 0;
    if (count == width) {
        for (; packed + Wide::lanes <= b.cols; packed += Wide::lanes) {
            transpose_square(b.row(first) + packed, b.stride, to + packed * width);
            transpose_square(b.row(first + Wide::lanes) + packed, b.stride,
                             to + packed * width + Wide::lanes);
        }
    }
    for (std::size_t l = packed; l < b.cols; ++l) {
        for (std::size_t j = 0; j < count; ++j) to[l * width + j] = b(first + j, l);
        std::fill_n(to + l * width + count, width - count, 0.0F);
    }
}

// Buffers of a thread for a packed part of a transposed A, [m, max_inner_transposed], and a panel of B.
struct Scratch {
    AlignedVector<float> left, panel;
};

Scratch& thread_scratch() {
    thread_local Scratch scratch;
    return scratch;
}

void grow(AlignedVector<float>& buffer, std::size_t size) {
    if (buffer.size() < size) buffer.resize(size);
}

// Packs the columns of `a`, [k, m], tile after tile. In a tile, element (r, l) is at l * tile_rows + r.
POPFLOW_AVX2 void pack_left(ConstMatrixView<float> a, AlignedVector<float>& to) {
    grow(to, (a.cols / tile_rows + 2) * packed_tile_size);
    // Packs a few rows at a time, so that they stay in the L1 cache for all tiles.
    constexpr std::size_t rows_at_a_time = 8;
    for (std::size_t l = 0; l < a.rows; l += rows_at_a_time) {
        const std::size_t end = std::min(l + rows_at_a_time, a.rows);
        float* tile = to.data();
        for (std::size_t i = 0; i < a.cols; tile += packed_tile_size) {
            const std::size_t rows = tile_height(a.cols - i);
            for (std::size_t at = l; at < end; ++at) {
                const float* const from = a.row(at) + i;
                float* const column = tile + at * tile_rows;
                __builtin_prefetch(a.row(std::min(at + rows_at_a_time, a.rows - 1)) + i);
                if (i + Wide::lanes <= a.cols) {
                    *Wide::at(column) = *Wide::at(from);  // the next column overwrites the surplus
                } else {
                    for (std::size_t r = 0; r < rows; ++r) column[r] = from[r];
                }
            }
            i += rows;
        }
    }
}

// Computes c = alpha op(A) panel + beta c, where `c` has the columns of one panel. Prefetches the rows `next`
// of the next panel, a part of them with each tile, because a burst of prefetches would stall the tiles.
template <bool Packed>
void multiply_panel(Left a, const float* panel, std::size_t k, float alpha, float beta,
                    const MatrixView<float>& c, Prefetch next) {
    const std::size_t prefetches_per_row = (next.count + c.rows - 1) / c.rows;
    for (std::size_t i = 0; i < c.rows;) {
        const std::size_t rows = tile_height(c.rows - i);
        const std::size_t count = std::min(next.count, rows * prefetches_per_row);
        multiply_rows<Packed>(a, panel, k, alpha, beta, c.row_block(i, rows),
                              {next.first, next.stride, count});
        a.first += Packed ? packed_tile_size : rows * a.stride;
        next.first += count * next.stride;
        next.count -= count;
        i += rows;
    }
}

MatrixView<float> panel_columns(const MatrixView<float>& c, std::size_t first) {
    return c.col_block(first, std::min(width, c.cols - first));
}

}  // namespace

bool is_available() {
#if defined(__x86_64__) && defined(__GNUC__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return false;
#endif
}

bool is_preferred() {
    static const bool answer =
        is_available() && onednn::cpu_has(dnnl_cpu_isa_avx2) && !onednn::cpu_has(dnnl_cpu_isa_avx512_core);
    return answer;
}

const float* Panels::panel(std::size_t p, std::size_t l) const {
    return values_.data() + (p * rows_ + l) * width;
}

void Panels::pack(bool transpose, ConstMatrixView<float> b) {
    rows_ = transpose ? b.cols : b.rows;
    cols_ = transpose ? b.rows : b.cols;
    const std::size_t panels = (cols_ + width - 1) / width;
    values_.resize(panels * rows_ * width);
    for (std::size_t p = 0; p < panels; ++p) {
        float* const to = values_.data() + p * rows_ * width;
        if (transpose) {
            pack_transposed_panel(b, p * width, to);
        } else {
            pack_panel(b, p * width, to);
        }
    }
}

void multiply(float alpha, bool transpose_a, ConstMatrixView<float> a, const Panels& b, float beta,
              MatrixView<float> c) {
    AlignedVector<float>& left = thread_scratch().left;
    const std::size_t part = inner_part(b.rows(), transpose_a ? max_inner_transposed : max_inner);
    std::size_t l = 0;
    do {  // runs once even for an inner size of zero, to scale C by beta
        const std::size_t k = std::min(part, b.rows() - l);
        const float beta_here = l == 0 ? beta : 1;
        if (transpose_a) pack_left(a.row_block(l, k), left);
        for (std::size_t j = 0; j < c.cols; j += width) {
            const float* const panel = b.panel(j / width, l);
            const bool last = j + width >= c.cols;
            const Prefetch next{last ? panel : b.panel(j / width + 1, l), width, last ? 0 : k};
            const MatrixView<float> columns = panel_columns(c, j);
            if (transpose_a) {
                multiply_panel<true>({left.data(), 0}, panel, k, alpha, beta_here, columns, next);
            } else {
                multiply_panel<false>({a.data + l, a.stride}, panel, k, alpha, beta_here, columns, next);
            }
        }
        l += k;
    } while (l < b.rows());
}

void add_transposed_product(ConstMatrixView<float> a, ConstMatrixView<float> b, MatrixView<float> c) {
    Scratch& scratch = thread_scratch();
    grow(scratch.panel, max_inner_transposed * width);
    const std::size_t part = inner_part(b.rows, max_inner_transposed);
    for (std::size_t l = 0; l < b.rows; l += part) {
        const std::size_t k = std::min(part, b.rows - l);
        pack_left(a.row_block(l, k), scratch.left);
        for (std::size_t j = 0; j < c.cols; j += width) {
            pack_panel(b.row_block(l, k), j, scratch.panel.data());
            const bool last = j + width >= c.cols;
            const Prefetch next{b.row(l) + (last ? j : j + width), b.stride, last ? 0 : k};
            multiply_panel<true>({scratch.left.data(), 0}, scratch.panel.data(), k, 1, 1, panel_columns(c, j),
                                 next);
        }
    }
}

}  // namespace popflow::linalg::avx2
