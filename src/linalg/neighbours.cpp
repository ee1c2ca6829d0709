// SPDX-License-Identifier: MIT
#include "linalg/neighbours.hpp"

#include <omp.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <string>

#include "core/simd.hpp"

namespace popflow::linalg {

namespace {

// Number of cells whose distances to all cells are computed in one pass.
constexpr std::size_t group = 4;
// Multiple to which the number of cells is padded: two of the widest registers.
constexpr std::size_t width = 32;

// Computes squared(g, c) = sum over j of (x(rows[g], j) - columns(j, c))^2, summed in the order of j, for two
// registers of columns at a time.
template <std::size_t Bytes>
[[gnu::always_inline]] inline void squared_distances_by(const float* const* rows, std::size_t d,
                                                        const float* columns, std::size_t stride,
                                                        float* squared) {
    using Wide = core::Floats<Bytes>;
    using Vector = typename Wide::Vector;
    static_assert(width % (2 * Wide::lanes) == 0);
    for (std::size_t c = 0; c < stride; c += 2 * Wide::lanes) {
        Vector sum[group][2] = {};
        for (std::size_t j = 0; j < d; ++j) {
            const float* column = columns + j * stride + c;
#pragma GCC unroll 2
            for (std::size_t v = 0; v < 2; ++v) {
                const Vector other = *Wide::at(column + v * Wide::lanes);
#pragma GCC unroll 4
                for (std::size_t g = 0; g < group; ++g) {
                    const Vector difference = rows[g][j] - other;
                    sum[g][v] += difference * difference;
                }
            }
        }
        for (std::size_t g = 0; g < group; ++g) {
            for (std::size_t v = 0; v < 2; ++v)
                *Wide::at(squared + g * stride + c + v * Wide::lanes) = sum[g][v];
        }
    }
}

#if POPFLOW_SIMD_VERSIONS
[[gnu::target("arch=x86-64-v4")]] void squared_distances(const float* const* rows, std::size_t d,
                                                         const float* columns, std::size_t stride,
                                                         float* squared) {
    squared_distances_by<64>(rows, d, columns, stride, squared);
}
[[gnu::target("arch=x86-64-v3")]] void squared_distances(const float* const* rows, std::size_t d,
                                                         const float* columns, std::size_t stride,
                                                         float* squared) {
    squared_distances_by<32>(rows, d, columns, stride, squared);
}
[[gnu::target("default")]]
#endif
void squared_distances(const float* const* rows, std::size_t d, const float* columns, std::size_t stride,
                       float* squared) {
    squared_distances_by<16>(rows, d, columns, stride, squared);
}

void squared_distances(const double* const* rows, std::size_t d, const double* columns, std::size_t stride,
                       double* squared) {
    for (std::size_t g = 0; g < group; ++g) {
        for (std::size_t c = 0; c < stride; ++c) {
            double sum = 0;
            for (std::size_t j = 0; j < d; ++j) {
                const double difference = rows[g][j] - columns[j * stride + c];
                sum += difference * difference;
            }
            squared[g * stride + c] = sum;
        }
    }
}

// Unsigned integer that holds the bits of a Real. Non-negative floating-point numbers are ordered like their
// bits, so distances are compared as integers.
template <class Real>
struct Key;
template <>
struct Key<float> {
    using type = std::uint32_t;
};
template <>
struct Key<double> {
    using type = std::uint64_t;
};

POPFLOW_SIMD std::size_t count_up_to(const float* squared, std::size_t n, std::uint32_t limit) {
    std::uint32_t count = 0;
#pragma omp simd reduction(+ : count)
    for (std::size_t j = 0; j < n; ++j) {
        count += static_cast<std::uint32_t>(std::bit_cast<std::uint32_t>(squared[j]) <= limit);
    }
    return count;
}

std::size_t count_up_to(const double* squared, std::size_t n, std::uint64_t limit) {
    std::size_t count = 0;
    for (std::size_t j = 0; j < n; ++j) {
        count += static_cast<std::size_t>(std::bit_cast<std::uint64_t>(squared[j]) <= limit);
    }
    return count;
}

// Returns a threshold, as bits. At least k >= 1 numbers are less than or equal to it, and at most `max_count`
// numbers unless there are ties. Counts the numbers for each guess: moves from the first guess by growing
// steps until the k-th smallest number is bracketed, then bisects.
template <class Bits, class Real>
Bits find_threshold(const Real* squared, std::size_t n, std::size_t k, std::size_t max_count, Bits guess) {
    Bits low = 0;  // invariant: the k-th smallest number is in [low, high]
    Bits high = std::numeric_limits<Bits>::max();
    Bits step = Bits{1} << (std::numeric_limits<Real>::digits - 4);  // at most an eighth of the number
    while (low < high) {
        guess = std::clamp<Bits>(guess, low, high - 1);
        const std::size_t count = count_up_to(squared, n, guess);
        if (count >= k) {
            high = guess;
            if (count <= max_count) break;
        } else {
            low = guess + 1;
        }
        if (low > 0 && high < std::numeric_limits<Bits>::max()) {
            guess = low + (high - low) / 2;
        } else {
            guess = count < k ? guess + std::min<Bits>(step, high - guess) : guess - std::min(step, guess);
            if (step < high / 4) step *= 4;
        }
    }
    return high;
}

// Selects the k cells of smallest (distance, index), in ascending order of index. Overwrites `squared`.
template <class Real>
void select_nearest(Real* squared, std::size_t n, std::size_t k,
                    typename NeighbourScratch<Real>::Thread& thread, std::uint32_t* nearest) {
    using Bits = typename Key<Real>::type;
    // First filters a few candidates that include the nearest cells, then selects exactly among these. The
    // looser the bound on their number, the fewer passes the threshold takes.
    const std::size_t max_candidates = 2 * k + 64;
    const Bits radius = find_threshold(squared, n, k, max_candidates, std::bit_cast<Bits>(thread.radius));
    std::size_t kept = 0;
    for (std::size_t j = 0; j < n; ++j) {
        const Real distance = squared[j];
        squared[kept] = distance;
        thread.candidates[kept] = static_cast<std::uint32_t>(j);
        kept += static_cast<std::size_t>(std::bit_cast<Bits>(distance) <= radius);
    }
    thread.radius = std::bit_cast<Real>(radius);
    const Bits limit = find_threshold(squared, kept, k, k, radius);
    std::size_t ties = limit > 0 ? k - count_up_to(squared, kept, limit - 1) : k;
    std::size_t found = 0;
    for (std::size_t j = 0; found < k; ++j) {
        const Bits bits = std::bit_cast<Bits>(squared[j]);
        const bool tie = bits == limit && ties > 0;
        nearest[found] = thread.candidates[j];
        found += static_cast<std::size_t>(bits < limit || tie);
        ties -= static_cast<std::size_t>(tie);
    }
}

template <class Real>
void transpose(ConstMatrixView<Real> x, Matrix<Real>& columns) {
    columns.reshape(x.cols, (x.rows + width - 1) / width * width);
    for (std::size_t j = 0; j < x.cols; ++j) {
        for (std::size_t i = 0; i < x.rows; ++i) columns(j, i) = x(i, j);
        for (std::size_t i = x.rows; i < columns.cols(); ++i) columns(j, i) = 0;
    }
}

template <class Real>
void search(ConstMatrixView<Real> x, std::size_t k, NeighbourScratch<Real>& scratch,
            std::vector<std::uint32_t>& nearest) {
    nearest.resize(x.rows * k);
    if (k == 0) return;
    if (k >= x.rows)
        throw core::ShapeMismatch("neighbours.x", "more rows than k = " + std::to_string(k), x.rows, x.cols);
    transpose(x, scratch.columns);
    const std::size_t stride = scratch.columns.cols();
    const auto threads = static_cast<std::size_t>(omp_get_max_threads());
    if (scratch.threads.size() < threads) scratch.threads.resize(threads);
    for (auto& thread : scratch.threads) {
        thread.squared.reshape(group, stride);
        if (thread.candidates.size() < x.rows) thread.candidates.resize(x.rows);
    }
#pragma omp parallel for schedule(dynamic, 16)
    for (std::size_t first = 0; first < x.rows; first += group) {
        auto& thread = scratch.threads[static_cast<std::size_t>(omp_get_thread_num())];
        Real* squared = thread.squared.data();
        const Real* rows[group];
        for (std::size_t g = 0; g < group; ++g) rows[g] = x.row(std::min(first + g, x.rows - 1));
        squared_distances(rows, x.cols, scratch.columns.data(), stride, squared);
        for (std::size_t i = first; i < std::min(first + group, x.rows); ++i) {
            Real* own = squared + (i - first) * stride;
            own[i] = std::numeric_limits<Real>::infinity();
            select_nearest(own, x.rows, k, thread, nearest.data() + i * k);
        }
    }
}

}  // namespace

void nearest_neighbours(ConstMatrixView<float> x, std::size_t k, NeighbourScratch<float>& scratch,
                        std::vector<std::uint32_t>& nearest) {
    search(x, k, scratch, nearest);
}

void nearest_neighbours(ConstMatrixView<double> x, std::size_t k, NeighbourScratch<double>& scratch,
                        std::vector<std::uint32_t>& nearest) {
    search(x, k, scratch, nearest);
}

}  // namespace popflow::linalg
