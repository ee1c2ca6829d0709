// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

#include "train/population_items.hpp"

namespace popflow::train {

/// Populations as clouds of cells.
///
/// A target is a population at which a flow ends. A group holds the populations with the same pairing keys. A
/// rank stores the cells of the targets in its lanes (see sampler.hpp), and of all sources in the groups of
/// these targets. A slot takes the target that it visits and random others of its lane. It draws cells of
/// each, gives each a source cloud, couples clouds and then the cells of each pair of clouds, and draws one
/// time for each cloud.
class CloudItems : public PopulationItems {
  public:
    /// Computes the law of the noise, and with OuterCoupling::all the coupling. Collective.
    CloudItems(const screen::Screen& screen, const TrainingSet& set, const PopulationSampling& sampling,
               models::Constants constants, std::uint64_t seed, const mpi::Communicator& comm);

    const models::Constants& constants() const override { return constants_; }
    const PopulationFamilies& families() const override { return families_; }
    std::unique_ptr<Sampler> make_sampler(const models::Model& model, const TrainOptions& train,
                                          const mpi::Communicator& communicator) const override;

    const PopulationSampling& sampling() const { return sampling_; }
    /// Cells of a target of this rank, without rows for targets of other ranks.
    const screen::CellsView& target_cells(std::size_t target) const { return target_cells_[target]; }
    /// Cells of a source of this rank, without rows for sources of other ranks.
    const screen::CellsView& source_cells(std::size_t source) const { return source_cells_[source]; }

    /// Move of the controls of a target to the start of the flow [d], zeros unless it starts at the mean
    /// shift.
    std::span<const float> start_shift(std::size_t target) const {
        return start_shifts_.view().row_span(families_.targets()[target].condition_row);
    }

  private:
    void fit_noise(const screen::Screen& screen, const mpi::Communicator& comm);
    void couple_families(std::uint64_t seed, const mpi::Communicator& comm);

    PopulationSampling sampling_;
    std::size_t markers_;
    PopulationFamilies families_;
    std::vector<Lane> lanes_;
    std::vector<screen::CellsView> target_cells_;
    std::vector<screen::CellsView> source_cells_;
    linalg::Matrix<float> start_shifts_;  // [conditions, d]
    models::Constants constants_;
};

}  // namespace popflow::train
