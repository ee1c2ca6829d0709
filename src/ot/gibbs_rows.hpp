// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace popflow::ot {

/// Number of rows that some loops process at a time, so that sums do not wait for each other.
inline constexpr std::size_t kernel_batch = 4;

/// Rows of a matrix, with a sum and a weight for each.
struct KernelBatch {
    std::array<const double*, kernel_batch> rows;
    std::array<double, kernel_batch> sums;
    std::array<double, kernel_batch> weights;  ///< 0 for a row that does not count
};

// Loops over one row of a matrix in double, compiled for several instruction sets.

/// Returns sum_j x_j y_j.
double dot_row(const double* x, const double* y, std::size_t columns);
/// Adds weight * x to sums.
void add_row(double weight, const double* x, std::size_t columns, double* sums);
/// Returns max_j exponents_j - scale c_j.
double max_row_exponent(const double* c, const double* exponents, double scale, std::size_t columns);
/// Computes kernel_j = exp(exponents_j - scale c_j - highest), or 0 below e^-700.
/// @param highest  at least max_row_exponent()
void exponentiate_row(const double* c, const double* exponents, double scale, double highest,
                      std::size_t columns, double* kernel);
/// Computes kernel_j = shared_(cols_j) weights_j and returns the largest.
double gather_row(const double* shared, const std::uint32_t* cols, const double* weights, std::size_t columns,
                  double* kernel);
/// Multiplies the row by the factor.
void scale_row(double factor, std::size_t columns, double* x);
/// Raises highest_j to shift - scale c_j where that is larger.
void raise_to_row(const double* c, double shift, double scale, std::size_t columns, double* highest);
/// Computes kernel_j = exp(shift - scale c_j - highest_j), or 0 below e^-700, and adds it to sums.
/// @param highest  at least shift - scale c_j
void exponentiate_below(const double* c, double shift, double scale, const double* highest,
                        std::size_t columns, double* kernel, double* sums);
/// Returns 0 if all elements are finite, and NaN otherwise.
double not_finite(const double* c, std::size_t columns);

/// Sums of one row of a plan.
struct PlanRow {
    double mass = 0;  ///< sum_j p_j
    double cost = 0;  ///< sum_j p_j c_j
};

/// Computes p_j = factor exp(exponents_j - scale c_j - highest), or 0 below e^-700, and adds it to sums.
/// @param highest  at least max_row_exponent()
PlanRow compute_plan_row(const double* c, const double* exponents, double scale, double highest,
                         double factor, std::size_t columns, double* p, double* sums);
/// Multiplies p by the factor and adds it to sums.
void scale_plan_row(double factor, std::size_t columns, double* p, double* sums);
/// Multiplies p by the factors of its columns and returns its sum.
double scale_columns_of_row(const double* factors, std::size_t columns, double* p);
/// Returns sum_j q_j (c_j + epsilon ln(q_j / (weight weights_j))) for q_j = p_j + share missing_j. Terms with
/// q_j < 1e-300 weight weights_j count as 0.
double objective_of_row(const double* c, const double* p, double share, const double* missing, double weight,
                        const double* weights, double epsilon, std::size_t columns);

/// Computes sums[l] = sum_j rows[l][j] y_j.
void dot_rows(KernelBatch& batch, const double* y, std::size_t columns);
/// Adds sum_l weights[l] rows[l] to sums.
void add_rows(const KernelBatch& batch, std::size_t columns, double* sums);

}  // namespace popflow::ot
