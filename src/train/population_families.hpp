// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "models/family.hpp"
#include "models/population_sizes.hpp"
#include "screen/screen.hpp"
#include "train/training_set.hpp"

namespace popflow::train {

/// Share of a target population that an outer coupling takes from a source population.
struct CoupledPopulation {
    std::size_t target = 0;  ///< index into Screen::populations
    std::size_t source = 0;  ///< index into Screen::populations
    double share = 0;        ///< the shares of a target sum to 1
    double distance = 0;     ///< distance of the coupling, after the families were centred
};

/// A source that an outer coupling has chosen for a target.
struct ChosenSource {
    std::size_t source = 0;       ///< index into PopulationFamilies::sources()
    double cumulative_share = 1;  ///< cumulative over the sources of the target
};

/// A population that a flow ends at.
struct TargetPopulation {
    std::size_t population = 0;  ///< index into Screen::populations
    std::size_t pair = 0;        ///< index among the training pairs
    std::size_t group = 0;       ///< targets and sources are coupled within a group
    std::size_t condition_row = 0;
    std::vector<float> condition;
    /// Sources of the coupling of whole families, or the known one. Empty if sources are drawn.
    std::vector<ChosenSource> sources{};
};

/// A control population that a flow starts at.
struct SourcePopulation {
    std::size_t population = 0;  ///< index into Screen::populations
    std::size_t pair = 0;        ///< index among the training pairs
    std::size_t group = 0;
};

/// Targets and sources of a training on populations. The same on all ranks.
///
/// A group has the populations with the same values of the pairing keys. A flow connects a target with a
/// source of its group.
class PopulationFamilies {
  public:
    /// Without pairs, the targets are all populations of the training part, or the treated ones if the flow
    /// starts at controls. With known pairs, they are the treated populations, each with its control.
    /// @throws core::DataError without a target, without a control that a target can start from, or for a
    ///         population that has no cells besides those of a subset
    PopulationFamilies(const screen::Screen& screen, const TrainingSet& set,
                       const models::PopulationDraws& draws);

    const std::vector<TargetPopulation>& targets() const { return targets_; }
    const std::vector<SourcePopulation>& sources() const { return sources_; }
    /// Numbers of cells of the targets.
    models::PopulationSizes target_sizes(const screen::Screen& screen) const;
    /// Sources of each group.
    const std::vector<std::vector<std::size_t>>& sources_of_group() const { return sources_of_group_; }

    /// Choice of a source: index into sources(), and into TargetPopulation::sources or npos.
    struct Draw {
        static constexpr std::size_t npos = static_cast<std::size_t>(-1);
        std::size_t source = 0;
        std::size_t chosen = npos;
    };
    /// Returns the source of a target for a uniform number u in [0, 1).
    Draw draw_source(std::size_t target, double u) const;

    /// Targets of one group and condition, and the sources of the group.
    struct Family {
        std::vector<std::size_t> targets;  ///< indices into targets()
        std::vector<std::size_t> sources;  ///< indices into sources()
    };
    /// Returns the families, which an outer coupling couples each for itself.
    std::vector<Family> families() const;
    /// Couples the targets and sources of one family by exact transport with equal weights.
    ///
    /// Shapes: cost and distance [targets, sources].
    /// @param distance  what coupling() reports
    void couple(const Family& family, linalg::ConstMatrixView<double> cost,
                linalg::ConstMatrixView<double> distance);
    /// The coupling by target.
    const std::vector<CoupledPopulation>& coupling() const { return coupling_; }

  private:
    std::vector<TargetPopulation> targets_;
    std::vector<SourcePopulation> sources_;
    std::vector<std::vector<std::size_t>> sources_of_group_;
    std::vector<CoupledPopulation> coupling_;
};

/// Returns the optimal assignment between equally many targets and sources.
///
/// Shape: cost [n, n]. The result [n] is the source of each target.
std::vector<std::size_t> assign_sources(linalg::ConstMatrixView<double> cost);

/// Returns the members of each group and condition among the targets of a slot, as positions in the slot.
/// Groups of one member are left out.
std::vector<std::vector<std::size_t>> coupled_members(const PopulationFamilies& families,
                                                      std::span<const std::size_t> targets);

}  // namespace popflow::train
