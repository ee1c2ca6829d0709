// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "models/flow_matching.hpp"

namespace popflow::models {

/// What is learnt: flow matching by what the velocity knows of the population, or neural optimal transport.
enum class Method { fm, cgfm, mfm, icnn };

/// Names by number: fm cgfm mfm icnn.
const std::vector<std::string>& method_names();
const char* method_name(Method method);

/// Context of the velocity; none for a method without one.
Context context_of(Method method);

}  // namespace popflow::models
