// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace popflow::ot {

/// Anderson acceleration of a fixed-point iteration g <- T(g).
///
/// The next iterate is T(g) minus the combination of the last differences of images that minimises the
/// weighted norm of the residual T(g) - g. A constant shift of all elements of g does not count as a
/// residual.
///
/// Shapes:  g, image, next, weights [m].
/// Source:  Walker and Ni, "Anderson acceleration for fixed-point iterations", SIAM J. Numer. Anal. 49, 2011.
class AndersonAcceleration {
  public:
    /// @param memory  number of residuals that are combined, 2 or more
    /// @param weights  weights of the residuals' squares, >= 0, with sum 1. Must outlive the object
    AndersonAcceleration(std::size_t memory, std::span<const double> weights);

    /// Computes the next iterate from g and image = T(g). `next` may be the same array as `g`.
    void advance(std::span<const double> g, std::span<const double> image, std::span<double> next);
    /// Forgets all earlier iterates.
    void restart();

  private:
    std::size_t memory_;
    std::span<const double> weights_;
    std::size_t differences_ = 0;  ///< number of valid differences
    std::size_t newest_ = 0;       ///< position of the newest difference
    bool has_last_ = false;
    std::vector<double> last_image_;
    std::vector<double> last_residual_;  ///< scaled by the square roots of the weights, like those below
    std::vector<double> root_weights_;
    std::vector<double> residual_;
    std::vector<double> image_differences_;     ///< [memory - 1, m]
    std::vector<double> residual_differences_;  ///< [memory - 1, m]
    std::vector<double> gram_;                  ///< [memory - 1, memory - 1]
};

}  // namespace popflow::ot
