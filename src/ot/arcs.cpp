// SPDX-License-Identifier: MIT
#include "ot/arcs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "linalg/dispatch.hpp"

namespace popflow::ot {

namespace {

constexpr std::size_t rows_per_task = 64;
// Elements that share one minimum in the search for the smallest.
constexpr std::size_t minimum_block = 32;
// Below this much work threads cost more than they save.
constexpr std::size_t serial_size = 1U << 20U;
constexpr std::size_t serial_arcs = 1U << 15U;
constexpr float infinity = std::numeric_limits<float>::infinity();

// r_j = keep c_j - g_j and the minimum of each block of r.
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

// What one thread needs to look through rows.
struct Scratch {
    explicit Scratch(std::size_t padded)
        : reduced(padded), minima(padded / minimum_block), sorted(padded / minimum_block) {}
    linalg::AlignedVector<float> reduced;
    std::vector<float> minima;
    std::vector<float> sorted;
    std::vector<std::pair<float, std::uint32_t>> found;
};

// The `count` smallest of scratch.reduced[0, columns) to scratch.found, as (value, index rotated by `turn`).
void smallest(Scratch& scratch, std::size_t columns, std::size_t count, std::size_t turn) {
    // The count-th smallest block minimum bounds the count-th smallest element: few blocks need a look.
    float bound = infinity;
    if (scratch.minima.size() > count) {
        scratch.sorted = scratch.minima;
        std::nth_element(scratch.sorted.begin(),
                         scratch.sorted.begin() + static_cast<std::ptrdiff_t>(count) - 1,
                         scratch.sorted.end());
        bound = scratch.sorted[count - 1];
    }
    scratch.found.clear();
    for (std::size_t b = 0; b < scratch.minima.size(); ++b) {
        if (scratch.minima[b] > bound) continue;
        for (std::size_t j = b * minimum_block; j < std::min(columns, (b + 1) * minimum_block); ++j) {
            if (scratch.reduced[j] > bound) continue;
            const std::size_t turned = j >= turn ? j - turn : j + columns - turn;
            scratch.found.emplace_back(scratch.reduced[j], static_cast<std::uint32_t>(turned));
        }
    }
    if (scratch.found.size() > count) {
        std::nth_element(scratch.found.begin(), scratch.found.begin() + static_cast<std::ptrdiff_t>(count),
                         scratch.found.end());
        scratch.found.resize(count);
    }
    for (auto& [value, j] : scratch.found) {
        j = static_cast<std::uint32_t>(j + turn < columns ? j + turn : j + turn - columns);
    }
}

}  // namespace

IntegerCost::IntegerCost(const Cost& cost) : cost_(cost) {
    // A dual is at most a path of n + m arcs: with these bits it fits 62.
    const int path_bits = std::ilogb(static_cast<double>(cost.rows() + cost.cols())) + 1;
    const int cost_bits = std::min(44, 61 - path_bits);
    const double largest = cost.largest() * 1.001;
    scale_ = std::exp2(largest > 0 ? cost_bits - 1 - std::ilogb(largest) : cost_bits);
}

std::int64_t IntegerCost::operator()(std::size_t i, std::size_t j) const {
    return from_matrix_units(cost_.exact(i, j));
}

std::int64_t IntegerCost::from_matrix_units(double v) const {
    return std::llrint(v * scale_);
}

void add_arcs(const IntegerCost& cost, std::size_t n, const std::vector<Arc>& more, ArcList& arcs) {
    std::vector<std::size_t> room(n + 1, 0);
    for (const Arc& arc : more) ++room[arc.i + 1];
    for (std::size_t i = 0; i < n; ++i) room[i + 1] += room[i];
    std::vector<std::uint32_t> added(more.size());
    std::vector<std::size_t> next(room.begin(), room.end() - 1);
    for (const Arc& arc : more) added[next[arc.i]++] = arc.j;

    if (arcs.first.empty()) arcs.first.assign(n + 1, 0);
    std::vector<std::size_t> count(n + 1, 0);
    for (std::size_t i = 0; i < n; ++i) {
        const auto begin = added.begin() + static_cast<std::ptrdiff_t>(room[i]);
        const auto end = added.begin() + static_cast<std::ptrdiff_t>(room[i + 1]);
        std::sort(begin, end);
        auto kept = std::unique(begin, end);
        const auto old_begin = arcs.col.begin() + static_cast<std::ptrdiff_t>(arcs.first[i]);
        const auto old_end = arcs.col.begin() + static_cast<std::ptrdiff_t>(arcs.first[i + 1]);
        kept = std::remove_if(begin, kept,
                              [&](std::uint32_t j) { return std::binary_search(old_begin, old_end, j); });
        next[i] = static_cast<std::size_t>(kept - added.begin());
        count[i + 1] = (arcs.first[i + 1] - arcs.first[i]) + (next[i] - room[i]);
    }
    for (std::size_t i = 0; i < n; ++i) count[i + 1] += count[i];

    ArcList merged{count, std::vector<std::uint32_t>(count[n]), std::vector<std::int64_t>(count[n])};
#pragma omp parallel for schedule(dynamic, rows_per_task) if (more.size() > serial_arcs)
    for (std::size_t i = 0; i < n; ++i) {
        std::size_t old = arcs.first[i];
        std::size_t fresh = room[i];
        for (std::size_t e = count[i]; e < count[i + 1]; ++e) {
            const bool take_old =
                old < arcs.first[i + 1] && (fresh == next[i] || arcs.col[old] < added[fresh]);
            merged.col[e] = take_old ? arcs.col[old] : added[fresh];
            merged.cost[e] = take_old ? arcs.cost[old] : cost(i, added[fresh]);
            ++(take_old ? old : fresh);
        }
    }
    arcs = std::move(merged);
}

std::vector<Arc> nearest_arcs(const Cost& cost, std::span<const float> g, std::size_t per_row) {
    const std::size_t count = std::min(per_row, cost.cols());
    std::vector<Arc> arcs(count * cost.rows());
    const std::size_t m = cost.cols();
    linalg::AlignedVector<float> padded_g(cost.padded_cols());
    std::copy(g.begin(), g.end(), padded_g.begin());
#pragma omp parallel if (cost.rows() * cost.cols() > serial_size)
    {
        Scratch scratch(cost.padded_cols());
#pragma omp for schedule(dynamic, rows_per_task)
        for (std::size_t i = 0; i < cost.rows(); ++i) {
            reduced_row(cost.row(i), padded_g.data(), 1, cost.padded_cols(), scratch.reduced.data(),
                        scratch.minima.data());
            smallest(scratch, m, count, i * m / cost.rows());
            for (std::size_t l = 0; l < count; ++l) {
                arcs[i * count + l] = {static_cast<std::uint32_t>(i), scratch.found[l].second};
            }
        }
    }
    return arcs;
}

std::vector<Arc> violated_arcs(const Cost& cost, const IntegerCost& integer, std::span<const std::int64_t> f,
                               std::span<const std::int64_t> g, std::size_t per_row) {
    const std::size_t m = cost.cols();
    linalg::AlignedVector<float> rounded_g(cost.padded_cols());
    double largest_g = 0;
    for (std::size_t j = 0; j < m; ++j) {
        const double v = integer.to_matrix_units(g[j]);
        rounded_g[j] = static_cast<float>(v);
        largest_g = std::max(largest_g, std::fabs(v));
    }
    // The error of the matrix, and five float roundings on the way from it to the reduced cost.
    const float keep = 1 - cost.relative_error() - 3e-7F;
    std::vector<std::vector<Arc>> found((cost.rows() + rows_per_task - 1) / rows_per_task);
#pragma omp parallel if (cost.rows() * cost.cols() > serial_size)
    {
        Scratch scratch(cost.padded_cols());
        std::vector<std::pair<std::int64_t, std::uint32_t>> negative;
#pragma omp for schedule(dynamic)
        for (std::size_t task = 0; task < found.size(); ++task) {
            for (std::size_t i = task * rows_per_task; i < std::min(cost.rows(), (task + 1) * rows_per_task);
                 ++i) {
                const double fi = integer.to_matrix_units(f[i]);
                // An arc is clear if keep c_ij - g_j >= bound, which allows for the rounding of the duals.
                const auto bound = static_cast<float>(fi + cost.absolute_error() +
                                                      4e-7 * (std::fabs(fi) + largest_g) + 1e-30);
                reduced_row(cost.row(i), rounded_g.data(), keep, cost.padded_cols(), scratch.reduced.data(),
                            scratch.minima.data());
                negative.clear();
                for (std::size_t b = 0; b < scratch.minima.size(); ++b) {
                    if (scratch.minima[b] >= bound) continue;
                    for (std::size_t j = b * minimum_block; j < std::min(m, (b + 1) * minimum_block); ++j) {
                        if (scratch.reduced[j] >= bound) continue;
                        const std::int64_t slack = integer(i, j) - f[i] - g[j];
                        if (slack < 0) negative.emplace_back(slack, static_cast<std::uint32_t>(j));
                    }
                }
                if (negative.size() > per_row) {
                    std::nth_element(negative.begin(),
                                     negative.begin() + static_cast<std::ptrdiff_t>(per_row), negative.end());
                    negative.resize(per_row);
                }
                for (const auto& [slack, j] : negative)
                    found[task].push_back({static_cast<std::uint32_t>(i), j});
            }
        }
    }
    std::vector<Arc> arcs;
    for (const auto& part : found) arcs.insert(arcs.end(), part.begin(), part.end());
    return arcs;
}

}  // namespace popflow::ot
