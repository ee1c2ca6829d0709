// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "linalg/matrix.hpp"

namespace popflow::nn {

/// Sinusoidal features of flow time: sin(t w_i) then cos(t w_i), w_i = max_period^(-i / (m - 1)), i = 0..m-1.
///
/// Shapes:  t [n], out [n, 2 m]; overwritten.
/// Source:  Vaswani et al., "Attention is all you need", NeurIPS 2017, section 3.5, as used for flow time by
///          Atanackovic et al. (arXiv 2408.14608), max_period 10000.
template <class Real>
void time_features(std::span<const Real> t, double max_period, linalg::MatrixView<Real> out);

/// Fourier features of a cell: cos(2 pi x B) then sin(2 pi x B).
///
/// Shapes:  x [n, d], B [d, m], out [n, 2 m]; overwritten.
/// Source:  Tancik et al., "Fourier features let networks learn high frequency functions", NeurIPS 2020.
template <class Real>
void space_features(linalg::ConstMatrixView<Real> x, linalg::ConstMatrixView<Real> b,
                    linalg::MatrixView<Real> out);

/// B with independent N(0, scale^2) entries. Stream: (seed, features).
linalg::Matrix<float> random_frequencies(std::size_t d, std::size_t m, double scale, std::uint64_t seed);

}  // namespace popflow::nn
