// SPDX-License-Identifier: MIT
#include "ot/exact/row_search.hpp"

#include <algorithm>
#include <limits>

#include "core/simd.hpp"

namespace popflow::ot {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

constexpr std::size_t minimum_block = 32;

// Computes r_j = keep c_j - g_j and the minimum of each block of r.
POPFLOW_SIMD void reduced_row(const float* c, const float* g, float keep, std::size_t columns, float* r,
                              float* minima) {
    for (std::size_t j = 0; j < columns; j += minimum_block) {
        float least = infinity;
#pragma omp simd reduction(min : least)
        for (std::size_t l = 0; l < minimum_block; ++l) {
            const float v = keep * c[j + l] - g[j + l];
            r[j + l] = v;
            least = v < least ? v : least;
        }
        minima[j / minimum_block] = least;
    }
}

}  // namespace

RowSearch::RowSearch(std::size_t padded_cols)
    : reduced_(padded_cols), minima_(padded_cols / block), sorted_(padded_cols / block) {
    static_assert(block == minimum_block);
}

void RowSearch::reduce(const float* c, const float* g, float keep) {
    reduced_row(c, g, keep, reduced_.size(), reduced_.data(), minima_.data());
}

std::span<const RowSearch::Found> RowSearch::smallest(std::size_t columns, std::size_t count,
                                                      std::size_t first_col) {
    // Skips most blocks: the count-th smallest block minimum bounds the count-th smallest element.
    float bound = infinity;
    if (minima_.size() > count) {
        sorted_ = minima_;
        std::nth_element(sorted_.begin(), sorted_.begin() + static_cast<std::ptrdiff_t>(count) - 1,
                         sorted_.end());
        bound = sorted_[count - 1];
    }
    found_.clear();
    for (std::size_t b = 0; b < minima_.size(); ++b) {
        if (minima_[b] > bound) continue;
        for (std::size_t j = b * block; j < std::min(columns, (b + 1) * block); ++j) {
            if (reduced_[j] > bound) continue;
            const std::size_t rotated = j >= first_col ? j - first_col : j + columns - first_col;
            found_.emplace_back(reduced_[j], static_cast<std::uint32_t>(rotated));
        }
    }
    if (found_.size() > count) {
        std::nth_element(found_.begin(), found_.begin() + static_cast<std::ptrdiff_t>(count), found_.end());
        found_.resize(count);
    }
    for (auto& [value, j] : found_) {
        j = static_cast<std::uint32_t>(j + first_col < columns ? j + first_col : j + first_col - columns);
    }
    return found_;
}

}  // namespace popflow::ot
