// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>

namespace popflow::nn {

/// Told by a backward pass, from the thread that runs it: the elements of the flat gradient from `first` on
/// will not change any more. Layers end from the last to the first, so `first` falls.
using GradientSink = std::function<void(std::size_t first)>;

}  // namespace popflow::nn
