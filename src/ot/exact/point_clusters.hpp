// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::ot {

/// Hierarchical clusters of points. Level by level, each cluster is halved at the median of the marker with
/// the largest variance, down to `finest` clusters.
///
/// The sizes of the clusters of a level differ by at most one point. Deterministic: ties are broken by index.
class PointClusters {
  public:
    /// @param x       [n, d], finite, must outlive this object
    /// @param finest  a power of two, at most n
    PointClusters(linalg::ConstMatrixView<float> x, std::size_t finest);

    /// Returns the mean of the points of each cluster, [count, d].
    ///
    /// @param count  number of clusters of the level, a power of two, at most `finest`
    linalg::Matrix<float> centres(std::size_t count) const;
    /// Returns the weight of each cluster, [count]: the sum of the weights of its points.
    ///
    /// @param point_weights  [n], or empty for weight 1 each
    std::vector<double> weights(std::size_t count, std::span<const double> point_weights) const;

  private:
    // Returns the index in order_ of the first point of a cluster, on the level of `count` clusters.
    std::size_t begin(std::size_t cluster, std::size_t count) const { return x_.rows * cluster / count; }
    void halve(std::size_t cluster, std::size_t count, std::size_t finest);
    std::size_t widest_marker(std::size_t first, std::size_t last) const;

    linalg::ConstMatrixView<float> x_;
    std::vector<std::uint32_t> order_;  // indices of the points, sorted by cluster
};

}  // namespace popflow::ot
