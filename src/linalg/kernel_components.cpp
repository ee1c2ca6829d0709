// SPDX-License-Identifier: MIT
#include "linalg/kernel_components.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/eigen_tools.hpp"
#include "linalg/pair_distances.hpp"
#include "linalg/symmetric_eigen.hpp"

namespace popflow::linalg {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

// Eigenvalues below this share of the largest one are rounding errors.
constexpr double smallest_eigenvalue = 1e-10;

}  // namespace

KernelComponents kernel_components(ConstMatrixView<double> x, double width, std::size_t count) {
    const SerialEigen serial;
    const auto n = static_cast<Index>(x.rows);
    MatrixXd kernel = squared_distances(x);
    for (double& value : kernel.reshaped()) value = std::exp(-value / width);
    const VectorXd mean = kernel.rowwise().mean();
    const double total = mean.mean();
    MatrixXd centred(n, n);
    for (Index k = 0; k < n; ++k) {
        for (Index i = 0; i < n; ++i) centred(i, k) = kernel(i, k) - (mean(i) + mean(k)) + total;
    }
    const auto [eigenvalues, eigenvectors, converged] = symmetric_eigen(centred);
    std::size_t rank = 0;
    while (rank < std::min(count, x.rows) &&
           eigenvalues(n - 1 - static_cast<Index>(rank)) > smallest_eigenvalue * eigenvalues(n - 1))
        ++rank;

    KernelComponents components{Matrix<double>(x.rows, rank), std::vector<double>(rank, 0.0)};
    for (std::size_t c = 0; c < rank; ++c) {
        const Index at = n - 1 - static_cast<Index>(c);
        const VectorXd vector = eigenvectors.col(at);
        const double factor = sign_of_largest(vector) * std::sqrt(static_cast<double>(n)) / eigenvalues(at);
        for (Index i = 0; i < n; ++i) {
            const double weight = factor * vector(i);
            components.weights(static_cast<std::size_t>(i), c) = weight;
            components.offset[c] += weight * mean(i);
        }
    }
    return components;
}

std::vector<double> gaussian_kernel(ConstMatrixView<double> x, std::span<const double> query, double width) {
    core::check_shape("kernel_components.query", 1, query.size(), 1, x.cols);
    std::vector<double> kernel(x.rows);
    for (std::size_t i = 0; i < x.rows; ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < x.cols; ++j) {
            const double difference = query[j] - x(i, j);
            sum += difference * difference;
        }
        kernel[i] = std::exp(-sum / width);
    }
    return kernel;
}

double median_squared_distance(ConstMatrixView<double> x) {
    return median_distance(squared_distances(x));
}

}  // namespace popflow::linalg
