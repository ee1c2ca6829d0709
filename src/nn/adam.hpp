// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::nn {

/// Constants of Adam and of the running mean of the weights.
struct AdamOptions {
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
    double ema_decay = 0.999;  ///< 0: the mean is the weights themselves
};

/// First and second moments and the exponential moving average of the weights, all of the layout of the
/// weights.
struct AdamState {
    linalg::AlignedVector<float> first;
    linalg::AlignedVector<float> second;
    linalg::AlignedVector<float> average;
    std::uint64_t step = 0;  ///< updates made, of whatever part

    /// Moments zero, average equal to the weights.
    static AdamState start(std::span<const float> values);
};

/// Whose turn it is to be updated: a part of the parameters, and how often it was before.
struct UpdatePhase {
    std::size_t part = 0;   ///< of those that a model updates by turns
    std::size_t first = 0;  ///< element of the flat buffer
    std::size_t count = 0;
    std::uint64_t updates = 0;  ///< of this part, before this one
};

/// Elements that the sums of squares of a gradient take together.
inline constexpr std::size_t norm_block = 1U << 14U;

/// sums[k] = sum of the squares of the elements of block k, in double, of those in [first, last) alone.
///
/// Blocks lie at multiples of norm_block whatever the range, and each is summed in a fixed order, so that the
/// sum over all blocks has the same bits for any number of threads, or of ranks that have whole blocks each.
/// @param sums  one for each block of the gradient; zero where no element is in the range
void block_squares(std::span<const float> gradient, std::size_t first, std::size_t last,
                   std::span<double> sums);

/// One update of all parameters, and of their average, in one sweep; update s = state.step + 1.
///
/// m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, w -= rate (m / (1 - b1^s)) / (sqrt(v / (1 - b2^s)) +
/// epsilon), average = c average + (1 - c) w with c = min(ema_decay, (1 + s) / (10 + s)) at update s.
///
/// @param scale  multiplies the gradient (gradient clipping)
/// Source: Kingma and Ba, "Adam", ICLR 2015, algorithm 1.
void adam_step(const AdamOptions& options, double rate, float scale, std::span<const float> gradient,
               std::span<float> values, AdamState& state);

/// The same of one part of the parameters, at its own update s = turn.updates + 1; state.step counts it too.
void adam_step(const AdamOptions& options, double rate, float scale, const UpdatePhase& phase,
               std::span<const float> gradient, std::span<float> values, AdamState& state);

}  // namespace popflow::nn
