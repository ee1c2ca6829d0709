// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/aligned.hpp"
#include "linalg/matrix.hpp"

namespace popflow::nn {

/// Sizes of a ConvexPotential, and the places of its parameters in a flat buffer of size() elements:
/// A [hidden, inputs], b [hidden], w [hidden], a [inputs], L [inputs, inputs], in this order.
struct PotentialShape {
    std::size_t inputs = 0;
    std::size_t hidden = 128;

    std::size_t bias() const { return hidden * inputs; }
    std::size_t weight() const { return bias() + hidden; }
    std::size_t linear() const { return weight() + hidden; }
    std::size_t quadratic() const { return linear() + inputs; }
    std::size_t size() const { return quadratic() + inputs * inputs; }
};

/// Small input-convex network with one hidden layer, prepared for the kernels:
///
///     D(x) = softplus(w) . s(A x + b) + a . x + ||L x||^2,    s = softplus,
///     grad D(x) = A^T (softplus(w) o sigma(A x + b)) + a + 2 L^T L x.
///
/// D is convex for all parameters, and strongly convex if L is regular. Its map is smooth. With the leaky
/// ReLU of the source, the map jumps at the kinks, and the gradient of a loss of the map with respect to b is
/// zero almost everywhere.
///
/// Shapes:  x [n, inputs], values [n], map [n, inputs].
/// Source:  Amos, Luise, Cohen and Redko, "Meta optimal transport", ICML 2023, appendix.
/// Deviation: softplus in place of the leaky ReLU. There is no constant, which no map depends on.
template <class Real>
struct ConvexPotential {
    ConvexPotential() = default;
    ConvexPotential(const PotentialShape& sizes, std::span<const Real> parameters) { set(sizes, parameters); }
    /// Prepares other parameters. @throws core::ShapeMismatch
    void set(const PotentialShape& sizes, std::span<const Real> parameters);

    PotentialShape shape;
    linalg::Matrix<Real> units;         ///< [inputs, hidden] A^T
    linalg::Matrix<Real> scaled_units;  ///< [inputs, hidden] A^T with column j times softplus(w_j)
    std::vector<Real> bias;             ///< [hidden] b
    std::vector<Real> weight;           ///< [hidden] softplus(w)
    std::vector<Real> weight_slope;     ///< [hidden] sigma(w)
    std::vector<Real> linear;           ///< [inputs] a
    linalg::Matrix<Real> root;          ///< [inputs, inputs] L
    linalg::Matrix<Real> curvature;     ///< [inputs, inputs] 2 L^T L
};

/// Sums over cells from which the gradient of the parameters of one potential follows.
template <class Real>
struct PotentialSums {
    void clear(const PotentialShape& shape);
    void add(const PotentialSums& other);

    linalg::Matrix<Real> units;    ///< [inputs, hidden]
    std::vector<Real> bias;        ///< [hidden]
    std::vector<Real> weight;      ///< [hidden]
    std::vector<Real> linear;      ///< [inputs]
    linalg::Matrix<Real> squares;  ///< [inputs, inputs]
    double value = 0;              ///< weighted sum of the values
};

/// Buffers of the kernels of one potential and one block of cells.
template <class Real>
struct PotentialBlock {
    linalg::Matrix<Real> slope;    ///< [n, hidden] sigma(A x + b) of potential_forward()
    linalg::Matrix<Real> tangent;  ///< [n, hidden]
    linalg::Matrix<Real> second;   ///< [n, hidden]
    std::vector<Real> softplus;    ///< [hidden] sums over the cells
    std::vector<Real> product;     ///< [hidden]
};

/// Computes the map of a block of cells on the calling thread. Overwrites `map` and `block.slope`.
/// @param needs_values  whether to compute `block.softplus`
/// @throws core::ShapeMismatch
template <class Real>
void potential_forward(const ConvexPotential<Real>& potential, linalg::ConstMatrixView<Real> x,
                       bool needs_values, PotentialBlock<Real>& block, linalg::MatrixView<Real> map);

/// Adds the sums of the gradient of sum_i value_weight D(x_i) + <q_i, grad D(x_i)> for constant q, on the
/// calling thread. Call potential_forward() for the same cells first, with values if value_weight is not 0.
/// @param dx  gradient of the second term with respect to x [n, inputs], overwritten unless it has no rows
template <class Real>
void potential_backward(const ConvexPotential<Real>& potential, linalg::ConstMatrixView<Real> x,
                        linalg::ConstMatrixView<Real> q, Real value_weight, PotentialBlock<Real>& block,
                        PotentialSums<Real>& sums, linalg::MatrixView<Real> dx);

/// Adds the gradient that belongs to the sums.
///
/// Shape: gradient [shape.size()].
template <class Real>
void add_potential_gradient(const ConvexPotential<Real>& potential, const PotentialSums<Real>& sums,
                            std::span<Real> gradient);

/// Number of cells of a block. The kernels work on one block at a time.
inline constexpr std::size_t potential_block = 128;

/// Computes the map of any number of cells with all threads. Overwrites `map`.
template <class Real>
void potential_map(const ConvexPotential<Real>& potential, linalg::ConstMatrixView<Real> x,
                   linalg::MatrixView<Real> map);

/// Returns the value D(x) of each cell. Uses the calling thread.
std::vector<double> potential_values(const ConvexPotential<double>& potential,
                                     linalg::ConstMatrixView<double> x);

}  // namespace popflow::nn
