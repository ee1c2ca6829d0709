// SPDX-License-Identifier: MIT
#pragma once

#include "models/fixed_encoder.hpp"

namespace popflow::models {

/// Encoder whose context is the first N components of a kernel principal component analysis of the training
/// populations, scaled to variance 1 over them, see linalg::kernel_components().
///
/// The features of a population are [mean | share of each cell type], standardised. Their kernel is
/// exp(-|x - y|^2 / w), where w is the median of the positive squared distances between two training
/// populations. Far from all of them the kernel is 0 and the context becomes constant, so it is bounded.
/// There are fewer than N components if the kernel matrix has a smaller rank, in particular with N or fewer
/// training populations.
///
/// Constants: `centre` and `scale` [1, p], `points` [n, p] with the standardised features of the training
/// populations, `width` [1, 1] with w, `weights` [n, size()] and `offset` [1, size()].
const FixedEncoderKind* kernel_pca_encoder();

}  // namespace popflow::models
