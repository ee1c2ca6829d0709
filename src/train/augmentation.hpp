// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "linalg/matrix.hpp"
#include "models/flow_matching.hpp"

namespace popflow::train {

struct Lane;
struct TrainingPair;

/// What turns each pair into many: symmetries that are known to hold, and populations made of those there
/// are. Done to the cells of a slot after they are drawn.
struct Augmentation {
    /// Control and treated cells turn by one uniform angle about the origin; two markers.
    bool rotate = false;
    /// With probability 1/2 their first coordinate changes its sign, in control and treated cells; two
    /// markers.
    bool reflect = false;
    /// With probability 1/2 the slot's populations are unions of those of two pairs of its lane with the same
    /// condition; each gives the same uniform share of the control and of the treated cells.
    bool mix = false;
    /// The treated cells are scaled by two random factors, exp(0.2 N(0, 1)) each, along two random
    /// perpendicular axes, and each control cell moves with the treated cell of its row, so that
    /// displacements stay; two markers, rows that correspond.
    bool stretch = false;
    /// With probability 1/2 the slot draws from the pair's rows whose treated cell lies on one side of a
    /// random line and from those of another pair, of its lane and with the same condition, that lie on the
    /// other; two markers, rows that correspond.
    bool splice = false;

    /// Reads `none` or names joined by commas. @throws core::ConfigError
    static Augmentation parse(const std::string& text);
    std::string text() const;
    bool planar() const { return rotate || reflect || stretch || splice; }
    bool needs_rows() const { return stretch || splice; }
    bool any() const { return rotate || reflect || mix || stretch || splice; }
};

/// The cells that a slot has drawn from its pair.
struct DrawnCells {
    linalg::Matrix<float>& control;  ///< [n, d]: the encoder's input, and the base unless that is noise
    std::vector<std::uint8_t>& control_type;
    linalg::Matrix<float>& treated;  ///< [n, d]
};

/// Applies what `which` asks for; the number of cells stays.
///
/// The encoder sees the same cells as the flow, so all that is conditioned on turns with what is learned.
///
/// @param stream  of the slot: results depend on nothing else that is random
/// @param rows_correspond  row i of the treated cells is the partner of row i of the control, and stays so;
///                         otherwise the treated cells of a union are put in a random order
void augment(const Augmentation& which, core::Stream stream, const Lane& lane, const TrainingPair& pair,
             bool rows_correspond, DrawnCells cells);

/// @throws core::ConfigError if the markers, the correspondence of rows or the context (made populations have
/// no
///         index) are not such as `which` needs
void check_augmentation(const Augmentation& which, std::size_t markers, bool rows_correspond,
                        models::Context context);

}  // namespace popflow::train
