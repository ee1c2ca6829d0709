// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ot/gaussian_moments.hpp"
#include "train/population_items.hpp"

namespace popflow::train {

/// Populations as Gaussians, in the space of a model.
///
/// The items are the target populations. Every rank holds the moments of all populations. A slot takes the
/// target that it visits and random others, gives each a source, couples sources and targets of the same
/// condition and group, and draws one time on each geodesic.
class GaussianItems : public PopulationItems {
  public:
    /// Computes the moments, and with OuterCoupling::all the coupling. Collective.
    GaussianItems(const screen::Screen& screen, const TrainingSet& set, const models::PopulationDraws& draws,
                  std::uint64_t seed, const mpi::Communicator& comm);

    /// Constants of the model, see models::gaussian_flow_constants().
    const models::Constants& constants() const override { return constants_; }
    const PopulationFamilies& families() const override { return families_; }
    /// @throws core::ConfigError if there are fewer targets than slots
    std::unique_ptr<Sampler> make_sampler(const models::Model& model, const TrainOptions& train,
                                          const mpi::Communicator& communicator) const override;

    const models::PopulationDraws& draws() const { return draws_; }
    const std::vector<ot::GaussianMoments>& target_moments() const { return target_moments_; }
    const std::vector<ot::GaussianMoments>& source_moments() const { return source_moments_; }
    /// Optimal maps from the sources of TargetPopulation::sources to the target, by target.
    const std::vector<std::vector<linalg::Matrix<double>>>& maps() const { return maps_; }

  private:
    void compute_moments(const TrainingSet& set, const mpi::Communicator& comm);
    void couple_families();
    void compute_maps();

    models::PopulationDraws draws_;
    PopulationFamilies families_;
    std::vector<ot::GaussianMoments> target_moments_;
    std::vector<ot::GaussianMoments> source_moments_;  // with the ridge of the noise
    std::vector<std::vector<linalg::Matrix<double>>> maps_;
    models::Constants constants_;
};

}  // namespace popflow::train
