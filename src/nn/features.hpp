// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "core/random.hpp"
#include "linalg/matrix.hpp"

namespace popflow::nn {

/// Sinusoidal features of flow time: sin(t w_i) then cos(t w_i), w_i = highest max_period^(-i / (m - 1)),
/// i = 0..m-1.
///
/// Shapes:  t [n], out [n, 2 m]; overwritten.
/// Units:   `highest` in radians for the whole flow.
/// Source:  Vaswani et al., "Attention is all you need", NeurIPS 2017, section 3.5, as used for flow time by
///          Atanackovic et al. (arXiv 2408.14608), highest 1, max_period 10000.
template <class Real>
void time_features(std::span<const Real> t, std::span<const Real> frequencies, linalg::MatrixView<Real> out);
/// w of the above. Shapes: out [m].
template <class Real>
void time_frequencies(double highest, double max_period, std::span<Real> out);
/// Both.
template <class Real>
void time_features(std::span<const Real> t, double highest, double max_period, linalg::MatrixView<Real> out);

/// Fourier features of a cell: cos(2 pi x B) then sin(2 pi x B).
///
/// Shapes:  x [n, d], B [d, m], out [n, 2 m]; overwritten.
/// Source:  Tancik et al., "Fourier features let networks learn high frequency functions", NeurIPS 2020.
template <class Real>
void space_features(linalg::ConstMatrixView<Real> x, linalg::ConstMatrixView<Real> b,
                    linalg::MatrixView<Real> out);

/// Overwrites B with independent N(0, scale^2) entries, row by row.
void draw_frequencies(core::Stream stream, double scale, linalg::MatrixView<float> b);

}  // namespace popflow::nn
