// SPDX-License-Identifier: MIT
#include "metrics/sinkhorn_divergence.hpp"

#include <algorithm>

#include "ot/sinkhorn.hpp"

namespace popflow::metrics {

using linalg::ConstMatrixView;

namespace {

constexpr std::size_t max_sweeps = 20000;
// Largest change of the column marginals at which the iteration stops. The error of the value is quadratic
// in the error of the potentials.
constexpr double tolerance = 1e-4;

// Returns OT(x, y). epsilon and rho are in units of the cost.
double value(const ot::Cost& cost, double epsilon, double rho) {
    const double mean = cost.mean() * cost.unit();
    if (!(mean > 0)) return 0;  // all cells coincide, so every plan has cost 0
    const ot::SinkhornOptions options{.epsilon = epsilon / mean,
                                      .sweeps = max_sweeps,
                                      .tolerance = tolerance,
                                      .rho_rows = rho / mean,
                                      .rho_cols = rho / mean,
                                      .values = true};
    return ot::sinkhorn(cost, {}, {}, options).value;
}

double value(ConstMatrixView<float> x, ConstMatrixView<float> y, double epsilon, double rho) {
    return value(ot::Cost(ot::CostKind::squared_euclidean, x, y), epsilon, rho);
}

}  // namespace

double sinkhorn_divergence(ConstMatrixView<float> x, ConstMatrixView<float> y,
                           const SinkhornDivergenceOptions& options) {
    double epsilon = 0;
    double rho = 0;
    double between = 0;
    {
        const ot::Cost cost(ot::CostKind::squared_euclidean, x, y);
        const double mean = cost.mean() * cost.unit();
        if (!(mean > 0)) return 0;
        epsilon = options.epsilon * mean;
        rho = options.rho * mean;
        between = value(cost, epsilon, rho);
    }
    return between - value(x, x, epsilon, rho) / 2 - value(y, y, epsilon, rho) / 2;
}

}  // namespace popflow::metrics
