// SPDX-License-Identifier: MIT
#include "ot/exact/candidates.hpp"

#include <algorithm>
#include <optional>

#include "core/parallel_error.hpp"
#include "linalg/matrix.hpp"
#include "ot/exact/row_search.hpp"

namespace popflow::ot {

namespace {

constexpr std::size_t rows_per_task = 64;
// Matrices with fewer elements run on one thread: starting a team costs more than it saves.
constexpr std::size_t serial_size = 1U << 20U;

}  // namespace

ArcList candidate_arcs(const Cost& cost, const IntegerCost& integer, std::span<const std::int64_t> g,
                       std::size_t per_row) {
    const std::size_t n = cost.rows();
    const std::size_t m = cost.cols();
    const std::size_t count = std::min(per_row, m);
    linalg::AlignedVector<float> duals(cost.padded_cols());
    for (std::size_t j = 0; j < m; ++j) duals[j] = static_cast<float>(integer.to_matrix_units(g[j]));
    ArcList arcs;
    arcs.col.resize(n * count);
    arcs.cost.resize(n * count);
    for (std::size_t i = 0; i <= n; ++i) arcs.first.push_back(i * count);
    const auto choose = [&](std::size_t i, RowSearch& search, std::vector<double>& costs) {
        const std::span<std::uint32_t> columns(arcs.col.data() + i * count, count);
        search.reduce(cost.row(i), duals.data(), kept_fraction(cost));
        std::ranges::copy(search.smallest(m, count, i * m / n), columns.begin());
        std::ranges::sort(columns);
        costs.resize(count);
        cost.exact(i, columns, costs);
        for (std::size_t l = 0; l < count; ++l)
            arcs.cost[i * count + l] = integer.from_matrix_units(costs[l]);
    };
    core::ParallelError error;
#pragma omp parallel if (n * m > serial_size)
    {
        std::optional<RowSearch> search;
        std::vector<double> costs;
#pragma omp for schedule(dynamic)
        for (std::size_t first = 0; first < n; first += rows_per_task) {
            error.run([&] {
                if (!search) search.emplace(cost.padded_cols());
                const std::size_t end = std::min(n, first + rows_per_task);
                for (std::size_t i = first; i < end; ++i) choose(i, *search, costs);
            });
        }
    }
    error.rethrow();
    return arcs;
}

std::vector<Arc> feasible_arcs(std::span<const std::int64_t> supply, std::span<const std::int64_t> demand) {
    std::vector<Arc> arcs;
    std::uint32_t j = 0;
    std::int64_t room = demand.empty() ? 0 : demand[0];
    for (std::uint32_t i = 0; i < supply.size(); ++i) {
        std::int64_t units = supply[i];
        while (units > 0) {
            while (room == 0) room = demand[++j];
            const std::int64_t moved = std::min(units, room);
            arcs.push_back({i, j});
            units -= moved;
            room -= moved;
        }
    }
    return arcs;
}

}  // namespace popflow::ot
