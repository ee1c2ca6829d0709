// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>

namespace popflow::nn {

/// Gradient-ready callback. A backward pass calls it, on its own thread, whenever more of the flat gradient
/// is final: all elements at or above `first`. The layers finish from last to first, so `first` decreases.
using GradientSink = std::function<void(std::size_t first)>;

}  // namespace popflow::nn
