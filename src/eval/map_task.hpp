// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "eval/task.hpp"
#include "models/cloud_potentials.hpp"
#include "predict/map_predictor.hpp"
#include "predict/trained_model.hpp"
#include "screen/screen.hpp"

namespace popflow::eval {

/// Options of an evaluation of maps between populations.
struct MapEvaluationOptions {
    models::FineTuneOptions fine_tune{};
    std::size_t max_cells = 5000;  ///< maximum number of cells of a side that are scored
    predict::Draw draw = predict::Draw::random;
    std::uint64_t seed = 0;
};

/// Largest Fenchel gap with which a value counts as certified.
inline constexpr double certified_gap = 1e-6;

/// Scores of one predictor for one problem.
///
/// Predictors: `model`, also after fine-tuning, `gaussian_start` and `identity_start`, which are fine-tuned
/// only, `mean_shift`, `gaussian` and `identity`.
struct MapRow {
    std::size_t problem = 0;
    std::string predictor;
    std::uint64_t steps = 0;  ///< number of steps of the fine-tuning
    /// Dual value of the predictor for W2^2 / 2: mean |x|^2 / 2 + mean |y|^2 / 2 - mean D(x) - mean D*(y)
    /// over the scored cells.
    double value = std::numeric_limits<double>::quiet_NaN();
    double exact = std::numeric_limits<double>::quiet_NaN();       ///< W2^2 / 2 of the scored cells
    double normalised = std::numeric_limits<double>::quiet_NaN();  ///< value / exact, NaN if that is 0
    double gap = std::numeric_limits<double>::quiet_NaN();         ///< see nn::ConjugateValues::max_gap
    bool is_certified = false;                                     ///< gap <= certified_gap
    double energy = std::numeric_limits<double>::quiet_NaN();  ///< energy distance of mapped and target cells
    double w2 = std::numeric_limits<double>::quiet_NaN();      ///< W2 of mapped and target cells
    std::size_t n = 0;                                         ///< number of scored source cells
    std::size_t m = 0;
    double seconds = 0;     ///< duration of the prediction and the fine-tuning
    std::string message{};  ///< why there are no scores, empty if there are
};

/// Scores maps between populations. A work item is a problem.
class MapTask : public Task {
  public:
    /// Reads the cells of all problems. The arguments must outlive the task.
    MapTask(const screen::Screen& screen, const std::vector<predict::MapProblem>& problems,
            const predict::PotentialModel& model, const MapEvaluationOptions& options);

    std::span<const std::size_t> items() const override { return items_; }
    std::size_t cost(std::size_t item) const override;
    /// Scores the problems in parallel, a single one with all threads.
    std::vector<TaskRecord> run(std::span<const std::size_t> items) override;

  private:
    std::vector<MapRow> score(std::size_t problem) const;

    const std::vector<predict::MapProblem>& problems_;
    const predict::PotentialModel& model_;
    const MapEvaluationOptions& options_;
    std::vector<linalg::Matrix<float>> cells_;  // cells of the populations that problems use, else empty
    std::vector<std::size_t> items_;
};

/// Returns the rows of all records, in the order of the problems.
std::vector<MapRow> map_rows(const std::vector<TaskRecord>& records);

}  // namespace popflow::eval
