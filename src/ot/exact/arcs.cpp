// SPDX-License-Identifier: MIT
#include "ot/exact/arcs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "core/parallel_error.hpp"
#include "ot/exact/row_search.hpp"

namespace popflow::ot {

namespace {

constexpr std::size_t rows_per_task = 64;
// Problems with less work run on one thread: starting a team costs more than it saves.
constexpr std::size_t serial_size = 1U << 20U;
constexpr std::size_t serial_arcs = 1U << 15U;

}  // namespace

IntegerCost::IntegerCost(const Cost& cost) : cost_(cost) {
    // A dual is at most the cost of a path of n + m arcs. With this number of bits it fits 62 bits.
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

void add_arcs(const IntegerCost& cost, std::size_t n, const std::vector<Arc>& new_arcs, ArcList& arcs) {
    std::vector<std::size_t> row_start(n + 1, 0);
    for (const Arc& arc : new_arcs) ++row_start[arc.i + 1];
    for (std::size_t i = 0; i < n; ++i) row_start[i + 1] += row_start[i];
    std::vector<std::uint32_t> added(new_arcs.size());
    std::vector<std::size_t> next(row_start.begin(), row_start.end() - 1);
    for (const Arc& arc : new_arcs) added[next[arc.i]++] = arc.j;

    if (arcs.first.empty()) arcs.first.assign(n + 1, 0);
    std::vector<std::size_t> count(n + 1, 0);
    for (std::size_t i = 0; i < n; ++i) {
        const auto begin = added.begin() + static_cast<std::ptrdiff_t>(row_start[i]);
        const auto end = added.begin() + static_cast<std::ptrdiff_t>(row_start[i + 1]);
        std::sort(begin, end);
        auto kept = std::unique(begin, end);
        const auto old_begin = arcs.col.begin() + static_cast<std::ptrdiff_t>(arcs.first[i]);
        const auto old_end = arcs.col.begin() + static_cast<std::ptrdiff_t>(arcs.first[i + 1]);
        kept = std::remove_if(begin, kept,
                              [&](std::uint32_t j) { return std::binary_search(old_begin, old_end, j); });
        next[i] = static_cast<std::size_t>(kept - added.begin());
        count[i + 1] = (arcs.first[i + 1] - arcs.first[i]) + (next[i] - row_start[i]);
    }
    for (std::size_t i = 0; i < n; ++i) count[i + 1] += count[i];

    ArcList merged{count, std::vector<std::uint32_t>(count[n]), std::vector<std::int64_t>(count[n])};
    core::ParallelError error;
    const auto merge_row = [&](std::size_t i) {
        std::size_t old = arcs.first[i];
        std::size_t fresh = row_start[i];
        for (std::size_t e = count[i]; e < count[i + 1]; ++e) {
            const bool take_old =
                old < arcs.first[i + 1] && (fresh == next[i] || arcs.col[old] < added[fresh]);
            merged.col[e] = take_old ? arcs.col[old] : added[fresh];
            merged.cost[e] = take_old ? arcs.cost[old] : cost(i, added[fresh]);
            ++(take_old ? old : fresh);
        }
    };
#pragma omp parallel for schedule(dynamic, rows_per_task) if (new_arcs.size() > serial_arcs)
    for (std::size_t i = 0; i < n; ++i) error.run([&] { merge_row(i); });
    error.rethrow();
    arcs = std::move(merged);
}

std::vector<std::int64_t> row_duals(const ArcList& arcs, std::span<const std::int64_t> g) {
    std::vector<std::int64_t> f(arcs.first.size() - 1, std::numeric_limits<std::int64_t>::max());
    for (std::size_t i = 0; i < f.size(); ++i) {
        for (std::size_t e = arcs.first[i]; e < arcs.first[i + 1]; ++e)
            f[i] = std::min(f[i], arcs.cost[e] - g[arcs.col[e]]);
    }
    return f;
}

float kept_fraction(const Cost& cost) {
    // Covers the error of the matrix and five float roundings from the matrix to the reduced cost.
    return 1 - cost.relative_error() - 3e-7F;
}

double rounding_bound(const Cost& cost, double reduced, double largest_g) {
    return cost.absolute_error() + 4e-7 * (std::fabs(reduced) + largest_g) + 1e-30;
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
    const float keep = kept_fraction(cost);
    std::vector<std::vector<Arc>> found((cost.rows() + rows_per_task - 1) / rows_per_task);
    core::ParallelError error;
#pragma omp parallel if (cost.rows() * cost.cols() > serial_size)
    {
        std::optional<RowSearch> search;
        std::vector<std::pair<std::int64_t, std::uint32_t>> negative;
        const auto price_row = [&](std::size_t i, std::vector<Arc>& arcs) {
            const double fi = integer.to_matrix_units(f[i]);
            search->reduce(cost.row(i), rounded_g.data(), keep);
            negative.clear();
            search->below(m, static_cast<float>(fi + rounding_bound(cost, fi, largest_g)),
                          [&](std::size_t j) {
                              const std::int64_t slack = integer(i, j) - f[i] - g[j];
                              if (slack < 0) negative.emplace_back(slack, static_cast<std::uint32_t>(j));
                          });
            if (negative.size() > per_row) {
                std::nth_element(negative.begin(), negative.begin() + static_cast<std::ptrdiff_t>(per_row),
                                 negative.end());
                negative.resize(per_row);
            }
            for (const auto& [slack, j] : negative) arcs.push_back({static_cast<std::uint32_t>(i), j});
        };
#pragma omp for schedule(dynamic)
        for (std::size_t task = 0; task < found.size(); ++task) {
            error.run([&] {
                if (!search) search.emplace(cost.padded_cols());
                const std::size_t end = std::min(cost.rows(), (task + 1) * rows_per_task);
                for (std::size_t i = task * rows_per_task; i < end; ++i) price_row(i, found[task]);
            });
        }
    }
    error.rethrow();
    std::vector<Arc> arcs;
    for (const auto& part : found) arcs.insert(arcs.end(), part.begin(), part.end());
    return arcs;
}

}  // namespace popflow::ot
