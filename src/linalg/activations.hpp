// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// Adds the bias and applies ReLU in place: z = max(z + bias, 0).
void relu_forward(MatrixView<float> z, std::span<const float> bias);
void relu_forward(MatrixView<double> z, std::span<const double> bias);

/// Backward pass of relu_forward(), in place: dz = 0 where the output z is not positive.
void relu_backward(ConstMatrixView<float> z, MatrixView<float> dz);
void relu_backward(ConstMatrixView<double> z, MatrixView<double> dz);

/// Adds the bias to each row of z, in place.
void add_bias(MatrixView<float> z, std::span<const float> bias);
void add_bias(MatrixView<double> z, std::span<const double> bias);

/// Adds the column sums of x: sum[j] += sum over i of x(i, j). Sums in the order of i, so the result is
/// deterministic for any number of threads.
void add_column_sums(ConstMatrixView<float> x, std::span<float> sum);
void add_column_sums(ConstMatrixView<double> x, std::span<double> sum);

/// Returns the sum over j of x[j] y[j]. The order of summation is fixed.
float dot(std::span<const float> x, std::span<const float> y);
double dot(std::span<const double> x, std::span<const double> y);

/// Adds a scaled vector: y[j] += a x[j].
void add_scaled(float a, std::span<const float> x, std::span<float> y);
void add_scaled(double a, std::span<const double> x, std::span<double> y);

/// Computes cosine[j] = cos(x[j]) and sine[j] = sin(x[j]). `x` may be one of the outputs.
/// In float, the absolute error is below 2e-7 for |x| up to 1e4.
void sincos(std::span<const float> x, std::span<float> cosine, std::span<float> sine);
void sincos(std::span<const double> x, std::span<double> cosine, std::span<double> sine);

}  // namespace popflow::linalg
