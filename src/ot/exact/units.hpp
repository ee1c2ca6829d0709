// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace popflow::ot {

/// Supplies and demands of a transport problem as integers with equal sums.
struct Units {
    std::vector<std::int64_t> supply;  ///< [n], all > 0
    std::vector<std::int64_t> demand;  ///< [m], all > 0
    double mass = 0;                   ///< mass of one unit
    bool is_assignment = false;        ///< one unit per row and column
};

/// Checks the weights of one side and returns their sum.
///
/// @param name  `a` or `b`, for messages
/// @throws core::ShapeMismatch if there are not `count` weights
/// @throws core::NumericalError if a weight is negative or not finite, or the sum is not positive and finite
double checked_total(std::span<const double> weights, std::size_t count, const char* name);

/// Rounds weights to integers in units of 2^-bits of the total.
///
/// Uniform weights, an empty a and b, are exact. Weights that round to zero become one unit, because every
/// column needs an arc in the spanning tree of the network simplex. The largest weight absorbs the rounding
/// errors.
///
/// Shapes:  a [n] and b [m], each may be empty for uniform weights with sum 1.
/// @throws core::ShapeMismatch, core::NumericalError as checked_total(), or if the totals differ by more than
///         a relative 1e-6
Units make_units(std::size_t n, std::size_t m, std::span<const double> a, std::span<const double> b,
                 int bits);

}  // namespace popflow::ot
