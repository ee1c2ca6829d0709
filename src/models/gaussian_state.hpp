// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>

#include "linalg/matrix.hpp"

namespace popflow::models {

/// State of a flow over Gaussians: mean m [d] and factor F [d, d] of the covariance S = F F^T, as one row
/// [m | F] of d + d^2 numbers. The covariance is positive semidefinite whatever F is.
///
/// The functions work on one row, so that an ODE solver can hold many Gaussians as rows of a matrix.

/// Returns the number of elements of a state.
constexpr std::size_t gaussian_state_size(std::size_t d) {
    return d + d * d;
}

/// Returns the factor of a state.
template <class Real>
linalg::MatrixView<Real> gaussian_factor(Real* state, std::size_t d) {
    return {state + d, d, d};
}

/// Overwrites `covariance` [d, d] with F F^T.
template <class Real>
void gaussian_covariance(const Real* state, std::size_t d, linalg::MatrixView<Real> covariance) {
    const auto factor = gaussian_factor(state, d);
    for (std::size_t j = 0; j < d; ++j) {
        for (std::size_t k = 0; k <= j; ++k) {
            Real sum = 0;
            for (std::size_t l = 0; l < d; ++l) sum += factor(j, l) * factor(k, l);
            covariance(j, k) = covariance(k, j) = sum;
        }
    }
}

/// Overwrites the derivative of a state with [v | V F]. With the velocity of a geodesic, a step of Euler's
/// method is exact for every size: m + h v, (I + h V) F.
///
/// Shapes: v [d], V [d, d] symmetric, derivative [d + d^2].
template <class Real>
void gaussian_derivative(const Real* state, std::size_t d, const Real* v,
                         linalg::ConstMatrixView<Real> velocity, Real* derivative) {
    std::copy_n(v, d, derivative);
    const auto factor = gaussian_factor(state, d);
    const auto out = gaussian_factor(derivative, d);
    for (std::size_t j = 0; j < d; ++j) {
        std::fill_n(out.row(j), d, Real{0});
        for (std::size_t l = 0; l < d; ++l) {
            for (std::size_t k = 0; k < d; ++k) out(j, k) += velocity(j, l) * factor(l, k);
        }
    }
}

}  // namespace popflow::models
