// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/random.hpp"
#include "models/family.hpp"

namespace popflow::models {

/// Numbers of cells of the training populations, with their conditions. A generated population can have as
/// many cells as a random one of them.
class PopulationSizes {
  public:
    PopulationSizes() = default;
    /// @param conditions  condition vectors, all of one length. @param cells  below 2^24
    /// @throws core::ShapeMismatch for different numbers of conditions and cells
    PopulationSizes(std::span<const std::span<const float>> conditions, std::span<const std::size_t> cells);

    bool empty() const { return cells_.empty(); }
    /// Returns the number of cells of a random training population with this condition. Without one, of any
    /// training population.
    std::size_t draw(std::span<const float> condition, core::Stream& stream) const;

    /// Stores the sizes among the constants of a model, as `size_conditions` [conditions, length] and
    /// `population_sizes` [populations, 2], with the row of the condition and the number of cells.
    void store(Constants& constants) const;
    /// Reads what store() has stored. Empty for a model of an earlier version.
    static PopulationSizes stored(const Constants& constants);

  private:
    std::vector<std::vector<float>> conditions_;
    std::vector<std::size_t> rows_;  ///< one row of conditions_ for each population
    std::vector<std::size_t> cells_;
};

}  // namespace popflow::models
