// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/evaluator.hpp"

namespace popflow::eval {

/// The two populations to compare.
struct CellComparison {
    linalg::Matrix<float> predicted;
    linalg::Matrix<float> truth;
};

/// One pair of a rank: its cells, and the prediction of each predictor. Refers to what it was made of.
class PairPredictions {
  public:
    PairPredictions(const screen::Screen& screen, std::size_t pair, const predict::TrainedModel& flow,
                    const predict::ScreenReader& inputs, const EvaluateOptions& options);

    /// @param embedding  set by the predictor `model`
    /// @param snapshots  of the predictor `model`; its matrices have a row per control cell
    CellComparison compare(const std::string& predictor, std::vector<float>& embedding,
                           const ode::Snapshots<float>& snapshots = {}) const;
    std::size_t cells() const { return control_.x.rows(); }
    /// Some of the cells for pictures, drawn by pair.
    /// @param predicted, flow  a row per control cell, normalised; `flow` at the times
    CellSample sample(const linalg::Matrix<float>& predicted, const std::vector<double>& times,
                      const std::vector<linalg::Matrix<float>>& flow) const;
    /// The rows of the data file of the control cells that are carried.
    std::span<const std::uint64_t> control_rows() const { return control_rows_; }

  private:
    linalg::Matrix<float> transported(std::vector<float>& embedding,
                                      const ode::Snapshots<float>& snapshots) const;
    std::vector<double> mean_shift() const;
    std::vector<double> oracle_shift() const;
    linalg::Matrix<float> shifted(const std::vector<double>& shift) const;
    CellComparison halves() const;

    const screen::Screen& screen_;
    std::size_t pair_;
    const predict::TrainedModel& flow_;
    const EvaluateOptions& options_;
    const screen::Population& treated_;
    screen::Cells control_;
    std::vector<std::uint64_t> control_rows_;
    linalg::Matrix<float> target_;
    screen::Cells all_targets_;
};

}  // namespace popflow::eval
