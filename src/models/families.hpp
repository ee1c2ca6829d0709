// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "models/family.hpp"

namespace popflow::models {

/// All methods, in the order of the help and of reports. This is the registry: a method is one line of its
/// definition.
std::span<const Family* const> families();

}  // namespace popflow::models
