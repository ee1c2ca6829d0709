// SPDX-License-Identifier: MIT
#include "ot/anderson.hpp"

#include <Eigen/Cholesky>

#include <algorithm>
#include <cmath>

#include "ot/gibbs_rows.hpp"

namespace popflow::ot {

AndersonAcceleration::AndersonAcceleration(std::size_t memory, std::span<const double> weights)
    : memory_(memory),
      weights_(weights),
      last_image_(weights.size()),
      last_residual_(weights.size()),
      root_weights_(weights.size()),
      residual_(weights.size()),
      image_differences_((memory - 1) * weights.size()),
      residual_differences_((memory - 1) * weights.size()),
      gram_((memory - 1) * (memory - 1)) {
    std::ranges::transform(weights, root_weights_.begin(), [](double w) { return std::sqrt(w); });
}

void AndersonAcceleration::restart() {
    differences_ = 0;
    has_last_ = false;
}

void AndersonAcceleration::advance(std::span<const double> g, std::span<const double> image,
                                   std::span<double> next) {
    const std::size_t m = weights_.size();
    const std::size_t capacity = memory_ - 1;
    double shift = 0;
    for (std::size_t j = 0; j < m; ++j) shift += weights_[j] * (image[j] - g[j]);
    for (std::size_t j = 0; j < m; ++j) residual_[j] = root_weights_[j] * (image[j] - g[j] - shift);
    if (has_last_) {
        newest_ = differences_ == 0 ? 0 : (newest_ + 1) % capacity;
        differences_ = std::min(differences_ + 1, capacity);
        double* image_difference = &image_differences_[newest_ * m];
        double* residual_difference = &residual_differences_[newest_ * m];
        for (std::size_t j = 0; j < m; ++j) {
            image_difference[j] = image[j] - last_image_[j];
            residual_difference[j] = residual_[j] - last_residual_[j];
        }
        // Only the products with the newest difference are new.
        for (std::size_t k = 0; k < differences_; ++k) {
            gram_[newest_ * capacity + k] = gram_[k * capacity + newest_] =
                dot_row(residual_difference, &residual_differences_[k * m], m);
        }
    }
    std::ranges::copy(image, last_image_.begin());
    std::ranges::copy(residual_, last_residual_.begin());
    has_last_ = true;
    std::ranges::copy(last_image_, next.begin());
    if (differences_ == 0) return;

    const auto size = static_cast<Eigen::Index>(differences_);
    Eigen::MatrixXd normal(size, size);
    Eigen::VectorXd right(size);
    for (Eigen::Index k = 0; k < size; ++k) {
        for (Eigen::Index l = 0; l < size; ++l)
            normal(k, l) = gram_[static_cast<std::size_t>(k) * capacity + static_cast<std::size_t>(l)];
        right(k) = dot_row(&residual_differences_[static_cast<std::size_t>(k) * m], residual_.data(), m);
    }
    // Keeps the system solvable when differences are nearly parallel.
    normal.diagonal().array() += 1e-10 * normal.trace() + 1e-300;
    const Eigen::VectorXd coefficients = normal.llt().solve(right);
    if (!coefficients.allFinite()) return;
    for (Eigen::Index k = 0; k < size; ++k)
        add_row(-coefficients(k), &image_differences_[static_cast<std::size_t>(k) * m], m, next.data());
}

}  // namespace popflow::ot
