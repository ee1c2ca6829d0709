// SPDX-License-Identifier: MIT
#include "ot/cost.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "core/parallel_error.hpp"
#include "core/simd.hpp"
#include "ot/distances.hpp"

namespace popflow::ot {

using linalg::ConstMatrixView;

namespace {

constexpr std::size_t rows_per_task = 64;
// Matrices with fewer elements run on one thread: starting a team costs more than it saves.
constexpr std::size_t serial_size = 1U << 20U;

struct Range {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
    void add(double v) {
        low = std::min(low, v);
        high = std::max(high, v);
    }
};

// Widens the range of each marker by one cell. Adds v - v, which is 0 unless v is infinite or not a number,
// to the checks.
POPFLOW_SIMD void widen(const float* cell, std::size_t markers, float* low, float* high, float* checks) {
    for (std::size_t k = 0; k < markers; ++k) {
        const float v = cell[k];
        low[k] = v < low[k] ? v : low[k];
        high[k] = v > high[k] ? v : high[k];
        checks[k] += v - v;
    }
}

void check_finite(ConstMatrixView<float> x, const char* name) {
    for (std::size_t k = 0; k < x.cols; ++k) {
        for (std::size_t i = 0; i < x.rows; ++i) {
            if (!std::isfinite(x(i, k))) {
                throw core::NumericalError("ot.cost", std::string(name) + "[" + std::to_string(i) + ", " +
                                                          std::to_string(k) + "] is not finite");
            }
        }
    }
}

// Returns the largest range of values of any marker over both populations.
double extent(ConstMatrixView<float> x, ConstMatrixView<float> y) {
    std::vector<float> low(x.cols, std::numeric_limits<float>::infinity());
    std::vector<float> high(x.cols, -std::numeric_limits<float>::infinity());
    std::vector<float> checks(x.cols);
    for (std::size_t i = 0; i < x.rows; ++i) widen(x.row(i), x.cols, low.data(), high.data(), checks.data());
    for (std::size_t j = 0; j < y.rows; ++j) widen(y.row(j), x.cols, low.data(), high.data(), checks.data());
    double widest = 0;
    for (std::size_t k = 0; k < x.cols; ++k) {
        if (checks[k] != 0) {
            check_finite(x, "x");
            check_finite(y, "y");
        }
        widest = std::max(widest, static_cast<double>(high[k]) - static_cast<double>(low[k]));
    }
    return widest;
}

double power_of_two_above(double v) {
    return v > 0 ? std::exp2(std::ilogb(v) + 1) : 1;
}

std::vector<double> inverse_norms(ConstMatrixView<float> x, const char* name) {
    std::vector<double> inverse(x.rows);
    for (std::size_t i = 0; i < x.rows; ++i) {
        double sum = 0;
        for (float v : x.row_span(i)) sum += static_cast<double>(v) * v;
        if (!(sum > 0)) {
            throw core::NumericalError("ot.cost",
                                       std::string(name) + "[" + std::to_string(i) +
                                           "] is a zero vector: the cosine cost is undefined for it");
        }
        inverse[i] = 1 / std::sqrt(sum);
    }
    return inverse;
}

float scaled(float v, double factor) {
    return static_cast<float>(static_cast<double>(v) * factor);
}

POPFLOW_SIMD void summarise_row(const float* c, std::size_t columns, float& row_sum, float& row_largest) {
    float sum = 0;
    float largest = 0;
#pragma omp simd reduction(+ : sum) reduction(max : largest)
    for (std::size_t j = 0; j < columns; ++j) {
        sum += c[j];
        largest = c[j] > largest ? c[j] : largest;
    }
    row_sum = sum;
    row_largest = largest;
}

POPFLOW_SIMD void square_all(float* values, std::size_t count) {
    for (std::size_t j = 0; j < count; ++j) values[j] *= values[j];
}

}  // namespace

Cost::Cost(CostKind kind, ConstMatrixView<float> x, ConstMatrixView<float> y)
    : kind_(kind),
      x_(x),
      y_(y),
      rows_(x.rows),
      cols_(y.rows),
      padded_cols_(padded(y.rows)),
      stride_(spread_stride(padded_cols_)) {
    if (x.empty()) throw core::ShapeMismatch("ot.cost.x", "[at least 1, at least 1]", x.rows, x.cols);
    core::check_shape("ot.cost.y", y.rows, y.cols, std::max<std::size_t>(y.rows, 1), x.cols);
    const double widest = extent(x, y);
    const auto error = squared_distance_error(x.cols);
    if (kind == CostKind::cosine) {
        x_inverse_norm_ = inverse_norms(x, "x");
        y_inverse_norm_ = inverse_norms(y, "y");
        // Rounding unit vectors to float changes the squared distance, at most 4, by at most 4 * 2 * 2^-24.
        absolute_error_ = 1e-6F;
        relative_error_ = error;
    } else {
        const double magnitude = power_of_two_above(widest);
        point_scale_ = 1 / magnitude;
        unit_ = kind == CostKind::euclidean ? magnitude : magnitude * magnitude;
        relative_error_ = error;
        // Bounds the error of squares below the smallest normal float.
        absolute_error_ = kind == CostKind::euclidean ? 1e-18F : 1e-36F;
    }
    fill_from_points();
}

Cost::Cost(ConstMatrixView<double> c)
    : Cost(c.rows, c.cols, [c](std::size_t i, std::size_t j) { return c(i, j); }) {}

Cost::Cost(ConstMatrixView<float> c)
    : Cost(c.rows, c.cols, [c](std::size_t i, std::size_t j) { return static_cast<double>(c(i, j)); }) {}

Cost::Cost(std::size_t n, std::size_t m, std::function<double(std::size_t, std::size_t)> c)
    : kind_(CostKind::given),
      given_(std::move(c)),
      rows_(n),
      cols_(m),
      padded_cols_(padded(m)),
      stride_(spread_stride(padded_cols_)) {
    if (n == 0 || m == 0) throw core::ShapeMismatch("ot.cost.c", "[at least 1, at least 1]", n, m);
    std::vector<Range> row_ranges(n);
    core::ParallelError error;
#pragma omp parallel for schedule(static) if (n * m > serial_size)
    for (std::size_t i = 0; i < n; ++i) {
        error.run([&] {
            for (std::size_t j = 0; j < m; ++j) {
                const double v = given_(i, j);
                if (!std::isfinite(v)) {
                    throw core::NumericalError(
                        "ot.cost", "c[" + std::to_string(i) + ", " + std::to_string(j) + "] is not finite");
                }
                row_ranges[i].add(v);
            }
        });
    }
    error.rethrow();
    Range range;
    for (const Range& row : row_ranges) {
        range.add(row.low);
        range.add(row.high);
    }
    if (!std::isfinite(range.high - range.low))
        throw core::NumericalError(
            "ot.cost", "the difference between the largest and the smallest element of c overflows");
    offset_ = range.low;
    unit_ = power_of_two_above(range.high - range.low);
    relative_error_ = 6e-8F;
    absolute_error_ = 1e-37F;
    fill_from_matrix();
}

void Cost::fill_from_points() {
    const std::size_t d = x_.cols;
    const std::size_t yt_stride = spread_stride(padded_cols_);
    linalg::AlignedVector<float> yt(d * yt_stride);
    for (std::size_t j = 0; j < cols_; ++j) {
        const double factor = kind_ == CostKind::cosine ? y_inverse_norm_[j] : point_scale_;
        for (std::size_t k = 0; k < d; ++k) yt[k * yt_stride + j] = scaled(y_(j, k), factor);
    }
    matrix_ = core::AlignedArray<float>(rows_ * stride_);
    std::vector<RowSummary> row_summaries(rows_);
    core::ParallelError error;
#pragma omp parallel if (rows_ * cols_ > serial_size)
    {
        std::vector<float> points;
        const auto fill_rows = [&](std::size_t first) {
            points.resize(rows_per_task * d);
            const std::size_t count = std::min(rows_per_task, rows_ - first);
            for (std::size_t i = 0; i < count; ++i) {
                const double factor = kind_ == CostKind::cosine ? x_inverse_norm_[first + i] : point_scale_;
                for (std::size_t k = 0; k < d; ++k) points[i * d + k] = scaled(x_(first + i, k), factor);
            }
            float* out = matrix_.data() + first * stride_;
            distances(points.data(), yt.data(), yt_stride, d,
                      {out, count, padded_cols_, stride_, kind_ == CostKind::euclidean});
            for (std::size_t i = 0; i < count; ++i) row_summaries[first + i] = finish_row(out + i * stride_);
        };
#pragma omp for schedule(dynamic)
        for (std::size_t first = 0; first < rows_; first += rows_per_task)
            error.run([&] { fill_rows(first); });
    }
    error.rethrow();
    summarise(row_summaries);
}

Cost::RowSummary Cost::finish_row(float* c) const {
    if (kind_ == CostKind::cosine) {
        for (std::size_t j = 0; j < cols_; ++j) c[j] *= 0.5F;
    }
    std::fill(c + cols_, c + padded_cols_, padding);
    RowSummary summary;
    summarise_row(c, cols_, summary.sum, summary.largest);
    return summary;
}

void Cost::fill_from_matrix() {
    matrix_ = core::AlignedArray<float>(rows_ * stride_);
    std::vector<RowSummary> row_summaries(rows_);
    core::ParallelError error;
#pragma omp parallel for schedule(dynamic, rows_per_task) if (rows_ * cols_ > serial_size)
    for (std::size_t i = 0; i < rows_; ++i) {
        error.run([&] {
            float* c = matrix_.data() + i * stride_;
            for (std::size_t j = 0; j < cols_; ++j) c[j] = static_cast<float>(exact(i, j));
            row_summaries[i] = finish_row(c);
        });
    }
    error.rethrow();
    summarise(row_summaries);
}

void Cost::summarise(std::span<const RowSummary> row_summaries) {
    mean_ = 0;
    largest_ = 0;
    for (const RowSummary& summary : row_summaries) {
        mean_ += summary.sum;
        largest_ = std::max<double>(largest_, summary.largest);
    }
    mean_ /= static_cast<double>(rows_) * static_cast<double>(cols_);
}

// Computes the costs of several columns. Their sums do not depend on each other, so the CPU overlaps them.
template <std::size_t count>
void Cost::exact_of(std::size_t i, const std::uint32_t* columns, double* costs) const {
    const float* x = x_.row(i);
    const double x_factor = kind_ == CostKind::cosine ? x_inverse_norm_[i] : point_scale_;
    std::array<const float*, count> y{};
    std::array<double, count> y_factor{};
    std::array<double, count> sum{};
    for (std::size_t l = 0; l < count; ++l) {
        y[l] = y_.row(columns[l]);
        y_factor[l] = kind_ == CostKind::cosine ? y_inverse_norm_[columns[l]] : point_scale_;
    }
    for (std::size_t k = 0; k < x_.cols; ++k) {
        const double from = static_cast<double>(x[k]) * x_factor;
        for (std::size_t l = 0; l < count; ++l) {
            const double difference = from - static_cast<double>(y[l][k]) * y_factor[l];
            sum[l] += difference * difference;
        }
    }
    for (std::size_t l = 0; l < count; ++l) {
        costs[l] = kind_ == CostKind::euclidean ? std::sqrt(sum[l])
                   : kind_ == CostKind::cosine  ? 0.5 * sum[l]
                                                : sum[l];
    }
}

double Cost::exact(std::size_t i, std::size_t j) const {
    if (kind_ == CostKind::given) return (given_(i, j) - offset_) / unit_;
    const auto column = static_cast<std::uint32_t>(j);
    double cost = 0;
    exact_of<1>(i, &column, &cost);
    return cost;
}

void Cost::exact(std::size_t i, std::span<const std::uint32_t> columns, std::span<double> costs) const {
    constexpr std::size_t batch = 4;
    std::size_t l = 0;
    if (kind_ != CostKind::given) {
        for (; l + batch <= columns.size(); l += batch) exact_of<batch>(i, &columns[l], &costs[l]);
    }
    for (; l < columns.size(); ++l) costs[l] = exact(i, columns[l]);
}

void Cost::square() {
    if (kind_ != CostKind::euclidean)
        throw core::NumericalError("ot.cost", "square() needs a Euclidean cost");
    std::vector<RowSummary> row_summaries(rows_);
#pragma omp parallel for schedule(static) if (rows_ * cols_ > serial_size)
    for (std::size_t i = 0; i < rows_; ++i) {
        square_all(matrix_.data() + i * stride_, cols_);
        summarise_row(row(i), cols_, row_summaries[i].sum, row_summaries[i].largest);
    }
    kind_ = CostKind::squared_euclidean;
    unit_ *= unit_;
    relative_error_ *= 2.5F;
    absolute_error_ *= 4 * static_cast<float>(largest_ + 1);
    summarise(row_summaries);
}

}  // namespace popflow::ot
