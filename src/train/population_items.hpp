// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/family.hpp"
#include "mpi/communicator.hpp"
#include "ot/gaussian_moments.hpp"
#include "screen/screen.hpp"
#include "train/training_items.hpp"
#include "train/training_set.hpp"

namespace popflow::train {

/// Share of a target population that an outer coupling takes from a source population.
struct CoupledPopulation {
    std::size_t target = 0;  ///< index into Screen::populations
    std::size_t source = 0;  ///< index into Screen::populations
    double share = 0;        ///< the shares of a target sum to 1
    double distance = 0;     ///< W2 between the Gaussians, after their families were centred
};

/// Populations as Gaussians, in the space of a model.
///
/// The items are the target populations: all populations of the training part if the flow starts at noise,
/// otherwise the treated ones. Every rank holds the moments of all populations. A slot takes the target that
/// it visits and random others, gives each a source, couples sources and targets of the same condition and
/// group, and draws one time on each geodesic.
class PopulationItems : public TrainingItems {
  public:
    /// Computes the moments, and with OuterCoupling::all the coupling. Collective.
    /// @param set  with cells. Must outlive this object
    /// @param seed  seed of the training
    /// @throws core::DataError without a control that a target can start from, and if no cells differ
    PopulationItems(const screen::Screen& screen, const TrainingSet& set,
                    const models::PopulationDraws& draws, std::uint64_t seed, const mpi::Communicator& comm);

    /// Constants of the model, see models::gaussian_flow_constants().
    const models::Constants& constants() const { return constants_; }
    /// The coupling between whole families, by target. Empty unless OuterCoupling::all.
    const std::vector<CoupledPopulation>& coupling() const { return coupling_; }

    std::size_t count() const override { return targets_.size(); }
    /// @throws core::ConfigError if there are fewer targets than slots
    std::unique_ptr<Sampler> make_sampler(const models::Model& model, const TrainOptions& train,
                                          const mpi::Communicator& communicator) const override;
    /// @throws core::Error  no method trains on populations in one pass
    OnePassResult train_in_one_pass(const models::OnePassTraining& model, std::size_t n_weights,
                                    const mpi::Communicator& communicator) const override;

    /// A source that an outer coupling has chosen for a target.
    struct ChosenSource {
        std::size_t source = 0;
        double cumulative_share = 1;  ///< cumulative over the sources
        linalg::Matrix<double> map;   ///< ot::gaussian_map() to the target
    };
    /// A population that a flow ends at.
    struct Target {
        std::size_t population = 0;  ///< index into Screen::populations
        std::size_t group = 0;       ///< targets and sources are coupled within a group
        std::size_t condition_row = 0;
        std::vector<float> condition;
        /// Sources of the coupling of whole families, or the known one. Empty if sources are drawn.
        std::vector<ChosenSource> sources{};
    };
    /// A control population that a flow starts at.
    struct Source {
        std::size_t population = 0;
        std::size_t group = 0;
    };

    const models::PopulationDraws& draws() const { return draws_; }
    const std::vector<Target>& targets() const { return targets_; }
    const std::vector<ot::GaussianMoments>& target_moments() const { return target_moments_; }
    const std::vector<ot::GaussianMoments>& source_moments() const { return source_moments_; }
    /// Sources of each group.
    const std::vector<std::vector<std::size_t>>& sources_of_group() const { return sources_of_group_; }

  private:
    void gather(const screen::Screen& screen, const TrainingSet& set, const mpi::Communicator& comm);
    void couple_families();
    void compute_maps();

    models::PopulationDraws draws_;
    std::vector<Target> targets_;
    std::vector<Source> sources_;
    std::vector<ot::GaussianMoments> target_moments_;
    std::vector<ot::GaussianMoments> source_moments_;  // with the ridge of the noise
    std::vector<std::vector<std::size_t>> sources_of_group_;
    models::Constants constants_;
    std::vector<CoupledPopulation> coupling_;
};

}  // namespace popflow::train
