// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/family.hpp"
#include "mpi/communicator.hpp"
#include "ot/gaussian_moments.hpp"
#include "train/pair_sampler.hpp"
#include "train/population_families.hpp"
#include "train/training_items.hpp"

namespace popflow::train {

/// Items of a training on populations.
class PopulationItems : public TrainingItems {
  public:
    /// Constants of the model, which depend on the populations.
    virtual const models::Constants& constants() const = 0;
    virtual const PopulationFamilies& families() const = 0;

    std::size_t count() const override { return families().targets().size(); }
    /// @throws core::Error  no method trains on populations in one pass
    OnePassResult train_in_one_pass(const models::OnePassTraining& model, std::size_t n_weights,
                                    const mpi::Communicator& communicator) const override;
};

/// Draws of a training on populations. The members other than `draws` apply to clouds, and of PairSampling
/// `cells`, `coupling` and `entropic`.
struct PopulationSampling {
    models::PopulationDraws draws{};
    PairSampling cells{};
    /// Whether clouds of controls start at the mean shift of their treatment, see TrainingSet::mean_shifts().
    bool starts_at_mean_shift = false;
};

/// Makes the items of the form that the method asks for. Collective.
/// @param set  with cells. Must outlive the result
/// @param constants  constants of models::Family::draw_constants(), which the items complete
/// @param seed  seed of the training
/// @throws core::DataError as PopulationFamilies, and if no cells differ
std::unique_ptr<PopulationItems> make_population_items(const screen::Screen& screen, const TrainingSet& set,
                                                       const PopulationSampling& sampling,
                                                       models::Constants constants, std::uint64_t seed,
                                                       const mpi::Communicator& comm);

/// Moments of populations, known to all ranks.
class MomentTable {
  public:
    MomentTable(std::size_t populations, std::size_t d);

    /// Computes the moments of a population of this rank. Thread-safe for different rows.
    void set(std::size_t row, linalg::ConstMatrixView<float> cells);
    /// Sums the rows over the ranks. Each row must be set on one rank, so that the sum is exact. Collective.
    void share(const mpi::Communicator& comm) { comm.sum(table_.values()); }
    /// Returns the moments with the root of the covariance.
    ot::GaussianMoments get(std::size_t row) const;

  private:
    std::size_t d_;
    linalg::Matrix<double> table_;  // rows of a mean and the lower triangle of a covariance
};

}  // namespace popflow::train
