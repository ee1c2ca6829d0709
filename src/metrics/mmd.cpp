// SPDX-License-Identifier: MIT
#include "metrics/mmd.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "core/error.hpp"
#include "core/parallel_error.hpp"
#include "core/simd.hpp"
#include "ot/distances.hpp"
#include "ot/exponential.hpp"

namespace popflow::metrics {

using linalg::ConstMatrixView;

namespace {

constexpr std::size_t rows_per_task = 64;
constexpr std::size_t columns_per_chunk = 512;
// Problems with fewer pairs run on one thread: starting a team costs more than it saves.
constexpr std::size_t serial_size = 1U << 18U;

void add(const KernelMeans& other, double weight, KernelMeans& to) {
    to.kernel += weight * other.kernel;
    to.distance += weight * other.distance;
    to.scaled += weight * other.scaled;
}

// Returns the sum of all six kernels at a squared distance. One exponential suffices, because each gamma is
// an integer multiple of the next smaller one.
[[gnu::always_inline]] inline double kernels(double squared) {
    double x = -0.005 * squared;
    x = x < -700 ? -700 : x;
    const double e0005 = ot::exp_of_negative(x);
    const double e001 = e0005 * e0005;
    const double e002 = e001 * e001;
    const double e004 = e002 * e002;
    const double e01 = e004 * e004 * e002;
    const double e02 = e01 * e01;
    const double e05 = e02 * e02 * e01;
    const double e1 = e05 * e05;
    return ((e1 * e1 + e1) + e05) + ((e01 + e001) + e0005);
}

POPFLOW_SIMD void add_row(const float* squared, std::size_t count, KernelMeans& sums) {
    double kernel = 0;
    double distance = 0;
#pragma omp simd reduction(+ : kernel, distance)
    for (std::size_t j = 0; j < count; ++j) {
        kernel += kernels(squared[j]);
        distance += __builtin_sqrtf(squared[j]);
    }
    sums.kernel += kernel;
    sums.distance += distance;
}

// Adds the scaled kernels of a row. One exponential suffices, because each scale is twice the next smaller
// one.
POPFLOW_SIMD void add_scaled_row(const float* squared, std::size_t count, double inverse_scale,
                                 KernelMeans& sums) {
    double kernel = 0;
#pragma omp simd reduction(+ : kernel)
    for (std::size_t j = 0; j < count; ++j) {
        double x = -mmd_scales.back() * inverse_scale * static_cast<double>(squared[j]);
        x = x < -43 ? -43 : x;  // its 16th power is still a normal number
        const double e1 = ot::exp_of_negative(x);
        const double e2 = e1 * e1;
        const double e4 = e2 * e2;
        const double e8 = e4 * e4;
        kernel += ((e8 * e8 + e8) + e4) + (e2 + e1);
    }
    sums.scaled += kernel;
}

// Stores a population transposed: markers are rows, and cells are padded to whole column blocks.
class Transposed {
  public:
    explicit Transposed(ConstMatrixView<float> x)
        : stride_(ot::spread_stride(ot::padded(x.rows))), values_(x.cols * stride_) {
        for (std::size_t i = 0; i < x.rows; ++i) {
            for (std::size_t k = 0; k < x.cols; ++k) values_[k * stride_ + i] = x(i, k);
        }
    }
    std::size_t stride() const { return stride_; }
    const float* from_column(std::size_t j) const { return values_.data() + j; }

  private:
    std::size_t stride_;
    linalg::AlignedVector<float> values_;
};

// Returns the sums of kernels and distances over all rows and the columns [start, end) of y. Processes the
// columns in chunks whose distances fit the cache.
KernelMeans sum_over_columns(const float* points, std::size_t rows, std::size_t d, const Transposed& y,
                             std::size_t start, std::size_t end, double inverse_scale, float* squared) {
    KernelMeans sums;
    for (std::size_t j = start; j < end; j += columns_per_chunk) {
        const std::size_t count = std::min(columns_per_chunk, end - j);
        ot::distances(points, y.from_column(j), y.stride(), d,
                      {squared, rows, ot::padded(count), columns_per_chunk});
        for (std::size_t i = 0; i < rows; ++i) {
            add_row(squared + i * columns_per_chunk, count, sums);
            if (inverse_scale > 0)
                add_scaled_row(squared + i * columns_per_chunk, count, inverse_scale, sums);
        }
    }
    return sums;
}

// Returns the means over all pairs of a row of x and a row of y. `same` states that x and y are the same
// population. Pairs of distinct row blocks are then computed once.
KernelMeans mean_over_pairs(ConstMatrixView<float> x, const Transposed& y, std::size_t m, bool same,
                            double inverse_scale) {
    std::vector<KernelMeans> partial((x.rows + rows_per_task - 1) / rows_per_task);
    core::ParallelError error;
#pragma omp parallel if (x.rows * m > serial_size)
    {
        linalg::AlignedVector<float> squared;
        std::vector<float> points;
        const auto add_rows = [&](std::size_t task) {
            squared.resize(rows_per_task * columns_per_chunk);
            points.resize(rows_per_task * x.cols);
            const std::size_t first = task * rows_per_task;
            const std::size_t rows = std::min(rows_per_task, x.rows - first);
            for (std::size_t i = 0; i < rows; ++i) {
                std::copy_n(x.row(first + i), x.cols, points.data() + i * x.cols);
            }
            // Within one population: counts the diagonal block once and the columns right of it twice.
            const std::size_t once = same ? first + rows : m;
            add(sum_over_columns(points.data(), rows, x.cols, y, same ? first : 0, once, inverse_scale,
                                 squared.data()),
                1, partial[task]);
            add(sum_over_columns(points.data(), rows, x.cols, y, once, m, inverse_scale, squared.data()), 2,
                partial[task]);
        };
#pragma omp for schedule(dynamic)
        for (std::size_t task = 0; task < partial.size(); ++task) error.run([&] { add_rows(task); });
    }
    error.rethrow();
    KernelMeans total;
    const double pairs = static_cast<double>(x.rows) * static_cast<double>(m);
    for (const KernelMeans& part : partial) add(part, 1 / pairs, total);
    total.inverse_scale = inverse_scale;
    return total;
}

void check_population(ConstMatrixView<float> x, const char* name) {
    if (x.empty()) throw core::ShapeMismatch(name, "[at least 1, at least 1]", x.rows, x.cols);
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (float v : x.row_span(i)) {
            if (!std::isfinite(v)) throw core::NumericalError(name, "a value is not finite");
        }
    }
}

}  // namespace

