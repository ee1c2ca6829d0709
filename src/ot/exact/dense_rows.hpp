// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace popflow::ot {

// Loops over one row of a dense cost matrix, compiled for several instruction sets.

/// Rows of DenseCosts have a multiple of this number of elements.
inline constexpr std::size_t dense_block = 32;

/// Smallest and largest cost.
struct CostRange {
    double lowest;
    double highest;
    double not_finite = 0;  ///< NaN if a cost is not finite, otherwise 0
};

/// Extends `range` by the costs of a row.
void extend_range(const double* c, std::size_t columns, CostRange& range);

/// Map from costs to integers: round(min(c - lowest, span) * scale * scale_again).
///
/// The two scales are powers of two, because their product may overflow. The result must be below 2^51.
struct CostScale {
    double lowest = 0;
    double span = 0;
    double scale = 1;
    double scale_again = 1;
};

/// Rounds a row to integers, and those to fp32. Returns the sum of the fp32 elements.
float round_costs(const double* c, const CostScale& scale, std::size_t columns, std::int64_t* integers,
                  float* rounded);

/// Returns min_j c_j + p_j.
/// @param columns  a multiple of dense_block
float min_sum(const float* c, const float* p, std::size_t columns);
/// Returns min_j c_j + p_j, where sums wrap around.
std::int64_t min_sum(const std::int64_t* c, const std::uint64_t* p, std::size_t columns);

/// Returns the first j with c_j + p_j = least, which min_sum() must have returned for the same arguments.
std::size_t position_of_sum(const float* c, const float* p, std::size_t columns, float least);
std::size_t position_of_sum(const std::int64_t* c, const std::uint64_t* p, std::size_t columns,
                            std::int64_t least);

/// Returns min_j c_j - g_j.
double min_difference(const double* c, const double* g, std::size_t columns);
/// Sets g_j to min(g_j, c_j - f).
void lower_to_difference(const double* c, double f, std::size_t columns, double* g);
/// Returns max_j f + g_j - c_j.
double largest_excess(const double* c, double f, const double* g, std::size_t columns);

/// Computes kernel_j = exp(scale (c_j - lowest)) in fp32.
/// @param lowest  at most c_j
/// @param scale  < 0
void exponentiate_costs(const float* c, float lowest, float scale, std::size_t columns, float* kernel);
/// Squares all elements.
void square_elements(float* kernel, std::size_t count);
/// Computes sums[l] = sum_j kernel[l * columns + j] v_j for 4 rows.
void dot_four_rows(const float* kernel, const float* v, std::size_t columns, float* sums);
/// Adds sum_l weights[l] kernel[l * columns + j] over 4 rows to sums_j.
void add_four_rows(const float* kernel, const float* weights, std::size_t columns, float* sums);

}  // namespace popflow::ot
