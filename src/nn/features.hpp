// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "core/random.hpp"
#include "linalg/matrix.hpp"

namespace popflow::nn {

/// Computes sinusoidal features of flow time for given frequencies w: sin(t w_i), then cos(t w_i).
///
/// Shapes:  t [n], w [m], out [n, 2 m], overwritten.
/// Units:   w in radians per unit of flow time.
/// Source:  Vaswani et al., "Attention is all you need", NeurIPS 2017, section 3.5, as used for flow time by
///          Atanackovic et al. (arXiv 2408.14608), highest 1, max_period 10000.
template <class Real>
void time_features(std::span<const Real> t, std::span<const Real> frequencies, linalg::MatrixView<Real> out);
/// Computes the frequencies w_i = highest max_period^(-i / (m - 1)), i = 0, ..., m-1.
///
/// Shapes:  out [m], overwritten.
/// Units:   `highest` in radians for the whole flow.
template <class Real>
void time_frequencies(double highest, double max_period, std::span<Real> out);
/// Computes time features for the frequencies of time_frequencies().
template <class Real>
void time_features(std::span<const Real> t, double highest, double max_period, linalg::MatrixView<Real> out);

/// Computes random Fourier features of cells: cos(2 pi x B), then sin(2 pi x B).
///
/// Shapes:  x [n, d], B [d, m], out [n, 2 m], overwritten.
/// Source:  Tancik et al., "Fourier features let networks learn high frequency functions", NeurIPS 2020.
template <class Real>
void space_features(linalg::ConstMatrixView<Real> x, linalg::ConstMatrixView<Real> b,
                    linalg::MatrixView<Real> out);

/// Overwrites B with independent N(0, scale^2) numbers, row by row.
void draw_frequencies(core::Stream stream, double scale, linalg::MatrixView<float> b);

}  // namespace popflow::nn
