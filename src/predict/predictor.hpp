// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "mpi/communicator.hpp"
#include "predict/prediction_file.hpp"
#include "predict/trained_model.hpp"
#include "screen/splits.hpp"

namespace popflow::predict {

/// How control populations without partners are carried.
struct PredictOptions {
    std::size_t max_cells = 5000;  ///< of a population that its embedding is computed from
    Draw draw = Draw::random;
    std::uint64_t seed = 0;   ///< of that draw, and of the noise of a Gaussian base
    double tolerance = 1e-4;  ///< of the flow's solver, relative and absolute
};

/// The conditions to carry controls to, by treatment, then concentration, in the order asked for.
///
/// Without treatments all that were trained on. Where doses were trained, each treatment at `concentrations`,
/// or without any at those it was trained on; a concentration must lie between the least and the greatest of
/// Conditions::concentrations(), and one that was not seen is placed as Conditions::encode() says. Otherwise
/// a treatment has no concentration.
/// @param treatments  each a name, or several separated by commas
/// @throws core::ConfigError for a treatment or concentration that the model does not know
std::vector<screen::Population> chosen_conditions(const screen::Conditions& trained,
                                                  const std::vector<std::string>& treatments,
                                                  const std::vector<double>& concentrations);

/// The predictions of an evaluation: of pair k its control carried to the condition of its treated
/// population.
PredictionPlan plan_of_pairs(const screen::Screen& screen, const screen::Split& split,
                             std::span<const std::size_t> pairs);

/// All control populations of a screen carried to each condition; by population, then condition.
PredictionPlan plan_of_controls(const screen::Screen& screen, std::span<const screen::Population> conditions);

/// A prediction that could not be made.
struct FailedPrediction {
    std::string what;
    std::string message;
};

/// What a prediction gives beside its file; complete on rank 0.
struct PredictionSummary {
    linalg::Matrix<float> embeddings;  ///< [populations, context], in the order of the plan's sources
    std::vector<FailedPrediction> failed;
};

/// Carries all cells of the control populations of a plan of plan_of_controls(). Collective over comm.
///
/// Populations are dealt to the ranks, largest first; a rank holds one at a time. Its embedding is computed
/// from at most max_cells of its cells; all of them are carried, in blocks of rows. For a population of at
/// most max_cells the cells are the same as those of an evaluation of a pair of it. A prediction that fails
/// is reported and has no cells; the others go on.
///
/// @param conditions  those of the plan
/// @param done  called on each rank as its populations are done, with their number and that of all of them
/// @throws core::DataError, as for a population too small for the encoder's graph
PredictionSummary predict(const screen::Screen& screen, std::span<const screen::Population> conditions,
                          const TrainedModel& flow, const PredictOptions& options, PredictionFile& file,
                          const mpi::Communicator& comm,
                          const std::function<void(std::size_t done, std::size_t of)>& done);

}  // namespace popflow::predict
