// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::nn {

/// Hyperparameters of Adam and of the exponential moving average (EMA) of the weights.
struct AdamOptions {
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
    double ema_decay = 0.999;  ///< 0: the average equals the weights
};

/// State of the optimiser: first and second moments and the moving average, all in the layout of the weights.
struct AdamState {
    linalg::AlignedVector<float> first;
    linalg::AlignedVector<float> second;
    linalg::AlignedVector<float> average;
    std::uint64_t step = 0;  ///< number of updates so far, of any part of the parameters

    /// Returns the initial state: moments zero, average equal to the weights.
    static AdamState start(std::span<const float> values);
};

/// Parameter range that a step updates, and the number of updates that it has had. Models whose parts are
/// updated alternately have one range for each part.
struct UpdatePhase {
    std::size_t part = 0;       ///< index of the part
    std::size_t first = 0;      ///< offset of the range in the flat buffer, in elements
    std::size_t count = 0;      ///< number of elements of the range
    std::uint64_t updates = 0;  ///< number of earlier updates of this part
};

/// Number of gradient elements whose squares are summed in one block.
inline constexpr std::size_t norm_block = 1U << 14U;

/// Computes the squared norm of each block of a gradient, in double. Only elements in [first, last) count.
///
/// Blocks start at multiples of norm_block, whatever the range, and each is summed in a fixed order. Hence
/// the sum over all blocks is deterministic for any number of threads, and for any number of ranks that hold
/// whole blocks.
/// @param sums  overwritten, one element for each block; zero if the block has no element in the range
/// @throws ShapeMismatch if the number of sums is not that of the blocks
void block_squares(std::span<const float> gradient, std::size_t first, std::size_t last,
                   std::span<double> sums);

/// Updates all parameters and their average in one pass. This is update s = state.step + 1:
///
///     m = b1 m + (1 - b1) g
///     v = b2 v + (1 - b2) g^2
///     w = w - rate (m / (1 - b1^s)) / (sqrt(v / (1 - b2^s)) + epsilon)
///     average = c average + (1 - c) w,  c = min(ema_decay, (1 + s) / (10 + s))
///
/// Source:  Kingma and Ba, "Adam", ICLR 2015, algorithm 1.
/// @param rate  learning rate
/// @param scale  factor of the gradient g, for gradient clipping
/// @throws ShapeMismatch
void adam_step(const AdamOptions& options, double rate, float scale, std::span<const float> gradient,
               std::span<float> values, AdamState& state);

/// Updates the parameter range of `phase` only, with s = phase.updates + 1. Increments state.step as well.
void adam_step(const AdamOptions& options, double rate, float scale, const UpdatePhase& phase,
               std::span<const float> gradient, std::span<float> values, AdamState& state);

}  // namespace popflow::nn
