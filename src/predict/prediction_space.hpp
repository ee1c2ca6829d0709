// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "screen/normalisation.hpp"
#include "screen/screen.hpp"

namespace popflow::predict {

/// Scale of predicted cells.
enum class Space {
    raw,          ///< values of the data file, times the size factors of their cells
    transformed,  ///< values after the transform, for example arcsinh(x / 5)
    normalised,   ///< transformed values with the normalisation of the model
};

/// Values of the option --space. `arcsinh` is a synonym of `transformed` if the transform is an arcsinh.
const std::vector<std::string>& space_names();
/// Parses a value of the option --space.
/// @throws core::ConfigError for an unknown name, and for `arcsinh` with another transform
Space parse_space(const std::string& name, const screen::Transform& transform);
/// Returns `raw`, `arcsinh` (`transformed` for another transform) or `normalised`.
std::string space_name(Space space, const screen::Transform& transform);

/// Converts normalised cells to a space.
///
/// x = scale z + mean. For `raw` the inverse of the transform follows (c sinh x, exp(x) - 1). The inverse is
/// exact: a cell that the model moved below zero has a negative raw value.
///
/// Size factors are not undone. With them, raw values are counts of cells whose total is SizeFactor::target.
/// The model does not predict the depth of a treated cell, and a depth of the control cell would be an
/// invention.
///
/// Shapes: x [n, d], in place.
void to_space(Space space, const screen::Normalisation& normalisation, const screen::Transform& transform,
              linalg::MatrixView<float> x);

}  // namespace popflow::predict
