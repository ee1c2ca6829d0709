// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>

namespace popflow::ot {

/// Number of rows that a sweep processes at a time. g and the column sums are loaded once for all of them.
inline constexpr std::size_t sinkhorn_batch = 4;

/// Batch of rows of a sweep. Exponents are in base-2 logarithms.
struct RowBatch {
    std::array<const float*, sinkhorn_batch> cost;  ///< row l of the cost matrix
    std::array<float, sinkhorn_batch> shift;        ///< term added to every exponent of the row
    std::array<float, sinkhorn_batch> sum;          ///< sum_j e_j, e_j = 2^(shift + g_j - scale c_j)
    std::array<float, sinkhorn_batch> factor;       ///< weight of the row's e_j in the column sums
};

/// Computes e_j of row l into kernel[l * columns + j], and fills rows.sum.
void exponentiate_rows(RowBatch& rows, const float* g, float scale, std::size_t columns, float* kernel);
/// Adds to the column sums: sums_j += sum_l factor_l e_lj.
void add_to_columns(const RowBatch& rows, const float* kernel, std::size_t columns, float* sums);
/// Returns the largest exponent g_j - scale c_j of a row.
float max_exponent(const float* c, const float* g, float scale, std::size_t columns);
/// Returns the sum of kernel_j^2 of a row.
float sum_of_squares(const float* kernel, std::size_t columns);
/// Adds elementwise: sums_j += more_j.
void add(const float* more, std::size_t columns, float* sums);

/// Sums over a row with the exponents u_j = exponents_j - c_j / eps, in natural logarithms and double.
struct RowValues {
    double highest = 0;  ///< max_j u_j
    double sum = 0;      ///< sum_j e^(u_j - highest)
    double cost = 0;     ///< sum_j c_j e^(u_j - highest)
};
/// Computes the sums of a row. Terms with u_j - highest below -700 count as 0.
RowValues row_values(const float* c, const double* exponents, double inverse_epsilon, std::size_t columns);

/// Computes e^(u_j - highest) into weights, and returns `highest` and the sum, without the cost.
RowValues row_weights(const float* c, const double* exponents, double inverse_epsilon, std::size_t columns,
                      double* weights);

}  // namespace popflow::ot
