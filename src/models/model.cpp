// SPDX-License-Identifier: MIT
#include "models/model.hpp"

#include <algorithm>

namespace popflow::models {

ode::Statistics CellTransport::trajectory(std::span<const float> values, std::span<const float> context,
                                          std::span<const float> condition, const ode::Options& options,
                                          linalg::MatrixView<float> x,
                                          const ode::Snapshots<float>& snapshots) const {
    for (const linalg::MatrixView<float>& at : snapshots.x) {
        core::check_shape("trajectory.snapshot", at.rows, at.cols, x.rows, x.cols);
        for (std::size_t i = 0; i < x.rows; ++i) std::ranges::copy(x.row_span(i), at.row(i));
    }
    const ode::Statistics statistics = transport(values, context, condition, options, x);
    for (std::size_t s = 0; s < snapshots.x.size(); ++s) {
        const auto t = static_cast<float>(snapshots.times[s]);
        for (std::size_t i = 0; i < x.rows; ++i) {
            for (std::size_t j = 0; j < x.cols; ++j) {
                float& at = snapshots.x[s](i, j);
                at = (1 - t) * at + t * x(i, j);
            }
        }
    }
    return statistics;
}

}  // namespace popflow::models
