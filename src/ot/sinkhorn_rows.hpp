// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>

namespace popflow::ot {

/// Rows are taken four at a time: the sums of the columns and g pass through the registers once for all four.
inline constexpr std::size_t sinkhorn_batch = 4;

/// Four rows of a sweep; everything in base-2 logarithms.
struct RowBatch {
    std::array<const float*, sinkhorn_batch> cost;
    std::array<float, sinkhorn_batch> shift;   ///< added to every exponent of the row
    std::array<float, sinkhorn_batch> sum;     ///< sum_j e_j, e_j = 2^(shift + g_j - scale c_j)
    std::array<float, sinkhorn_batch> factor;  ///< what a row's e_j weigh in the columns' sums
};

/// Fills rows.sum and leaves e_j of row l in kernel[l * columns + j].
void exponential_rows(RowBatch& rows, const float* g, float scale, std::size_t columns, float* kernel);
/// sums_j += sum_l factor_l e_lj.
void add_to_columns(const RowBatch& rows, const float* kernel, std::size_t columns, float* sums);
/// The largest exponent g_j - scale c_j of a row.
float highest_exponent(const float* c, const float* g, float scale, std::size_t columns);
float sum_of_squares(const float* kernel, std::size_t columns);
/// sums_j += more_j.
void add(const float* more, std::size_t columns, float* sums);

/// Of the exponents u_j = exponents_j - c_j / eps of a row, in natural logarithms and double.
struct RowValues {
    double highest = 0;
    double sum = 0;   ///< sum_j e^(u_j - highest)
    double cost = 0;  ///< the same, each term times c_j
};
RowValues values_of_row(const float* c, const double* exponents, double inverse_epsilon, std::size_t columns);

}  // namespace popflow::ot
