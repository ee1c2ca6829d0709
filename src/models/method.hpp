// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "models/flow_matching.hpp"

namespace popflow::models {

/// Training method: flow matching with one of three contexts (fm, cgfm, mfm) or neural optimal transport.
enum class Method { fm, cgfm, mfm, icnn };

/// Returns the names of the methods in the order of the enumeration: fm cgfm mfm icnn.
const std::vector<std::string>& method_names();
/// Returns the name of one method.
const char* method_name(Method method);

/// Returns the context of the velocity network, Context::none for icnn.
Context context_of(Method method);

}  // namespace popflow::models
