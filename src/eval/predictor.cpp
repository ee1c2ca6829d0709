// SPDX-License-Identifier: MIT
#include "eval/predictor.hpp"

#include <algorithm>
#include <array>

namespace popflow::eval {

namespace {

constexpr std::array table{
    Predictor{"model", "", PredictionKind::transport},
    Predictor{"identity", "unchanged control cells", PredictionKind::translate},
    Predictor{"mean_shift", "control cells plus the mean shift of their treatment in the training data",
              PredictionKind::translate, Shift::training_mean},
    Predictor{"moment_map",
              "control cells, moved and scaled by a kernel ridge regression on the means of the control "
              "populations in the training data",
              PredictionKind::moments},
    Predictor{"oracle_shift", "control cells, shifted to the mean of the treated cells",
              PredictionKind::translate, Shift::target_mean, true},
    Predictor{
        "noise_floor",
        "one half of the treated cells, compared with the other half. If all cells are scored, it compares "
        "half as many cells as the other rows, which makes it larger",
        PredictionKind::target_half, Shift::none, true},
    Predictor{
        "noise_floor_matched",
        "two disjoint samples of the treated cells, each with as many cells as that side of the model's "
        "comparison. Missing where the treated cells are too few",
        PredictionKind::target_sample, Shift::none, true},
};

}  // namespace

std::span<const Predictor> predictors() {
    return table;
}

std::size_t predictor_index(std::string_view name) {
    return static_cast<std::size_t>(std::ranges::find(table, name, &Predictor::name) - table.begin());
}

const Predictor* find_predictor(std::string_view name) {
    const std::size_t at = predictor_index(name);
    return at == table.size() ? nullptr : &table[at];
}

}  // namespace popflow::eval
