// SPDX-License-Identifier: MIT
#pragma once

#include <hdf5.h>

#include <string>

#include "fuzz/mutations.hpp"

namespace popflow::fuzz {

/// Creates an object that a reader does not expect.
///
/// @param rows    number of rows of the object that it replaces
/// @param victim  another file, which the storage of the object may refer to
/// @return description of the object
std::string make_odd_object(hid_t file, const std::string& name, hsize_t rows, const std::string& victim,
                            Draws& draws);

/// Creates an attribute of an unexpected type or shape.
///
/// @return description of the attribute
std::string make_odd_attribute(hid_t object, const std::string& name, Draws& draws);

}  // namespace popflow::fuzz
