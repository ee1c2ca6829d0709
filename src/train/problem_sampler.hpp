// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"
#include "models/family.hpp"
#include "models/model.hpp"
#include "ot/histogram_problem.hpp"
#include "train/training_items.hpp"

namespace popflow::train {

/// Histograms between which a method learns to solve transport problems.
///
/// Every rank holds all of them. A rank trains on the sources of its lanes.
struct HistogramSet {
    std::vector<ot::Histogram> sources;
    std::vector<ot::Histogram> targets;       ///< empty if a source is also a target
    linalg::Matrix<double> costs;             ///< [source atoms, target atoms]
    linalg::Matrix<double> source_positions;  ///< [source atoms, d]
    linalg::Matrix<double> target_positions;  ///< [target atoms, d]
    double epsilon = 1;                       ///< in units of the cost

    const std::vector<ot::Histogram>& all_targets() const { return targets.empty() ? sources : targets; }
    /// Returns the constants of a model of these problems: positions, `epsilon` and `scale`, see
    /// models::MetaOt.
    models::Constants constants() const;
};

/// Transport problems between random histograms.
///
/// The items are the sources. A slot takes the source that it visits, and for its other problems random
/// sources. Each problem has a random target.
class ProblemItems : public TrainingItems {
  public:
    /// @param set  must outlive this object
    ProblemItems(const HistogramSet& set, models::ProblemDraws draws) : set_(set), draws_(draws) {}

    std::size_t count() const override { return set_.sources.size(); }
    /// @throws core::ConfigError if there are fewer sources than slots
    std::unique_ptr<Sampler> make_sampler(const models::Model& model, const TrainOptions& train,
                                          const mpi::Communicator& communicator) const override;
    /// @throws core::Error  no method trains on problems in one pass
    OnePassResult train_in_one_pass(const models::OnePassTraining& model, std::size_t n_weights,
                                    const mpi::Communicator& communicator) const override;

  private:
    const HistogramSet& set_;
    models::ProblemDraws draws_;
};

}  // namespace popflow::train
