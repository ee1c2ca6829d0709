// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "mpi/communicator.hpp"
#include "predict/control_choice.hpp"
#include "predict/prediction_file.hpp"
#include "predict/trained_model.hpp"
#include "screen/splits.hpp"

namespace popflow::predict {

/// Options of the prediction of control populations that have no treated population.
struct PredictOptions {
    std::size_t max_cells = 5000;  ///< maximum number of cells that an embedding is computed from
    Draw draw = Draw::random;
    std::uint64_t seed = 0;  ///< seed of that draw and of the noise of a Gaussian base
    ode::Options solver{};   ///< method and tolerance of the ODE solver
};

/// Returns the conditions to predict, by treatment, then by concentration, in the requested order.
///
/// Treatments: the requested ones, or all training treatments if `treatments` is empty.
/// Concentrations: a model that was trained on the highest dose has none. Otherwise each treatment is
/// predicted at `concentrations`, or at its training concentrations if `concentrations` is empty. A
/// concentration must lie in the range of Conditions::concentrations(). Conditions::encode() interpolates one
/// that was not in the training data.
/// @param treatments  each a name, or several names separated by commas
/// @param quantity  of the concentrations, in core::unit_name() of it. `number`: they have the unit of the
/// training
/// @throws core::ConfigError for a treatment or concentration that the model cannot encode, and for another
/// quantity than that of the training
std::vector<screen::Population> chosen_conditions(const screen::Conditions& trained,
                                                  const std::vector<std::string>& treatments,
                                                  const std::vector<double>& concentrations,
                                                  core::Quantity quantity = core::Quantity::number);

/// Returns the plan of an evaluation: prediction k transports the control of pairs[k] to the condition of its
/// treated population. The path, space and times are not set.
PredictionPlan plan_pair_predictions(const screen::Screen& screen, const screen::Split& split,
                                     std::span<const std::size_t> pairs);

/// Returns the plan that transports the control populations of a screen to the conditions of
/// choose_controls(), by population, then by condition. The path, space and times are not set.
///
/// The concentration that stands in the file for a condition without one is that of the training, or else
/// that of all pairs of the screen with this treatment.
/// @param neighbours  controls with at most this number of cells are left out, unless all have, see
/// CellTransport::neighbours()
PredictionPlan plan_control_predictions(const screen::Screen& screen,
                                        std::span<const screen::Population> conditions,
                                        const screen::Conditions& trained, std::size_t neighbours = 0,
                                        FromControls from = FromControls::own);

/// Prediction that failed.
struct FailedPrediction {
    std::string what;  ///< population and condition
    std::string message;
};

/// Result of predict() in addition to the file. Complete on rank 0.
struct PredictionSummary {
    SourceDescriptions described{};  ///< each population, in the order of the plan's sources
    std::vector<FailedPrediction> failed{};
};

/// Transports all cells of the control populations of a plan_control_predictions() plan. Collective over
/// comm.
///
/// Populations are partitioned over the ranks, largest first. A rank holds one population at a time. The
/// embedding of a population is computed from at most max_cells of its cells. All its cells are transported,
/// in blocks of rows. For a population of at most max_cells cells, the predicted cells equal those of an
/// evaluation of a pair with this control. A prediction that fails is reported and has no cells. The other
/// predictions continue.
///
/// @param conditions  conditions of the plan, to which Prediction::condition refers
/// @param done  called on each rank after each of its populations, with the number of finished populations
/// and the
///              number of all populations of the rank
/// @throws core::DataError, for example for a population that is too small for the encoder's graph
PredictionSummary predict(const screen::Screen& screen, std::span<const screen::Population> conditions,
                          const TrainedModel& trained, const PredictOptions& options, PredictionFile& file,
                          const mpi::Communicator& comm,
                          const std::function<void(std::size_t done, std::size_t of)>& done);

/// Returns the embeddings of control populations, with the bits of predict(). Reads one population at a time.
///
/// Shapes: result [controls, context].
/// @param controls  indices into Screen::populations
/// @throws core::DataError for a population that is too small for the encoder's graph
linalg::Matrix<float> embed_controls(const screen::Screen& screen, std::span<const std::size_t> controls,
                                     const TrainedModel& trained, const PredictOptions& options);

}  // namespace popflow::predict
