// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/evaluator.hpp"

namespace popflow::eval {

/// Two populations to compare.
struct CellComparison {
    linalg::Matrix<float> predicted{};
    linalg::Matrix<float> truth{};
    std::string unavailable{};  ///< why there are no populations to compare, empty if there are
};

/// Cells of one pair and the prediction of each predictor. Keeps references to the constructor's arguments.
class PairPredictions {
  public:
    PairPredictions(const screen::Screen& screen, std::size_t pair, const predict::TrainedModel& trained,
                    const predict::ScreenReader& reader, const EvaluateOptions& options);

    /// Computes the prediction of a predictor and returns it with the population to compare it with.
    /// PredictionKind::moments needs TrainedModel::moment_map.
    /// @param embedding  set by the predictor `model`
    /// @param snapshots  set by the predictor `model`, with one row per control cell in each matrix
    CellComparison compare(const Predictor& predictor, std::vector<float>& embedding,
                           const ode::Snapshots<float>& snapshots = {}) const;
    /// Returns the mean of each marker of the transported control cells, normalised.
    std::vector<double> control_means() const;
    /// Returns models::relative_distance() of the transported control cells.
    double training_distance() const;
    /// Number of control cells that are transported.
    std::size_t cells() const { return control_.x.rows(); }
    /// Draws cells for plots, with the pair in the stream key.
    /// @param predicted  predicted cells, normalised, one row per control cell
    /// @param mean_shift  the same for the mean shift, no rows if it failed
    /// @param flow  the same for each of `times`
    CellSample sample(const linalg::Matrix<float>& predicted, const linalg::Matrix<float>& mean_shift,
                      const std::vector<double>& times, const std::vector<linalg::Matrix<float>>& flow) const;
    /// Rows of the transported control cells in the data file.
    std::span<const std::uint64_t> control_rows() const { return control_rows_; }

  private:
    linalg::Matrix<float> transported(std::vector<float>& embedding,
                                      const ode::Snapshots<float>& snapshots) const;
    linalg::Matrix<float> moved_and_scaled() const;
    std::vector<double> oracle_shift() const;
    CellComparison matched_samples() const;
    linalg::Matrix<float> shifted(const std::vector<double>& shift) const;
    CellComparison halves() const;

    const screen::Screen& screen_;
    std::size_t pair_;
    const predict::TrainedModel& trained_;
    const EvaluateOptions& options_;
    const screen::Population& treated_;
    screen::Cells control_;
    std::vector<std::uint64_t> control_rows_;
    linalg::Matrix<float> target_;
    screen::Cells all_targets_;
};

}  // namespace popflow::eval
