// SPDX-License-Identifier: MIT
#include "ot/exact/dense_rows.hpp"

#include <bit>
#include <limits>

#include "core/simd.hpp"
#include "linalg/exponential.hpp"

namespace popflow::ot {

namespace {

// Adding 1.5 * 2^52 rounds a double to an integer, which is then in the lower bits of the sum.
constexpr double round_to_integer = 6755399441055744.0;
constexpr auto round_bits = std::bit_cast<std::int64_t>(round_to_integer);

}  // namespace

POPFLOW_SIMD void extend_range(const double* c, std::size_t columns, CostRange& range) {
    double lowest = range.lowest;
    double highest = range.highest;
    double not_finite = range.not_finite;
#pragma omp simd reduction(min : lowest) reduction(max : highest) reduction(+ : not_finite)
    for (std::size_t j = 0; j < columns; ++j) {
        lowest = c[j] < lowest ? c[j] : lowest;
        highest = c[j] > highest ? c[j] : highest;
        not_finite += c[j] * 0.0;
    }
    range = {lowest, highest, not_finite};
}

POPFLOW_SIMD float round_costs(const double* c, const CostScale& scale, std::size_t columns,
                               std::int64_t* integers, float* rounded) {
    const double lowest = scale.lowest;
    const double span = scale.span;
    const double first = scale.scale;
    const double second = scale.scale_again;
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::size_t j = 0; j < columns; ++j) {
        const double above = c[j] - lowest;
        const double shifted = (above < span ? above : span) * first * second + round_to_integer;
        integers[j] = std::bit_cast<std::int64_t>(shifted) - round_bits;
        const auto r = static_cast<float>(shifted - round_to_integer);
        rounded[j] = r;
        sum += r;
    }
    return sum;
}

POPFLOW_SIMD float min_sum(const float* c, const float* p, std::size_t columns) {
    float least = std::numeric_limits<float>::max();
#pragma omp simd reduction(min : least)
    for (std::size_t j = 0; j < columns; ++j) {
        const float v = c[j] + p[j];
        least = v < least ? v : least;
    }
    return least;
}

POPFLOW_SIMD std::int64_t min_sum(const std::int64_t* c, const std::uint64_t* p, std::size_t columns) {
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
#pragma omp simd reduction(min : least)
    for (std::size_t j = 0; j < columns; ++j) {
        const auto v = static_cast<std::int64_t>(static_cast<std::uint64_t>(c[j]) + p[j]);
        least = v < least ? v : least;
    }
    return least;
}

// Searches by blocks, because the compiler does not vectorise a loop that ends early.
POPFLOW_SIMD std::size_t position_of_sum(const float* c, const float* p, std::size_t columns, float least) {
    for (std::size_t first = 0; first < columns; first += dense_block) {
        float block_min = std::numeric_limits<float>::max();
#pragma omp simd reduction(min : block_min)
        for (std::size_t l = 0; l < dense_block; ++l) {
            const float v = c[first + l] + p[first + l];
            block_min = v < block_min ? v : block_min;
        }
        if (block_min > least) continue;
        for (std::size_t j = first; j < first + dense_block; ++j) {
            if (c[j] + p[j] == least) return j;
        }
    }
    return 0;
}

POPFLOW_SIMD std::size_t position_of_sum(const std::int64_t* c, const std::uint64_t* p, std::size_t columns,
                                         std::int64_t least) {
    const auto wanted = static_cast<std::uint64_t>(least);
    for (std::size_t j = 0; j < columns; ++j) {
        if (static_cast<std::uint64_t>(c[j]) + p[j] == wanted) return j;
    }
    return 0;
}

POPFLOW_SIMD double min_difference(const double* c, const double* g, std::size_t columns) {
    double least = std::numeric_limits<double>::infinity();
#pragma omp simd reduction(min : least)
    for (std::size_t j = 0; j < columns; ++j) {
        const double v = c[j] - g[j];
        least = v < least ? v : least;
    }
    return least;
}

POPFLOW_SIMD void lower_to_difference(const double* c, double f, std::size_t columns, double* g) {
#pragma omp simd
    for (std::size_t j = 0; j < columns; ++j) {
        const double v = c[j] - f;
        g[j] = v < g[j] ? v : g[j];
    }
}

POPFLOW_SIMD double largest_excess(const double* c, double f, const double* g, std::size_t columns) {
    double largest = -std::numeric_limits<double>::infinity();
#pragma omp simd reduction(max : largest)
    for (std::size_t j = 0; j < columns; ++j) {
        const double v = f + g[j] - c[j];
        largest = v > largest ? v : largest;
    }
    return largest;
}

POPFLOW_SIMD void exponentiate_costs(const float* c, float lowest, float scale, std::size_t columns,
                                     float* kernel) {
#pragma omp simd
    for (std::size_t j = 0; j < columns; ++j) {
        kernel[j] = linalg::exp_negative((c[j] - lowest) * scale);
    }
}

POPFLOW_SIMD void square_elements(float* kernel, std::size_t count) {
#pragma omp simd
    for (std::size_t k = 0; k < count; ++k) kernel[k] *= kernel[k];
}

POPFLOW_SIMD void dot_four_rows(const float* kernel, const float* v, std::size_t columns, float* sums) {
    const float* r0 = kernel;
    const float* r1 = r0 + columns;
    const float* r2 = r1 + columns;
    const float* r3 = r2 + columns;
    float sum0 = 0;
    float sum1 = 0;
    float sum2 = 0;
    float sum3 = 0;
#pragma omp simd reduction(+ : sum0, sum1, sum2, sum3)
    for (std::size_t j = 0; j < columns; ++j) {
        sum0 += r0[j] * v[j];
        sum1 += r1[j] * v[j];
        sum2 += r2[j] * v[j];
        sum3 += r3[j] * v[j];
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

POPFLOW_SIMD void add_four_rows(const float* kernel, const float* weights, std::size_t columns, float* sums) {
    const float* r0 = kernel;
    const float* r1 = r0 + columns;
    const float* r2 = r1 + columns;
    const float* r3 = r2 + columns;
    const float w0 = weights[0];
    const float w1 = weights[1];
    const float w2 = weights[2];
    const float w3 = weights[3];
#pragma omp simd
    for (std::size_t j = 0; j < columns; ++j) {
        sums[j] += (w0 * r0[j] + w1 * r1[j]) + (w2 * r2[j] + w3 * r3[j]);
    }
}

}  // namespace popflow::ot
