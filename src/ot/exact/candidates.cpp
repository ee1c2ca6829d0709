// SPDX-License-Identifier: MIT
#include "ot/exact/candidates.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "core/parallel_error.hpp"

namespace popflow::ot {

namespace {

constexpr std::size_t rows_per_task = 64;
// Matrices with fewer elements run on one thread: starting a team costs more than it saves.
constexpr std::size_t serial_size = 1U << 20U;

}  // namespace

Candidates::Candidates(const Cost& cost, const IntegerCost& integer, std::span<const std::int64_t> g,
                       std::size_t per_row)
    : cost_(cost),
      integer_(integer),
      duals_(cost.cols()),
      g_(cost.padded_cols()),
      search_(cost.padded_cols()),
      rows_(cost.rows()),
      bounds_(cost.rows()) {
    for (std::size_t j = 0; j < cost.cols(); ++j) lower(j, g[j]);
    core::ParallelError error;
#pragma omp parallel if (cost.rows() * cost.cols() > serial_size)
    {
        std::optional<RowSearch> search;
#pragma omp for schedule(dynamic)
        for (std::size_t first = 0; first < cost.rows(); first += rows_per_task) {
            error.run([&] {
                if (!search) search.emplace(cost.padded_cols());
                const std::size_t end = std::min(cost.rows(), first + rows_per_task);
                for (std::size_t i = first; i < end; ++i) choose(i, per_row, *search);
            });
        }
    }
    error.rethrow();
}

void Candidates::lower(std::size_t j, std::int64_t g) {
    duals_[j] = g;
    const double v = integer_.to_matrix_units(g);
    g_[j] = static_cast<float>(v);
    largest_g_ = std::max(largest_g_, std::fabs(v));
}

void Candidates::choose(std::size_t i, std::size_t count, RowSearch& search) {
    const std::size_t m = cost_.cols();
    count = std::min(count, m);
    search.reduce(cost_.row(i), g_.data(), kept_fraction(cost_));
    float last = -std::numeric_limits<float>::max();
    std::vector<Entry>& row = rows_[i];
    row.clear();
    row.reserve(count);
    std::vector<std::uint32_t> columns;
    for (const auto& [value, j] : search.smallest(m, count, i * m / cost_.rows())) {
        last = std::max(last, value);
        columns.push_back(j);
    }
    std::vector<double> costs(columns.size());
    cost_.exact(i, columns, costs);
    for (std::size_t l = 0; l < columns.size(); ++l) {
        const std::int64_t c = integer_.from_matrix_units(costs[l]);
        row.push_back({c, c - duals_[columns[l]], columns[l]});
    }
    std::ranges::sort(row, [](const Entry& x, const Entry& y) {
        return x.least != y.least ? x.least < y.least : x.col < y.col;
    });
    if (row.size() == m) {
        bounds_[i] = std::numeric_limits<std::int64_t>::max();
    } else {
        // Subtracts one unit for the rounding of the cost to an integer and one for that of the bound.
        bounds_[i] = integer_.from_matrix_units(last - rounding_bound(cost_, last, largest_g_)) - 2;
    }
}

std::size_t Candidates::size() const {
    std::size_t sum = 0;
    for (const auto& row : rows_) sum += row.size();
    return sum;
}

}  // namespace popflow::ot
