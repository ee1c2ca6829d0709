// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "screen/normalisation.hpp"
#include "screen/screen.hpp"

namespace popflow::predict {

/// The scale of predicted cells.
enum class Space {
    raw,          ///< of the data file
    transformed,  ///< of the transform, as arcsinh(x / 5)
    normalised,   ///< of the model
};

/// What --space may say. `arcsinh` is another name of `transformed` where the transform is an arcsinh.
const std::vector<std::string>& space_names();
/// @throws core::ConfigError
Space parse_space(const std::string& name, const screen::Transform& transform);
/// `raw`, `arcsinh` (or `transformed` for another transform), `normalised`.
std::string space_name(Space space, const screen::Transform& transform);

/// Takes normalised cells into a space: x = scale z + mean, and for `raw` the inverse of the transform
/// (c sinh x, exp(x) - 1), which is exact: a cell that the model moved below zero has a negative raw value.
///
/// Shapes: x [n, d], in place.
void to_space(Space space, const screen::Normalisation& normalisation, const screen::Transform& transform,
              linalg::MatrixView<float> x);

}  // namespace popflow::predict
