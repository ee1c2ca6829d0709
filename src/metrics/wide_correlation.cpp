// SPDX-License-Identifier: MIT
#include "metrics/wide_correlation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/parallel_error.hpp"
#include "linalg/gemm.hpp"

namespace popflow::metrics {

using linalg::ConstMatrixView;
using linalg::Matrix;
using linalg::MatrixView;

namespace {

constexpr std::size_t tile = 256;    // rows and columns of a product that one thread computes
constexpr std::size_t depth = 1024;  // terms of a product in single precision

// Cells whose chosen markers have mean 0 and norm 1. Computes blocks of them on demand.
class StandardisedCells {
  public:
    StandardisedCells(ConstMatrixView<float> x, std::span<const std::size_t> markers)
        : x_(x),
          markers_(markers),
          mean_(markers.size(), 0),
          inverse_norm_(markers.size(), 0),
          diagonal_(markers.size(), 0) {
        for_each([&](std::size_t, std::size_t j, double value) { mean_[j] += value; });
        for (double& mean : mean_) mean /= static_cast<double>(x.rows);
        for_each([&](std::size_t, std::size_t j, double value) {
            inverse_norm_[j] += (value - mean_[j]) * (value - mean_[j]);
        });
        for (double& norm : inverse_norm_) norm = 1 / std::sqrt(norm);
        std::vector<double> row_sums(x.rows, 0);
        for_each([&](std::size_t i, std::size_t j, double value) {
            const auto z = static_cast<double>(standardised(j, value));
            diagonal_[j] += z * z;
            row_sums[i] += z;
        });
        for (const double sum : row_sums) sum_ += sum * sum;
    }

    std::size_t cells() const { return x_.rows; }
    std::size_t markers() const { return markers_.size(); }
    // Sum of all correlations.
    double sum() const { return sum_; }
    // Correlation of a marker with itself: 1 up to rounding.
    double diagonal(std::size_t j) const { return diagonal_[j]; }

    // Returns a block of the matrix in `storage`.
    MatrixView<float> block(std::size_t first_cell, std::size_t n, std::size_t first_marker, std::size_t d,
                            Matrix<float>& storage) const {
        storage.reshape(n, d);
        for (std::size_t i = 0; i < n; ++i) {
            const float* row = x_.row(first_cell + i);
            float* out = storage.view().row(i);
            for (std::size_t j = 0; j < d; ++j)
                out[j] = standardised(first_marker + j, static_cast<double>(row[markers_[first_marker + j]]));
        }
        return storage.view();
    }

  private:
    float standardised(std::size_t j, double value) const {
        return static_cast<float>((value - mean_[j]) * inverse_norm_[j]);
    }
    template <class Work>
    void for_each(Work work) const {
        for (std::size_t i = 0; i < x_.rows; ++i) {
            const float* row = x_.row(i);
            for (std::size_t j = 0; j < markers_.size(); ++j)
                work(i, j, static_cast<double>(row[markers_[j]]));
        }
    }

