// SPDX-License-Identifier: MIT
#include "linalg/gram.hpp"

#include <algorithm>

#include "core/simd.hpp"

namespace popflow::linalg {

namespace {

constexpr std::size_t quad = 4;            // rows that one pass over a sum adds
constexpr std::size_t group = 8;           // sums that share the rows that are in the cache
constexpr std::size_t block_rows = 512;    // rows of x whose products are added at a time
constexpr std::size_t block_columns = 64;  // columns of x that a thread takes at a time

std::size_t rounded_up(std::size_t n) {
    return (n + quad - 1) / quad * quad;
}

// Adds sum_r factors[r, s] * rows[r, 0 .. n) to out[s, 0 .. n) for each of `sums` sums.
//
// Shapes: factors [count, sums] with the strides between rows and columns, rows [count, n], out [sums, n].
// @param count  a multiple of quad
POPFLOW_SIMD void add_products(const double* factors, std::size_t row_stride, std::size_t column_stride,
                               const double* rows, std::size_t stride, std::size_t count, double* out,
                               std::size_t out_stride, std::size_t sums, std::size_t n) {
    for (std::size_t r = 0; r < count; r += quad) {
        const double* x = rows + r * stride;
        const double* y = x + stride;
        const double* z = y + stride;
        const double* w = z + stride;
        for (std::size_t s = 0; s < sums; ++s) {
            const double* f = factors + r * row_stride + s * column_stride;
            const double a = f[0];
            const double b = f[row_stride];
            const double c = f[2 * row_stride];
            const double e = f[3 * row_stride];
            double* sum = out + s * out_stride;
#pragma omp simd
            for (std::size_t j = 0; j < n; ++j) sum[j] += (a * x[j] + b * y[j]) + (c * z[j] + e * w[j]);
        }
    }
}

// Writes columns [first, first + count) of x - centre to `out`, with zeros in the rows up to a multiple of
// quad. Shape: out [rounded_up(x.rows), count].
void copy_centred(ConstMatrixView<float> x, std::span<const float> centre, std::size_t first,
                  std::size_t count, double* out) {
    for (std::size_t i = 0; i < x.rows; ++i) {
        const float* row = x.row(i) + first;
        for (std::size_t j = 0; j < count; ++j)
            out[i * count + j] = static_cast<double>(row[j]) - static_cast<double>(centre[first + j]);
    }
    std::fill(out + x.rows * count, out + rounded_up(x.rows) * count, 0.0);
}

// Overwrites the scores (x - centre) v of a block of rows. Shapes: x [n, d], v [d, k], scores [n, k].
void block_scores(ConstMatrixView<float> x, std::span<const float> centre, ConstMatrixView<double> v,
                  Matrix<double>& scores) {
    const std::size_t groups = (x.rows + group - 1) / group;
    std::fill_n(scores.data(), scores.size(), 0.0);
#pragma omp parallel
    {
        Matrix<double> cells(group, block_columns);
#pragma omp for schedule(static)
        for (std::size_t g = 0; g < groups; ++g) {
            const auto rows = x.row_block(g * group, std::min(group, x.rows - g * group));
            for (std::size_t j = 0; j < x.cols; j += block_columns) {
                const std::size_t columns = std::min(block_columns, x.cols - j);
                copy_centred(rows, centre, j, columns, cells.data());
                const std::size_t whole = columns / quad * quad;
                double* out = scores.view().row(g * group);
                add_products(cells.data(), 1, columns, v.row(j), v.stride, whole, out, v.cols, rows.rows,
                             v.cols);
                for (std::size_t i = 0; i < rows.rows; ++i) {
                    for (std::size_t l = whole; l < columns; ++l) {
                        for (std::size_t c = 0; c < v.cols; ++c)
                            out[i * v.cols + c] += cells.data()[i * columns + l] * v(j + l, c);
                    }
                }
            }
        }
    }
}

}  // namespace

void centred_gram(ConstMatrixView<float> x, std::span<const float> centre, MatrixView<double> gram) {
    core::check_shape("gram", gram.rows, gram.cols, x.cols, x.cols);
    const std::size_t d = x.cols;
    for (std::size_t i = 0; i < d; ++i) std::fill_n(gram.row(i), d, 0.0);
    Matrix<double> block(block_rows, d);
    const std::size_t groups = (d + group - 1) / group;
    for (std::size_t first = 0; first < x.rows; first += block_rows) {
        const auto rows = x.row_block(first, std::min(block_rows, x.rows - first));
        copy_centred(rows, centre, 0, d, block.data());
#pragma omp parallel for schedule(dynamic, 1)
        for (std::size_t g = 0; g < groups; ++g) {
            const std::size_t i = g * group;
            const std::size_t sums = std::min(group, d - i);
            add_products(block.data() + i, d, 1, block.data(), d, rounded_up(rows.rows), gram.row(i),
                         gram.stride, sums, i + sums);
        }
    }
}

void centred_gram_product(ConstMatrixView<float> x, std::span<const float> centre, ConstMatrixView<double> v,
                          MatrixView<double> out) {
    core::check_shape("gram.v", v.rows, v.cols, x.cols, v.cols);
    core::check_shape("gram.out", out.rows, out.cols, x.cols, v.cols);
    for (std::size_t j = 0; j < out.rows; ++j) std::fill_n(out.row(j), out.cols, 0.0);
    Matrix<double> scores(block_rows, v.cols);
    const std::size_t blocks = (x.cols + block_columns - 1) / block_columns;
    for (std::size_t first = 0; first < x.rows; first += block_rows) {
        const auto rows = x.row_block(first, std::min(block_rows, x.rows - first));
        block_scores(rows, centre, v, scores);
#pragma omp parallel
        {
            Matrix<double> cells(block_rows, block_columns);
#pragma omp for schedule(static)
            for (std::size_t b = 0; b < blocks; ++b) {
                const std::size_t j = b * block_columns;
                const std::size_t columns = std::min(block_columns, x.cols - j);
                copy_centred(rows, centre, j, columns, cells.data());
                for (std::size_t l = 0; l < columns; l += group)
                    add_products(cells.data() + l, columns, 1, scores.data(), v.cols, rounded_up(rows.rows),
                                 out.row(j + l), out.stride, std::min(group, columns - l), v.cols);
            }
        }
    }
}

}  // namespace popflow::linalg
