// SPDX-License-Identifier: MIT
#include "models/moment_change.hpp"

#include <cmath>

#include "core/error.hpp"

namespace popflow::models {

void apply_change(const MomentChange& change, std::span<const float> means, linalg::MatrixView<float> x) {
    core::check_shape("moment_change", change.shift.size(), means.size(), x.cols, x.cols);
    std::vector<float> shift(x.cols);
    std::vector<float> growth(x.cols);  // exp(log ratio) - 1, exactly 0 without a change of the spread
    for (std::size_t j = 0; j < x.cols; ++j) {
        shift[j] = static_cast<float>(change.shift[j]);
        growth[j] = static_cast<float>(std::expm1(change.log_ratio[j]));
        if (!std::isfinite(shift[j]) || !std::isfinite(growth[j]))
            throw core::NumericalError("moment map",
                                       "the predicted moments are not finite. The population is "
                                       "far from the training data: use --moment-kernel rbf");
    }
#pragma omp parallel for
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.cols; ++j) x(i, j) += growth[j] * (x(i, j) - means[j]) + shift[j];
    }
}

}  // namespace popflow::models
