// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// SELU: lambda x for x > 0, lambda alpha (e^x - 1) otherwise.
/// Source: Klambauer et al., "Self-normalizing neural networks", NeurIPS 2017, eq. 2.
inline constexpr double selu_alpha = 1.6732632423543772848170429916717;
inline constexpr double selu_lambda = 1.0507009873554804934193349852946;

/// z = SELU(z + bias + skip), in place; `skip` may be empty. Shapes: z, skip [n, h], bias [h].
void selu_forward(MatrixView<float> z, std::span<const float> bias, ConstMatrixView<float> skip);
void selu_forward(MatrixView<double> z, std::span<const double> bias, ConstMatrixView<double> skip);

/// dz *= SELU'(.), in place, from the output: SELU' = lambda where z > 0, z + lambda alpha otherwise.
/// Shapes: z, dz [n, h].
void selu_backward(ConstMatrixView<float> z, MatrixView<float> dz);
void selu_backward(ConstMatrixView<double> z, MatrixView<double> dz);

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

/// cosine[j] = cos(x[j]), sine[j] = sin(x[j]); |x| up to 1e4 in float, absolute error below 2e-7.
void sincos(std::span<const float> x, std::span<float> cosine, std::span<float> sine);
void sincos(std::span<const double> x, std::span<double> cosine, std::span<double> sine);

}  // namespace popflow::linalg
