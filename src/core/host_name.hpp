// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace popflow::core {

/// Returns the host name that gethostname(2) reports.
std::string host_name();

}  // namespace popflow::core
