// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::report {

/// Returns the order of the leaves of an average-linkage hierarchical clustering (UPGMA).
///
/// The distance of two clusters is the mean distance of their members. Every cluster of the tree is a
/// contiguous part of the order. Where two clusters meet, the ends that are closest are neighbours.
///
/// Deterministic: among equal distances the lowest indices count. Of both directions of the order, the one
/// that begins with the lower index is returned.
/// Source: Sokal and Michener, University of Kansas Science Bulletin 38, 1958.
/// @param distances  symmetric, [n, n]. Values that are not finite are excluded from the means. Clusters
/// without a finite distance are merged last
/// @return permutation of 0, ..., n - 1
std::vector<std::size_t> average_linkage_order(linalg::ConstMatrixView<double> distances);

}  // namespace popflow::report
