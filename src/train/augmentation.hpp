// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "linalg/matrix.hpp"

namespace popflow::train {

struct PairLane;
struct TrainingPair;

/// Data augmentation of the cells of a slot, after they are drawn.
///
/// Some augmentations apply known symmetries. Others make new populations from the existing ones.
struct Augmentation {
    /// Rotates control and treated cells by the same uniform angle about the origin. Needs two markers.
    bool rotate = false;
    /// With probability 1/2, changes the sign of the first coordinate of control and treated cells. Needs two
    /// markers.
    bool reflect = false;
    /// With probability 1/2, makes the populations of the slot unions of those of two pairs. The second pair
    /// belongs to the same lane and has the same condition. Its share of the cells is uniform, and the same
    /// for control and treated cells.
    bool mix = false;
    /// Scales the treated cells along two random perpendicular axes, by a random factor exp(0.2 N(0, 1)) for
    /// each axis. Each control cell moves with the treated cell of its row, so displacements do not change.
    /// Needs two markers and corresponding rows.
    bool stretch = false;
    /// With probability 1/2, splices two pairs along a random line. Draws rows of the pair whose treated cell
    /// lies on one side of the line, and rows of a second pair whose treated cell lies on the other side. The
    /// second pair belongs to the same lane and has the same condition. Needs two markers and corresponding
    /// rows.
    bool splice = false;

    /// Parses `none` or names joined by commas. @throws core::ConfigError
    static Augmentation parse(const std::string& text);
    /// Returns the text that parse() reads.
    std::string text() const;
    bool needs_two_markers() const { return rotate || reflect || stretch || splice; }
    bool needs_corresponding_rows() const { return stretch || splice; }
    bool any() const { return rotate || reflect || mix || stretch || splice; }
};

/// Cells that a slot has drawn from its pair.
struct DrawnCells {
    linalg::Matrix<float>& control;  ///< [n, d] input of the encoder, and the base unless the base is noise
    std::vector<std::uint8_t>& control_type;
    linalg::Matrix<float>& treated;  ///< [n, d]
};

/// Applies the selected augmentations in place. The number of cells does not change.
///
/// Encoder and flow see the same augmented cells, so the context transforms with the learned displacements.
///
/// @param which  augmentations to apply
/// @param stream  random stream of the slot, the only source of randomness
/// @param lane  lane of the slot, from which `mix` and `splice` choose a second pair
/// @param pair  pair from which the cells were drawn
/// @param rows_correspond  whether row i of the treated cells is the partner of row i of the control cells.
///                         If true, this stays so. If false, `mix` shuffles the treated cells.
/// @param cells  cells to change
void augment(const Augmentation& which, core::Stream stream, const PairLane& lane, const TrainingPair& pair,
             bool rows_correspond, DrawnCells cells);

/// Checks that the data and the method allow the selected augmentations.
///
/// @throws core::ConfigError if `which` needs two markers or corresponding rows that the data do not have, or
///         if `mix` or `splice` meet a method that indexes pairs: their populations have no index.
/// @param indexing_method  name of the method if it indexes pairs (models::Family::indexes_pairs()), else
/// empty
void check_augmentation(const Augmentation& which, std::size_t markers, bool rows_correspond,
                        const std::string& indexing_method);

}  // namespace popflow::train
