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
    /// Returns what compare() of the same predictor compares, in normalised markers. Only for a model in a
    /// latent space.
    ///
    /// - model and moment_map: the predicted coordinates, mapped back to the markers.
    /// - identity, mean_shift, oracle_shift: the control cells themselves, with the shift of the markers.
    /// - noise floors: the treated cells themselves.
    /// The target is always the treated cells themselves.
    /// @param compared  result of compare()
    CellComparison compare_markers(const Predictor& predictor, const CellComparison& compared) const;
    /// Treated cells that most predictors are compared with, normalised markers, for a model in a latent
    /// space.
    const linalg::Matrix<float>& marker_target() const { return markers_.target; }
    /// Returns the mean of each marker of the transported control cells, normalised.
    std::vector<double> control_means() const;
    /// Returns models::relative_distance() of the transported control cells.
    double training_distance() const;
    /// Number of control cells that are transported.
    std::size_t cells() const { return cells_.control.x.rows(); }
    /// Draws cells for plots, with the pair in the stream key. They are transformed, or the coordinates of
    /// the latent space before its scale.
    /// @param predicted  predicted cells in the space of the model, one row per control cell
    /// @param mean_shift  the same for the mean shift, no rows if it failed
    /// @param flow  the same for each of `times`
    CellSample sample(const linalg::Matrix<float>& predicted, const linalg::Matrix<float>& mean_shift,
                      const std::vector<double>& times, const std::vector<linalg::Matrix<float>>& flow) const;
    /// Rows of the transported control cells in the data file.
    std::span<const std::uint64_t> control_rows() const { return control_rows_; }

  private:
    // Cells of the pair in one space.
    struct PairCells {
        screen::Cells control;         ///< drawn control cells
        linalg::Matrix<float> target;  ///< drawn treated cells
        screen::Cells all_targets;
    };

    linalg::Matrix<float> transported(std::vector<float>& embedding,
                                      const ode::Snapshots<float>& snapshots) const;
    linalg::Matrix<float> moved_and_scaled() const;
    CellComparison translated(const PairCells& cells, const std::vector<double>& shift) const;
    CellComparison matched_samples(const PairCells& cells) const;
    CellComparison halves(const PairCells& cells) const;

    const screen::Screen& screen_;
    std::size_t pair_;
    const predict::TrainedModel& trained_;
    const EvaluateOptions& options_;
    const screen::Population& treated_;
    std::vector<std::uint64_t> control_rows_;
    PairCells cells_;    ///< in the space of the model
    PairCells markers_;  ///< normalised markers, empty without a latent space
};

}  // namespace popflow::eval
