// SPDX-License-Identifier: MIT
#include "linalg/avx2_product.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/simd.hpp"
#include "linalg/onednn.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#define POPFLOW_AVX2 __attribute__((target("avx2,fma")))
// sum += x * y. Of vector expressions GCC 12 copies sums from register to register once a loop is unrolled.
#define POPFLOW_ADD_PRODUCT(sum, x, y) asm("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(x), "x"(y))
#else
#define POPFLOW_AVX2
#define POPFLOW_ADD_PRODUCT(sum, x, y) (sum) += (x) * (y)
#endif

namespace popflow::linalg::avx2 {

namespace {

using Wide = core::Floats<32>;
using Vector = Wide::Vector;

// A tile of C is 6 x 16: its 12 registers of sums wait for no other, and leave room for two of a row of B and
// one element of A.
constexpr std::size_t tile_rows = 6;
constexpr std::size_t width = 2 * Wide::lanes;

// Inner sizes of which a panel of B stays in the first cache, or with a packed A in the second; the sums of
// longer ones are added up in C.
constexpr std::size_t max_inner = 512;
constexpr std::size_t max_inner_transposed = 256;
constexpr std::size_t packed_tile_size = tile_rows * max_inner_transposed;

// The inner size in as few parts as it takes, of about the same size.
std::size_t inner_part(std::size_t k, std::size_t most) {
    const std::size_t parts = std::max<std::size_t>(1, (k + most - 1) / most);
    return (k + parts - 1) / parts;
}

// Tiles have six rows, but for what does not divide by six: two tiles of about the same height, since a tile
// of one or two rows would wait for its sums.
std::size_t rows_of_tile(std::size_t rows_left) {
    if (rows_left == tile_rows || rows_left >= 2 * tile_rows) return tile_rows;
    return rows_left > tile_rows ? (rows_left + 1) / 2 : rows_left;
}

// Where a tile finds element (r, l) of its rows of op(A): at first + r * stride + l, or packed, in columns of
// tile_rows, at first + l * tile_rows + r.
struct Left {
    const float* first;
    std::size_t stride;
};

// Lines of memory that are to be on their way to the second cache while a tile is computed.
struct Ahead {
    const float* first = nullptr;
    std::size_t stride = 0, count = 0;
};

// Adds element l of each row times row l of the panel to the sums of a tile, for Steps values of l.
template <std::size_t Steps, std::size_t Rows, bool Packed>
[[gnu::always_inline]] POPFLOW_AVX2 inline void add_steps(const std::array<const float*, Rows>& row,
                                                          const float* panel, std::size_t l,
                                                          Vector (&sum)[Rows][2]) {
#pragma GCC unroll 4
    for (std::size_t end = l + Steps; l < end; ++l) {
        const Vector left = *Wide::at(panel + l * width);
        const Vector right = *Wide::at(panel + l * width + Wide::lanes);
#pragma GCC unroll 6
        for (std::size_t r = 0; r < Rows; ++r) {
            const float a = row[r][Packed ? l * tile_rows : l];
            const Vector x = {a, a, a, a, a, a, a, a};
            POPFLOW_ADD_PRODUCT(sum[r][0], x, left);
            POPFLOW_ADD_PRODUCT(sum[r][1], x, right);
        }
    }
}

// c = alpha A panel + beta c, for a tile of Rows rows and up to `width` columns.
template <std::size_t Rows, bool Packed>
POPFLOW_AVX2 void multiply_tile(const Left& a, const float* panel, std::size_t k, float alpha, float beta,
                                const MatrixView<float>& c, const Ahead& ahead) {
    std::array<const float*, Rows> row;
    for (std::size_t r = 0; r < Rows; ++r) {
        __builtin_prefetch(c.row(r), 1);
        row[r] = a.first + r * (Packed ? 1 : a.stride);
    }
    for (std::size_t l = 0; l < ahead.count; ++l) __builtin_prefetch(ahead.first + l * ahead.stride, 0, 2);
    Vector sum[Rows][2] = {};
    // Four at a time: a core that another thread shares has no time for counting each.
    std::size_t l = 0;
    for (; l + 4 <= k; l += 4) add_steps<4, Rows, Packed>(row, panel, l, sum);
    for (; l < k; ++l) add_steps<1, Rows, Packed>(row, panel, l, sum);
    // Columns beyond the last of C are made of the panel's zeros and end here.
    alignas(64) std::array<float, Rows * width> edge;
    const bool whole = c.cols == width;
    float* const to = whole ? c.data : edge.data();
    const std::size_t stride = whole ? c.stride : width;
    if (!whole) {
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
    if (!whole) {
        for (std::size_t r = 0; r < Rows; ++r) std::copy_n(to + r * stride, c.cols, c.row(r));
    }
}

template <bool Packed>
void multiply_rows(const Left& a, const float* panel, std::size_t k, float alpha, float beta,
                   const MatrixView<float>& c, const Ahead& ahead) {
    switch (c.rows) {
        case 1:
            return multiply_tile<1, Packed>(a, panel, k, alpha, beta, c, ahead);
        case 2:
            return multiply_tile<2, Packed>(a, panel, k, alpha, beta, c, ahead);
        case 3:
            return multiply_tile<3, Packed>(a, panel, k, alpha, beta, c, ahead);
        case 4:
            return multiply_tile<4, Packed>(a, panel, k, alpha, beta, c, ahead);
        case 5:
            return multiply_tile<5, Packed>(a, panel, k, alpha, beta, c, ahead);
        default:
            return multiply_tile<tile_rows, Packed>(a, panel, k, alpha, beta, c, ahead);
    }
}

// Columns [first, first + width) of the rows of `b`, one after the other; beyond the last column, zeros.
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

// The same of the transpose of `b`.
void pack_panel_of_transpose(ConstMatrixView<float> b, std::size_t first, float* to) {
    const std::size_t count = std::min(width, b.rows - first);
    for (std::size_t l = 0; l < b.cols; ++l) {
        for (std::size_t j = 0; j < count; ++j) to[l * width + j] = b(first + j, l);
        std::fill_n(to + l * width + count, width - count, 0.0F);
    }
}

// Room of the calling thread for a part of a transposed A, [m, max_inner_transposed], and a panel of B.
struct Scratch {
    AlignedVector<float> left, panel;
};

Scratch& scratch_of_thread() {
    thread_local Scratch scratch;
    return scratch;
}

void grow(AlignedVector<float>& room, std::size_t size) {
    if (room.size() < size) room.resize(size);
}

// The columns of `a`, [k, m], as tiles take them: tile after tile, element (r, l) at l * tile_rows + r.
void pack_left(ConstMatrixView<float> a, AlignedVector<float>& to) {
    grow(to, (a.cols / tile_rows + 2) * packed_tile_size);
    // Few rows at a time, which stay in the first cache for all tiles.
    constexpr std::size_t run_collectively = 8;
    for (std::size_t l = 0; l < a.rows; l += run_collectively) {
        const std::size_t end = std::min(l + run_collectively, a.rows);
        float* tile = to.data();
        for (std::size_t i = 0; i < a.cols; tile += packed_tile_size) {
            const std::size_t rows = rows_of_tile(a.cols - i);
            for (std::size_t at = l; at < end; ++at) {
                const float* const from = a.row(at) + i;
                float* const column = tile + at * tile_rows;
                if (rows == tile_rows) {
                    std::memcpy(column, from, tile_rows * sizeof(float));
                } else {
                    for (std::size_t r = 0; r < rows; ++r) column[r] = from[r];
                }
            }
            i += rows;
        }
    }
}

// c = alpha op(A) panel + beta c, where `c` has the columns of one panel. With each tile a part of `ahead` is
// fetched, which are lines of the next panel: a burst of them would keep the tiles waiting.
template <bool Packed>
void multiply_panel(Left a, const float* panel, std::size_t k, float alpha, float beta,
                    const MatrixView<float>& c, Ahead ahead) {
    const std::size_t lines_a_row = (ahead.count + c.rows - 1) / c.rows;
    for (std::size_t i = 0; i < c.rows;) {
        const std::size_t rows = rows_of_tile(c.rows - i);
        const std::size_t lines = std::min(ahead.count, rows * lines_a_row);
        multiply_rows<Packed>(a, panel, k, alpha, beta, c.row_block(i, rows),
                              {ahead.first, ahead.stride, lines});
        a.first += Packed ? packed_tile_size : rows * a.stride;
        ahead.first += lines * ahead.stride;
        ahead.count -= lines;
        i += rows;
    }
}

MatrixView<float> columns_of_panel(const MatrixView<float>& c, std::size_t first) {
    return c.col_block(first, std::min(width, c.cols - first));
}

}  // namespace

bool available() {
#if defined(__x86_64__) && defined(__GNUC__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return false;
#endif
}

bool preferred() {
    static const bool answer =
        available() && onednn::cpu_has(dnnl_cpu_isa_avx2) && !onednn::cpu_has(dnnl_cpu_isa_avx512_core);
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
            pack_panel_of_transpose(b, p * width, to);
        } else {
            pack_panel(b, p * width, to);
        }
    }
}

