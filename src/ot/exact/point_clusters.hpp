// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::ot {

/// Points in clusters, few or many: all of them are halved at the median of the marker that varies most, the
/// halves likewise, down to `finest` clusters. Those of a level differ by at most one point.
///
/// Ties go by index, so that the clusters depend on nothing else than the points.
class PointClusters {
  public:
    /// @param x       [n, d], finite; must outlive the clusters
    /// @param finest  a power of two, at most n
    PointClusters(linalg::ConstMatrixView<float> x, std::size_t finest);

    /// Means of the points of each cluster, [count, d]; `count` is a power of two, at most `finest`.
    linalg::Matrix<float> centres(std::size_t count) const;
    /// Weight of each cluster, [count], the sum of those of its points; empty weights count each as one.
    std::vector<double> weights(std::size_t count, std::span<const double> of_points) const;

  private:
    // Where a cluster of a level begins in order_.
    std::size_t begin(std::size_t cluster, std::size_t count) const { return x_.rows * cluster / count; }
    void halve(std::size_t cluster, std::size_t count, std::size_t finest);
    std::size_t widest_marker(std::size_t first, std::size_t last) const;

    linalg::ConstMatrixView<float> x_;
    std::vector<std::uint32_t> order_;  // the points, cluster by cluster
};

}  // namespace popflow::ot
