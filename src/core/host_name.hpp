// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace popflow::core {

/// What gethostname(2) says.
std::string host_name();

}  // namespace popflow::core
