// SPDX-License-Identifier: MIT
#pragma once

#include <hdf5.h>

#include <string>

#include "fuzz/mutations.hpp"

namespace popflow::fuzz {

/// Makes an object that a reader will not expect. @return what it is
std::string make_odd_object(hid_t file, const std::string& name, hsize_t rows, const std::string& victim,
                            Draws& draws);

/// Makes an attribute of an odd type or shape. @return what it is
std::string make_odd_attribute(hid_t object, const std::string& name, Draws& draws);

}  // namespace popflow::fuzz
