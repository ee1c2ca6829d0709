// SPDX-License-Identifier: MIT
#include "simulate/dirichlet.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace popflow::simulate {

double draw_log_gamma(core::Stream& stream, double shape) {
    // 1 - U is in (0, 1], so its logarithm is finite.
    if (shape < 1) return draw_log_gamma(stream, shape + 1) + std::log(1 - stream.uniform()) / shape;
    const double d = shape - 1.0 / 3;
    const double c = 1 / std::sqrt(9 * d);
    for (;;) {
        const double x = stream.normal();
        const double u = 1 - stream.uniform();
        const double root = 1 + c * x;
        if (root <= 0) continue;
        const double log_v = 3 * std::log(root);
        if (std::log(u) < x * x / 2 + d * (1 - std::exp(log_v) + log_v)) return std::log(d) + log_v;
    }
}

std::vector<double> draw_dirichlet(core::Stream& stream, std::span<const double> a) {
    std::vector<double> weights;
    for (const double shape : a) weights.push_back(draw_log_gamma(stream, shape));
    const double largest = *std::ranges::max_element(weights);
    for (double& weight : weights) weight = std::exp(weight - largest);
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    for (double& weight : weights) weight /= sum;
    return weights;
}

}  // namespace popflow::simulate
