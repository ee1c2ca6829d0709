// SPDX-License-Identifier: MIT
#include "train/validation.hpp"

#include <cmath>
#include <numeric>

namespace popflow::train {

bool is_check_step(std::uint64_t step, std::uint64_t total) {
    if (step == 0 || step > total) return false;
    if (total <= validation_checks) return true;
    // Check k = 1, 2, ... is after step ceil(k total / checks), the first one with k total <= checks step.
    const std::uint64_t each = total / validation_checks;
    const std::uint64_t rest = total % validation_checks;
    for (std::uint64_t k = 1; k <= validation_checks; ++k) {
        if (step == k * each + (k * rest + validation_checks - 1) / validation_checks) return true;
    }
    return false;
}

std::uint64_t validation_budget(std::uint64_t steps, double cells_per_step) {
    constexpr double evaluations_per_cell = 3;
    constexpr double share = 0.1;
    return static_cast<std::uint64_t>(share * evaluations_per_cell * static_cast<double>(steps) *
                                      cells_per_step);
}

bool fits_budget(std::span<const ValidationRow> rows, std::uint64_t budget) {
    if (rows.empty()) return true;
    const std::uint64_t used =
        std::accumulate(rows.begin(), rows.end(), std::uint64_t{0},
                        [](std::uint64_t sum, const ValidationRow& row) { return sum + row.evaluations; });
    return used + 2 * rows.back().evaluations <= budget;
}

std::optional<std::size_t> best_row(std::span<const ValidationRow> rows) {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (!std::isnan(rows[i].energy) && (!best || rows[i].energy < rows[*best].energy)) best = i;
    }
    return best;
}

std::size_t checks_without_improvement(std::span<const ValidationRow> rows) {
    const std::optional<std::size_t> best = best_row(rows);
    return best ? rows.size() - 1 - *best : rows.size();
}

}  // namespace popflow::train