double inverse_median_distance(ConstMatrixView<float> truth) {
    check_population(truth, "inverse_median_distance.truth");
    const std::size_t n = std::min(truth.rows, max_median_cells);
    linalg::Matrix<float> cells(n, truth.cols);
    for (std::size_t i = 0; i < n; ++i)
        std::ranges::copy(truth.row_span(truth.rows * i / n), cells.view().row(i));
    const Transposed columns(cells.view());
    std::vector<std::vector<float>> rows(n);
    core::ParallelError error;
#pragma omp parallel for schedule(dynamic, 16) if (n * n > serial_size)
    for (std::size_t i = 0; i < n; ++i) {
        error.run([&] {
            // Distances to the cells from the column block of cell i on.
            const std::size_t start = i / ot::column_block * ot::column_block;
            linalg::AlignedVector<float> squared(ot::padded(n - start));
            ot::distances(cells.view().row(i), columns.from_column(start), columns.stride(), truth.cols,
                          {squared.data(), 1, squared.size(), squared.size()});
            rows[i].assign(squared.begin() + static_cast<std::ptrdiff_t>(i + 1 - start),
                           squared.begin() + static_cast<std::ptrdiff_t>(n - start));
        });
    }
    error.rethrow();
    std::vector<float> all;
    for (const std::vector<float>& row : rows) all.insert(all.end(), row.begin(), row.end());
    if (all.empty()) return 0;
    const auto middle = all.begin() + std::ssize(all) / 2;
    std::nth_element(all.begin(), middle, all.end());
    double median = static_cast<double>(*middle);
    if (all.size() % 2 == 0)
        median = (median + static_cast<double>(*std::max_element(all.begin(), middle))) / 2;
    if (median == 0) median = std::accumulate(all.begin(), all.end(), 0.0) / static_cast<double>(all.size());
    if (!std::isfinite(median))
        throw core::NumericalError("inverse_median_distance", "a squared distance overflows");
    return median > 0 ? 1 / median : 0;
}

bool is_mmd_constant(double mmd, std::size_t n, std::size_t m) {
    if (n == 0 || m == 0) return false;
    const double constant = 1 / static_cast<double>(n) + 1 / static_cast<double>(m);
    return std::abs(mmd - constant) < 0.01 * constant;
}

KernelMeans own_kernel_means(ConstMatrixView<float> x, double inverse_scale) {
    check_population(x, "kernel_distances.x");
    static_assert(rows_per_task % ot::column_block == 0, "the diagonal block starts on a column block");
    return mean_over_pairs(x, Transposed(x), x.rows, true, inverse_scale);
}

KernelDistances kernel_distances(ConstMatrixView<float> x, ConstMatrixView<float> y, double inverse_scale) {
    core::check_shape("kernel_distances.y", y.rows, y.cols, std::max<std::size_t>(y.rows, 1), x.cols);
    check_population(y, "kernel_distances.y");
    return kernel_distances(x, y, own_kernel_means(y, inverse_scale));
}

KernelDistances kernel_distances(ConstMatrixView<float> x, ConstMatrixView<float> y,
                                 const KernelMeans& y_means) {
    core::check_shape("kernel_distances.y", y.rows, y.cols, std::max<std::size_t>(y.rows, 1), x.cols);
    check_population(y, "kernel_distances.y");
    const KernelMeans xx = own_kernel_means(x, y_means.inverse_scale);
    const KernelMeans xy = mean_over_pairs(x, Transposed(y), y.rows, false, y_means.inverse_scale);
    const double mmd = (xx.kernel + y_means.kernel - 2 * xy.kernel) / static_cast<double>(mmd_gammas.size());
    const double energy = 2 * xy.distance - xx.distance - y_means.distance;
    const double scaled =
        (xx.scaled + y_means.scaled - 2 * xy.scaled) / static_cast<double>(mmd_scales.size());
    if (!std::isfinite(mmd) || !std::isfinite(energy) || !std::isfinite(scaled)) {
        throw core::NumericalError("kernel_distances", "a squared distance overflows");
    }
    return {mmd, energy, y_means.inverse_scale > 0 ? scaled : std::numeric_limits<double>::quiet_NaN()};
}

}  // namespace popflow::metrics
