// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>

#include "linalg/matrix.hpp"
#include "models/moment_change.hpp"
#include "models/moment_map.hpp"

namespace popflow::models {

/// Map that moves the control cells before the model does.
enum class StartKind {
    none,
    mean_shift,  ///< mean shift of the condition in training
    moment_map,  ///< make_moment_map_baseline(), fitted to all training pairs
};

/// Prediction to which that of a model is shrunk.
enum class ShrinkTarget {
    start,       ///< the cells that the model starts from
    mean_shift,  ///< see StartKind::mean_shift
    moment_map,  ///< see StartKind::moment_map
};

/// Where a model starts, and how far its predictions go from a simple one.
///
/// A cell x starts at s = start(x). The model moves s to m. The prediction is q + f (m - q) with the simple
/// prediction q of the shrink target and the factor f = shrinkage min(1, (guard_distance / r)^guard_power).
/// r is the relative distance of the control population to the training populations, see
/// relative_distance().
struct StartOptions {
    StartKind kind = StartKind::none;
    ShrinkTarget shrink_to = ShrinkTarget::start;
    double shrinkage = 1;       ///< in [0, 1]. With 0 the prediction is that of the target.
    double guard_distance = 0;  ///< 0 for no guard
    double guard_power = 2;

    bool operator==(const StartOptions&) const = default;
    /// Whether the prediction is what the model alone predicts from the control cells.
    bool is_trivial() const { return kind == StartKind::none && shrinkage == 1 && guard_distance == 0; }
    /// Returns the map whose prediction is q.
    StartKind target_kind() const {
        return shrink_to == ShrinkTarget::start ? kind : static_cast<StartKind>(shrink_to);
    }
    /// Returns the factor f for a relative distance. NaN, an unknown distance, has no guard.
    double factor(double distance) const;
};

/// Relative distance above which a population is called far from the training populations.
inline constexpr double far_distance = 3;

/// Statistics of the training populations from which starts and distances follow. Non-owning.
struct StartStatistics {
    const MomentMap* moment_map = nullptr;  ///< baseline, null for a run of an earlier version
    std::span<const float> moment_map_values{};
    linalg::ConstMatrixView<float> mean_shifts{};  ///< [conditions, d], normalised
    double typical_distance = 0;                   ///< see models::typical_distance(), 0 if it is not known
};

/// Returns the change of a population that is its start. No kind needs more than its statistics.
///
/// Shape: means [d] of the control cells, normalised.
/// @param condition_row  row of a trained condition, see DataShape::condition_rows
MomentChange start_change(StartKind kind, const StartStatistics& statistics, std::span<const float> means,
                          std::size_t condition_row);

/// Returns the distance of the control means of a population to the nearest of the training populations, in
/// units of the typical distance between training populations of different units. NaN if that is not known.
///
/// Shape: means [d], normalised.
double relative_distance(const StartStatistics& statistics, std::span<const float> means);

}  // namespace popflow::models
