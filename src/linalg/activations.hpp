// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// z = max(z + bias, 0), in place.
void relu_forward(MatrixView<float> z, std::span<const float> bias);
void relu_forward(MatrixView<double> z, std::span<const double> bias);

/// dz = 0 where the output z is not positive, in place.
void relu_backward(ConstMatrixView<float> z, MatrixView<float> dz);
void relu_backward(ConstMatrixView<double> z, MatrixView<double> dz);

/// Each row of z plus bias, in place.
void add_bias(MatrixView<float> z, std::span<const float> bias);
void add_bias(MatrixView<double> z, std::span<const double> bias);

/// sum[j] += sum over i of x(i, j), in the order of i for any number of threads.
void add_column_sums(ConstMatrixView<float> x, std::span<float> sum);
void add_column_sums(ConstMatrixView<double> x, std::span<double> sum);

/// Sum of x[j] y[j], in an order that is the same every time.
float dot(std::span<const float> x, std::span<const float> y);
double dot(std::span<const double> x, std::span<const double> y);

/// y[j] += a x[j].
void add_scaled(float a, std::span<const float> x, std::span<float> y);
void add_scaled(double a, std::span<const double> x, std::span<double> y);

/// cosine[j] = cos(x[j]), sine[j] = sin(x[j]); |x| up to 1e4 in float, absolute error below 2e-7.
void sincos(std::span<const float> x, std::span<float> cosine, std::span<float> sine);
void sincos(std::span<const double> x, std::span<double> cosine, std::span<double> sine);

}  // namespace popflow::linalg
