// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

#include "train/population_items.hpp"

namespace popflow::train {

/// Transport problems between populations of the training part.
///
/// The items are the populations, which are the sources. Every rank holds random cells of all populations
/// (PopulationDraws::pool_cells). A slot takes the source that it visits, and for its other problems random
/// sources. Each problem has a random target, as PopulationDraws::problem_pairs allows, and random cells of
/// both sides, in the coordinates of ot::BalancedCoordinates.
class CloudPairItems : public PopulationItems {
  public:
    /// Shares the cells among the ranks. Collective.
    /// @throws core::DataError if no population has another one to be transported to
    CloudPairItems(const screen::Screen& screen, const TrainingSet& set, const PopulationSampling& sampling,
                   models::Constants constants, std::uint64_t seed, const mpi::Communicator& comm);

    const models::Constants& constants() const override { return constants_; }
    const PopulationFamilies& families() const override { return families_; }
    std::unique_ptr<Sampler> make_sampler(const models::Model& model, const TrainOptions& train,
                                          const mpi::Communicator& communicator) const override;

    const PopulationSampling& sampling() const { return sampling_; }
    /// Cells of a population [n, d], and the moments of these cells.
    const linalg::Matrix<float>& cells(std::size_t population) const { return cells_[population]; }
    const ot::GaussianMoments& moments(std::size_t population) const { return moments_[population]; }
    /// Populations that have a target, ascending.
    const std::vector<std::size_t>& sources() const { return sources_; }
    /// Returns a random target of a source.
    std::size_t draw_target(std::size_t source, core::Stream& stream) const;

  private:
    bool is_target(std::size_t source, std::size_t target) const;
    const std::vector<std::size_t>& candidates(std::size_t source) const;

    PopulationSampling sampling_;
    PopulationFamilies families_;
    std::vector<Lane> lanes_;
    std::vector<linalg::Matrix<float>> cells_;
    std::vector<ot::GaussianMoments> moments_;
    std::vector<std::size_t> everyone_;
    std::vector<std::vector<std::size_t>> members_;  // populations by group or by condition
    std::vector<std::size_t> sources_;
    models::Constants constants_;
};

}  // namespace popflow::train
