// SPDX-License-Identifier: MIT
#pragma once

#include "models/fixed_encoder.hpp"

namespace popflow::models {

/// Encoder whose context is [mean | log standard deviation | share of each cell type], standardised.
///
/// The log standard deviation of a marker is log(s + e) with the standard deviation s (divisor n). e is 0.05
/// times the mean s of the training populations, so that a constant marker has a finite value. Each feature
/// has mean 0 and standard deviation 1 over the training populations. One that is constant there is 0 for
/// every population. The context is not bounded: it grows with the distance of a population to the training
/// populations.
///
/// Constants: `centre` and `scale` [1, size()], `offset` [1, 1] with e.
const FixedEncoderKind* moments_encoder();

}  // namespace popflow::models
