// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "models/model.hpp"
#include "nn/adam.hpp"
#include "nn/potential_pair.hpp"
#include "ot/balanced_coordinates.hpp"

namespace popflow::models {

/// Where the fine-tuning of the potentials of a transport problem starts.
enum class PotentialStart {
    predicted,  ///< the potentials that a model predicts
    gaussian,   ///< potentials whose map is the Gaussian map up to a few percent
    identity,   ///< potentials whose map is the identity up to a few percent, for the cells as they are
};

/// Names of the starts, in the order of PotentialStart.
const std::vector<std::string>& potential_start_names();

/// Fine-tuning of potentials by steps of Wasserstein-2 generative networks, see nn::PotentialPair.
struct FineTuneOptions {
    std::vector<std::uint64_t> steps{};  ///< numbers of steps, ascending. Empty for none
    std::vector<PotentialStart> starts{PotentialStart::predicted};
    std::size_t batch = 1024;  ///< number of cells of each side in a step
    double rate = 1e-3;        ///< learning rate of Adam, whose betas are 0.8 and 0.9
};

/// Convex potentials of a transport problem, with the cells of both sides in their coordinates.
struct CloudPotentials {
    ot::BalancedCoordinates coordinates;
    BalancedClouds<float> clouds;
    nn::PotentialShape shape{};
    linalg::AlignedVector<float> parameters;  ///< [2 size] of the source, then of the target

    std::span<const float> source() const { return std::span(parameters).first(shape.size()); }
    std::span<const float> target() const { return std::span(parameters).last(shape.size()); }
    /// Dual value of the source potential, see dual_value().
    struct Dual {
        double value = 0;    ///< mean psi(u) + mean psi*(v)
        double max_gap = 0;  ///< see nn::ConjugateValues
    };
    /// Computes the means of the source potential psi and of its conjugate over source cells [n, d] and
    /// target cells [m, d] in double precision. Uses all threads, inside a parallel region the calling one.
    /// @param tolerance  Fenchel gap at which the solver of the conjugate stops
    Dual dual_value(linalg::ConstMatrixView<float> source_cells, linalg::ConstMatrixView<float> target_cells,
                    double tolerance) const;
    /// Returns the cells of the target that the source cells [n, d] are mapped to.
    linalg::Matrix<float> mapped(linalg::ConstMatrixView<float> source_cells) const;
};

/// Makes the potentials of a start from all cells of two populations.
///
/// Shapes: source [n, d], target [m, d], in the space of the model.
/// @param values  weights of the model
/// @param seed  seed of the random units of a start that is not predicted
/// @throws core::NumericalError for cells that do not vary
CloudPotentials start_potentials(const PotentialPredictor& model, std::span<const float> values,
                                 PotentialStart start, linalg::ConstMatrixView<float> source,
                                 linalg::ConstMatrixView<float> target, std::uint64_t seed);

/// Fine-tuning of the potentials of one problem.
///
/// A step draws cells of both sides and updates all parameters by Adam. The draws depend on the seed, the
/// problem and the step alone. Source of the defaults: the code of Amos et al., "Meta optimal transport".
class FineTuning {
  public:
    /// @param potentials  changed by run(), must outlive this object
    /// @param cycle  see nn::PotentialPairOptions
    /// @param problem  key of the draws
    FineTuning(CloudPotentials& potentials, const FineTuneOptions& options, double cycle, std::uint64_t seed,
               std::uint64_t problem);
    /// Makes steps until there are `steps` in all. Uses all threads, inside a parallel region the calling
    /// one.
    /// @throws core::NumericalError if the loss is not finite
    void run(std::uint64_t steps);

  private:
    void draw(const linalg::Matrix<float>& from, std::uint64_t kind, linalg::Matrix<float>& to);

    CloudPotentials& potentials_;
    FineTuneOptions options_;
    double cycle_;
    std::uint64_t seed_;
    std::uint64_t problem_;
    nn::PotentialPair<float> pair_;
    nn::AdamState adam_;
    linalg::AlignedVector<float> gradient_;
    linalg::Matrix<float> source_;
    linalg::Matrix<float> target_;
    std::vector<std::uint32_t> rows_;
};

}  // namespace popflow::models
