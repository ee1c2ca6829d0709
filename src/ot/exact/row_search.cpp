// SPDX-License-Identifier: MIT
#include "ot/exact/row_search.hpp"

#include <algorithm>
#include <limits>

#include "core/ordered_bits.hpp"
#include "core/simd.hpp"

namespace popflow::ot {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

// Number of elements that share one minimum: few in short rows, which would have too few minima otherwise.
constexpr std::size_t short_block = 8;
constexpr std::size_t long_block = 32;
constexpr std::size_t long_row = 2048;

// Computes r_j = keep c_j - g_j and the minimum of each block of r.
template <std::size_t block>
POPFLOW_SIMD void reduced_row(const float* c, const float* g, float keep, std::size_t columns, float* r,
                              float* minima) {
    for (std::size_t j = 0; j < columns; j += block) {
        float least = infinity;
#pragma omp simd reduction(min : least)
        for (std::size_t l = 0; l < block; ++l) {
            const float v = keep * c[j + l] - g[j + l];
            r[j + l] = v;
            least = v < least ? v : least;
        }
        minima[j / block] = least;
    }
}

POPFLOW_SIMD std::uint32_t count_at_most(const float* values, std::size_t count, float bound) {
    std::uint32_t found = 0;
#pragma omp simd reduction(+ : found)
    for (std::size_t b = 0; b < count; ++b) found += values[b] <= bound ? 1U : 0U;
    return found;
}

struct Range {
    float least;
    float largest;
};

// Returns the smallest and the largest value.
POPFLOW_SIMD Range range_of(const float* values, std::size_t count) {
    float least = infinity;
    float largest = -infinity;
#pragma omp simd reduction(min : least) reduction(max : largest)
    for (std::size_t b = 0; b < count; ++b) {
        least = values[b] < least ? values[b] : least;
        largest = values[b] > largest ? values[b] : largest;
    }
    return {least, largest};
}

// Returns a value that at least `count` of the values do not exceed, by bisection. It is close to the
// smallest such value.
float bound_of_smallest(std::span<const float> values, std::size_t count) {
    const auto [least, largest] = range_of(values.data(), values.size());
    if (count == 1) return least;
    float low = least;
    float high = largest;
    for (std::size_t found = values.size(); found > count + count / 4;) {
        const float middle = low + (high - low) / 2;
        if (!(middle > low && middle < high)) break;  // equal values, or no float between them
        const std::size_t at_most = count_at_most(values.data(), values.size(), middle);
        if (at_most >= count) {
            high = middle;
            found = at_most;
        } else {
            low = middle;
        }
    }
    return high;
}

}  // namespace

RowSearch::RowSearch(std::size_t padded_cols)
    : block_(padded_cols < long_row ? short_block : long_block),
      reduced_(padded_cols),
      minima_(padded_cols / block_),
      keys_(padded_cols + 1) {}

void RowSearch::reduce(const float* c, const float* g, float keep) {
    if (block_ == short_block)
        reduced_row<short_block>(c, g, keep, reduced_.size(), reduced_.data(), minima_.data());
    else
        reduced_row<long_block>(c, g, keep, reduced_.size(), reduced_.data(), minima_.data());
}

float RowSearch::least(std::size_t columns) const {
    return *std::ranges::min_element(minima_of(columns));
}

std::span<const std::uint32_t> RowSearch::smallest(std::size_t columns, std::size_t count,
                                                   std::size_t first_col) {
    // Skips most blocks: a bound of `count` block minima bounds the count-th smallest element.
    float bound = infinity;
    const std::span blocks = minima_of(columns);
    if (blocks.size() > count) bound = bound_of_smallest(blocks, count);
    // A key orders by value, then by column from first_col on, cyclically.
    std::uint64_t* end = keys_.data();
    for (std::size_t b = 0; b < blocks.size(); ++b) {
        if (blocks[b] > bound) continue;
        const std::size_t last = std::min(columns, (b + 1) * block_);
        for (std::size_t j = b * block_; j < last; ++j) {
            const std::size_t rotated = j >= first_col ? j - first_col : j + columns - first_col;
            *end = core::ordered_key(reduced_[j], static_cast<std::uint32_t>(rotated));
            end += reduced_[j] <= bound ? 1 : 0;
        }
    }
    if (end > keys_.data() + count) {
        std::nth_element(keys_.data(), keys_.data() + count, end);
        end = keys_.data() + count;
    }
    found_.clear();
    for (const std::uint64_t* key = keys_.data(); key < end; ++key) {
        const std::size_t rotated = *key & 0xffffffffU;
        found_.push_back(static_cast<std::uint32_t>(
            rotated + first_col < columns ? rotated + first_col : rotated + first_col - columns));
    }
    return found_;
}

}  // namespace popflow::ot