    ConstMatrixView<float> x_;
    std::span<const std::size_t> markers_;
    std::vector<double> mean_, inverse_norm_, diagonal_;
    double sum_ = 0;
};

// Buffers of one thread.
struct Buffers {
    Matrix<float> a, b, product;
    Matrix<double> sum_x, sum_y;
};

void add(const Matrix<float>& product, Matrix<double>& sum) {
    for (std::size_t k = 0; k < sum.size(); ++k) sum.values()[k] += static_cast<double>(product.values()[k]);
}

// A tile of a product: rows [i, i + rows) and columns [j, j + cols).
struct Tile {
    std::size_t i, rows, j, cols;
};

// Returns the tiles of a product of `rows` x `cols`, or of the part of a symmetric one on and above the
// diagonal.
std::vector<Tile> tiles_of(std::size_t rows, std::size_t cols, bool is_symmetric) {
    std::vector<Tile> tiles;
    for (std::size_t i = 0; i < rows; i += tile) {
        for (std::size_t j = is_symmetric ? i : 0; j < cols; j += tile)
            tiles.push_back({i, std::min(tile, rows - i), j, std::min(tile, cols - j)});
    }
    return tiles;
}

// Runs work(tile, buffers), which returns a value of Sums, for all tiles in parallel. Returns the results in
// the order of the tiles.
template <class Sums, class Work>
std::vector<Sums> for_tiles(const std::vector<Tile>& tiles, Work work) {
    std::vector<Sums> results(tiles.size());
    core::ParallelError error;
#pragma omp parallel
    {
        Buffers buffers;
#pragma omp for schedule(dynamic, 1)
        for (std::size_t t = 0; t < tiles.size(); ++t)
            error.run([&] { results[t] = work(tiles[t], buffers); });
    }
    error.rethrow();
    return results;
}

// Returns the sum of the squares of A B^T: the sum of the products of all correlations of A and B.
double squared_norm_of_product(const StandardisedCells& a, const StandardisedCells& b) {
    const bool is_same = &a == &b;
    const std::vector<Tile> tiles = tiles_of(a.cells(), b.cells(), is_same);
    const auto sums = for_tiles<double>(tiles, [&](const Tile& t, Buffers& buffers) {
        buffers.sum_x = Matrix<double>(t.rows, t.cols);
        buffers.product.reshape(t.rows, t.cols);
        for (std::size_t first = 0; first < a.markers(); first += depth) {
            const std::size_t d = std::min(depth, a.markers() - first);
            linalg::gemm(false, true, 1, a.block(t.i, t.rows, first, d, buffers.a),
                         b.block(t.j, t.cols, first, d, buffers.b), 0, buffers.product.view());
            add(buffers.product, buffers.sum_x);
        }
        double sum = 0;
        for (const double value : buffers.sum_x.values()) sum += value * value;
        return is_same && t.i != t.j ? 2 * sum : sum;
    });
    double total = 0;
    for (const double sum : sums) total += sum;
    return total;
}

// Sums over all elements of two correlation matrices, with the diagonal.
struct CorrelationSums {
    double xx = 0, yy = 0, xy = 0;
};

CorrelationSums sums_by_cells(const StandardisedCells& x, const StandardisedCells& y) {
    return {squared_norm_of_product(x, x), squared_norm_of_product(y, y), squared_norm_of_product(x, y)};
}

// Computes a tile of the correlation matrix.
void correlation_tile(const StandardisedCells& cells, const Tile& t, Buffers& buffers, Matrix<double>& sum) {
    sum = Matrix<double>(t.rows, t.cols);
    buffers.product.reshape(t.rows, t.cols);
    for (std::size_t first = 0; first < cells.cells(); first += depth) {
        const std::size_t n = std::min(depth, cells.cells() - first);
        linalg::gemm(true, false, 1, cells.block(first, n, t.i, t.rows, buffers.a),
                     cells.block(first, n, t.j, t.cols, buffers.b), 0, buffers.product.view());
        add(buffers.product, sum);
    }
}

CorrelationSums sums_by_markers(const StandardisedCells& x, const StandardisedCells& y) {
    const std::vector<Tile> tiles = tiles_of(x.markers(), x.markers(), true);
    const auto sums = for_tiles<CorrelationSums>(tiles, [&](const Tile& t, Buffers& buffers) {
        correlation_tile(x, t, buffers, buffers.sum_x);
        correlation_tile(y, t, buffers, buffers.sum_y);
        CorrelationSums sum;
        for (std::size_t k = 0; k < buffers.sum_x.size(); ++k) {
            const double a = buffers.sum_x.values()[k];
            const double b = buffers.sum_y.values()[k];
            sum.xx += a * a;
            sum.yy += b * b;
            sum.xy += a * b;
        }
        const double weight = t.i != t.j ? 2 : 1;
        return CorrelationSums{weight * sum.xx, weight * sum.yy, weight * sum.xy};
    });
    CorrelationSums total;
    for (const CorrelationSums& sum : sums) {
        total.xx += sum.xx;
        total.yy += sum.yy;
        total.xy += sum.xy;
    }
    return total;
}

}  // namespace

double wide_correlation_r2(ConstMatrixView<float> x, ConstMatrixView<float> y,
                           std::span<const std::size_t> markers) {
    const StandardisedCells cells_x(x, markers);
    const StandardisedCells cells_y(y, markers);
    const auto d = static_cast<double>(markers.size());
    CorrelationSums sums = x.rows + y.rows < markers.size() ? sums_by_cells(cells_x, cells_y)
                                                            : sums_by_markers(cells_x, cells_y);
    double mean_x = cells_x.sum();
    double mean_y = cells_y.sum();
    for (std::size_t j = 0; j < markers.size(); ++j) {
        const double a = cells_x.diagonal(j);
        const double b = cells_y.diagonal(j);
        mean_x -= a;
        mean_y -= b;
        sums.xx -= a * a;
        sums.yy -= b * b;
        sums.xy -= a * b;
    }
    // Both triangles are equal, so the means over all pairs of distinct markers are those of one triangle.
    const double pairs = d * (d - 1);
    mean_x /= pairs;
    mean_y /= pairs;
    const double variance_x = sums.xx / pairs - mean_x * mean_x;
    const double variance_y = sums.yy / pairs - mean_y * mean_y;
    constexpr double rounding = 1e-6;  // relative variance of correlations that are equal
    if (!(variance_x > rounding * sums.xx / pairs) || !(variance_y > rounding * sums.yy / pairs))
        return std::numeric_limits<double>::quiet_NaN();
    return (sums.xy / pairs - mean_x * mean_y) / std::sqrt(variance_x * variance_y);
}

}  // namespace popflow::metrics
