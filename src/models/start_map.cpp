// SPDX-License-Identifier: MIT
#include "models/start_map.hpp"

#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "models/training_distance.hpp"

namespace popflow::models {

double StartOptions::factor(double distance) const {
    if (guard_distance == 0 || !(distance > guard_distance)) return shrinkage;
    return shrinkage * std::pow(guard_distance / distance, guard_power);
}

MomentChange start_change(StartKind kind, const StartStatistics& statistics, std::span<const float> means,
                          std::size_t condition_row) {
    if (kind == StartKind::moment_map) {
        if (statistics.moment_map == nullptr) throw core::Error("start_map: there is no moment map");
        return statistics.moment_map->change(statistics.moment_map_values, means, condition_row);
    }
    MomentChange change{std::vector<double>(means.size(), 0.0), std::vector<double>(means.size(), 0.0)};
    if (kind == StartKind::mean_shift) {
        const std::span<const float> shift = statistics.mean_shifts.row_span(condition_row);
        change.shift.assign(shift.begin(), shift.end());
    }
    return change;
}

double relative_distance(const StartStatistics& statistics, std::span<const float> means) {
    if (means.empty() || statistics.moment_map == nullptr || statistics.typical_distance == 0)
        return std::numeric_limits<double>::quiet_NaN();
    return nearest_distance(statistics.moment_map->features(statistics.moment_map_values), means) /
           statistics.typical_distance;
}

}  // namespace popflow::models
