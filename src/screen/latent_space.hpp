// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"
#include "screen/population.hpp"

namespace popflow::screen {

/// Principal components of the normalised training cells, in whose coordinates a model works.
///
/// A cell x, normalised, has the coordinates z = V (x - mean) / scale. The map back, x = mean + scale V' z,
/// is the projection of the cell onto the components. What lies outside them is lost.
///
/// The components are not whitened: one scale for all of them keeps their spread relative to each other.
/// N components, d markers.
struct LatentSpace {
    std::vector<float> mean{};             ///< [d] mean of the training cells, normalised
    linalg::Matrix<float> components{};    ///< V [N, d], orthonormal rows by descending variance
    float scale = 1;                       ///< mean standard deviation of the unscaled coordinates, or 1
    std::vector<double> variance_share{};  ///< [N] share of each component in the variance of the cells

    bool is_empty() const { return components.rows() == 0; }
    /// Returns this space, nullptr if it is empty.
    const LatentSpace* if_used() const { return is_empty() ? nullptr : this; }
    /// Number of components N.
    std::size_t size() const { return components.rows(); }
    /// Share of all components together in the variance of the training cells.
    double total_share() const;
    /// Returns `component 1`, `component 2` and so on.
    std::vector<std::string> names() const;

    /// Returns coordinates before the scale, V (x - mean).
    ///
    /// Shapes: x [n, d], result [n, N].
    /// @throws core::ShapeMismatch
    linalg::Matrix<float> project(linalg::ConstMatrixView<float> x) const;
    /// Returns the coordinates of normalised cells. Shapes: x [n, d], result [n, N].
    linalg::Matrix<float> encode(linalg::ConstMatrixView<float> x) const;
    /// Returns normalised cells. Shapes: z [n, N], result [n, d].
    linalg::Matrix<float> decode(linalg::ConstMatrixView<float> z) const;
    /// Multiplies coordinates by the scale, in place: cells of project() instead of encode().
    void unscale(linalg::MatrixView<float> z) const;
};

/// Returns normalised cells in the coordinates of a latent space, with the same types. Without a latent space
/// (nullptr) returns the cells themselves.
Cells encoded(const LatentSpace* latent, Cells cells);

}  // namespace popflow::screen