void multiply(float alpha, bool transpose_a, ConstMatrixView<float> a, const Panels& b, float beta,
              MatrixView<float> c) {
    AlignedVector<float>& left = scratch_of_thread().left;
    const std::size_t part = inner_part(b.rows(), transpose_a ? max_inner_transposed : max_inner);
    std::size_t l = 0;
    do {  // once for an inner size of zero too
        const std::size_t k = std::min(part, b.rows() - l);
        const float beta_here = l == 0 ? beta : 1;
        if (transpose_a) pack_left(a.row_block(l, k), left);
        for (std::size_t j = 0; j < c.cols; j += width) {
            const float* const panel = b.panel(j / width, l);
            const bool last = j + width >= c.cols;
            const Ahead ahead{last ? panel : b.panel(j / width + 1, l), width, last ? 0 : k};
            const MatrixView<float> columns = columns_of_panel(c, j);
            if (transpose_a) {
                multiply_panel<true>({left.data(), 0}, panel, k, alpha, beta_here, columns, ahead);
            } else {
                multiply_panel<false>({a.data + l, a.stride}, panel, k, alpha, beta_here, columns, ahead);
            }
        }
        l += k;
    } while (l < b.rows());
}

void add_transposed_product(ConstMatrixView<float> a, ConstMatrixView<float> b, MatrixView<float> c) {
    Scratch& scratch = scratch_of_thread();
    grow(scratch.panel, max_inner_transposed * width);
    const std::size_t part = inner_part(b.rows, max_inner_transposed);
    for (std::size_t l = 0; l < b.rows; l += part) {
        const std::size_t k = std::min(part, b.rows - l);
        pack_left(a.row_block(l, k), scratch.left);
        for (std::size_t j = 0; j < c.cols; j += width) {
            pack_panel(b.row_block(l, k), j, scratch.panel.data());
            const bool last = j + width >= c.cols;
            const Ahead ahead{b.row(l) + (last ? j : j + width), b.stride, last ? 0 : k};
            multiply_panel<true>({scratch.left.data(), 0}, scratch.panel.data(), k, 1, 1,
                                 columns_of_panel(c, j), ahead);
        }
    }
}

}  // namespace popflow::linalg::avx2
