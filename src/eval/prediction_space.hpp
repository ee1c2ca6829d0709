// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "data/normalisation.hpp"
#include "data/screen.hpp"

namespace popflow::eval {

/// The scale of predicted cells.
enum class Space {
    raw,          ///< of the data file
    transformed,  ///< of the transform, as arcsinh(x / 5)
    normalised,   ///< of the model
};

/// What --space may say. `arcsinh` is another name of `transformed` where the transform is an arcsinh.
const std::vector<std::string>& space_names();
/// @throws core::ConfigError
Space parse_space(const std::string& name, const data::Transform& transform);
/// `raw`, `arcsinh` (or `transformed` for another transform), `normalised`.
std::string space_name(Space space, const data::Transform& transform);

/// Takes normalised cells into a space: x = scale z + mean, and for `raw` the inverse of the transform
/// (c sinh x, exp(x) - 1), which is exact: a cell that the model moved below zero has a negative raw value.
///
/// Shapes: x [n, d], in place.
void to_space(Space space, const data::Normalisation& normalisation, const data::Transform& transform,
              linalg::MatrixView<float> x);

}  // namespace popflow::eval
