// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "simulate/shape_law.hpp"

namespace popflow::simulate {

/// Gaussian cell states that all populations of a file share.
struct CellStates {
    std::size_t markers = 0;
    std::vector<double> mean;    ///< [states, markers]
    std::vector<double> factor;  ///< [states, markers, markers]; a covariance is F^T F

    std::size_t size() const { return mean.size() / markers; }
    /// Returns the covariances [states, markers, markers].
    std::vector<double> covariance() const;
    /// Draws a cell of a state. @param x  [markers]
    void draw(core::Stream& stream, std::size_t state, std::span<double> x) const;
};

/// Draws the states of the law. Depends on the law seed, not on the seed.
///
/// The means are N(0, I), multiplied by one number so that the smallest distance between two of them is
/// `separation`. A covariance is Q diag(l) Q^T with a random orthogonal Q and l ~ U(0.25, 1). So the state
/// with the nearest mean is the state of the cell, except for a share of at most (states - 1) Phi(-separation
/// / 2) of the cells.
CellStates draw_states(const ShapesOptions& options);

/// Returns the weights of the states after a treatment: w'_k is proportional to w_k exp(s_k (1 - w_1)). Many
/// cells of the first state protect the others.
/// @param weights  [states] of the control population
/// @param selection  [states] s of the treatment
std::vector<double> select_states(std::span<const double> weights, std::span<const double> selection);

/// Mixtures of fixed cell states with random weights.
///
/// Weights w ~ Dirichlet(a) with a parameter vector per treatment: a = dirichlet_sum p and p ~ Dirichlet(3,
/// ..., 3). A cell has state k with probability w_k and is N(m_k, S_k), see draw_states().
/// Parameters: w_S1, w_S2, ... Arrays: state_mean, state_covariance, dirichlet [treatments, states].
ShapeLaw make_mixtures(const ShapesOptions& options);

/// Control populations as in make_mixtures(), and treated populations whose pairs are hidden.
///
/// A treated population belongs to the control population with the same number. Its weights are
/// select_states() of the weights of that control, with s ~ U(-selection, selection) per treatment and state.
/// Its cells of state k are N(m_k + b_k, S_k). b_k has a random direction and the length `shift`.
/// Parameters: w_S1, w_S2, ... Arrays: those of make_mixtures(), and state_shift [treatments, states,
/// markers] and selection [treatments, states], both without the control.
ShapeLaw make_unpaired(const ShapesOptions& options);

}  // namespace popflow::simulate
