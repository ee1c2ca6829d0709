// SPDX-License-Identifier: MIT
#include "nn/icnn.hpp"

#include <cmath>

#include "core/random.hpp"
#include "linalg/activations.hpp"
#include "linalg/gemm.hpp"

namespace popflow::nn {

using linalg::ConstMatrixView;
using linalg::gemm;
using linalg::Matrix;
using linalg::MatrixView;

namespace {

// Computes z = s(z + bias) in place.
template <class Real>
void activate(MatrixView<Real> z, std::span<const Real> bias) {
    for (std::size_t i = 0; i < z.rows; ++i) {
        Real* row = z.row(i);
        for (std::size_t j = 0; j < z.cols; ++j) {
            const Real a = row[j] + bias[j];
            row[j] = a * leaky_slope(a);
        }
    }
}

// Computes out *= s', where z holds the outputs of s.
template <class Real>
void multiply_by_slope(const Matrix<Real>& z, Matrix<Real>& out) {
    for (std::size_t i = 0; i < z.size(); ++i) out.values()[i] *= leaky_slope(z.values()[i]);
}

// Computes out *= d(s^2) = 2 s s', where root holds s.
template <class Real>
void multiply_by_square_slope(const Matrix<Real>& root, Matrix<Real>& out) {
    for (std::size_t i = 0; i < root.size(); ++i) {
        const Real s = root.values()[i];
        out.values()[i] *= 2 * s * leaky_slope(s);
    }
}

// Adds the column sums of x: sum[j] += weight * sum over i of x(i, j).
template <class Real>
void add_rows(ConstMatrixView<Real> x, Real weight, std::span<Real> sum) {
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.cols; ++j) sum[j] += weight * x(i, j);
    }
}

// Copies `row` to each row of out.
template <class Real>
void fill_rows(std::span<const Real> row, MatrixView<Real> out) {
    for (std::size_t i = 0; i < out.rows; ++i) std::ranges::copy(row, out.row(i));
}

}  // namespace

Icnn::Icnn(ParameterLayout& layout, const std::string& name, const IcnnShape& shape) : shape_(shape) {
    for (std::size_t l = 0; l <= shape.layers; ++l) {
        const std::size_t out = l < shape.layers ? shape.hidden : 1;
        const std::string input = name + ".input_" + std::to_string(l);
        input_weight_.push_back(layout.add(input + ".weight", out, shape.inputs));
        bias_.push_back(layout.add(input + ".bias", 1, out));
        if (l > 0) {
            hidden_weight_.push_back(
                layout.add(name + ".hidden_" + std::to_string(l) + ".weight", out, shape.hidden));
        }
    }
}

void Icnn::fill_uniform(std::span<float> values, const Tensor& tensor, double low, double high,
                        std::uint64_t seed, std::uint64_t key) const {
    core::Stream stream(seed, core::Purpose::weights, tensor.offset + key);
    for (float& v : elements_of(values, tensor)) {
        v = static_cast<float>(low + (high - low) * stream.uniform());
    }
}

void Icnn::initialise_uniform(std::span<float> values, std::uint64_t seed, std::uint64_t key) const {
    for (const Tensor& tensor : input_weight_) fill_uniform(values, tensor, 0, 0.1, seed, key);
    for (const Tensor& tensor : hidden_weight_) fill_uniform(values, tensor, 0, 0.1, seed, key);
    for (const Tensor& tensor : bias_) std::ranges::fill(elements_of(values, tensor), 0.0F);
}

// Unit j of the first layer is (c_j (x_m + offset))^2 for one marker m. The elements of W are non-negative
// and its rows sum to about 1. So the arguments of s stay positive, and y = sum_j v_j z_0j with v = W_L ...
// W_1. The factors c_j are chosen such that y = sum_m (x_m + offset)^2 / 2. Its gradient is x + offset, from
// which A_L subtracts the offset.
void Icnn::initialise_identity(std::span<float> values, std::uint64_t seed, std::uint64_t key) const {
    std::ranges::fill(values, 0.0F);
    const std::size_t h = shape_.hidden;
    std::vector<double> v{1.0};
    for (std::size_t l = shape_.layers; l > 0; --l) {
        fill_uniform(values, hidden_weight(l), 0, 2 / static_cast<double>(h), seed, key);
        const auto w = matrix_of(values, hidden_weight(l));
        std::vector<double> below(h, 0.0);
        for (std::size_t o = 0; o < w.rows; ++o) {
            for (std::size_t j = 0; j < h; ++j) below[j] += v[o] * static_cast<double>(w(o, j));
        }
        v = std::move(below);
    }
    const std::size_t d = shape_.inputs;
    const auto first = matrix_of(values, input_weight_.front());
    const auto first_bias = elements_of(values, bias_.front());
    const auto last = elements_of(values, input_weight_.back());
    for (std::size_t j = 0; j < h; ++j) {
        const std::size_t marker = j % d;
        const std::size_t units = h / d + (marker < h % d ? 1 : 0);  // number of units of this marker
        const double c = 1 / std::sqrt(2 * v[j] * static_cast<double>(units));
        first(j, marker) = static_cast<float>(c);
        first_bias[j] = static_cast<float>(c * identity_offset);
        last[marker] = static_cast<float>(-identity_offset);
    }
}

template <class Real>
void Icnn::forward(std::span<const Real> values, ConstMatrixView<Real> x, Cache<Real>& cache,
                   MatrixView<Real> y) const {
    const std::size_t n = x.rows;
    const std::size_t layers = shape_.layers;
    core::check_shape("icnn.x", n, x.cols, n, shape_.inputs);
    cache.z.resize(layers);
    for (Matrix<Real>& z : cache.z) z.reshape(n, shape_.hidden);
    cache.root.reshape(n, shape_.hidden);
    gemm(false, true, Real{1}, x, matrix_of(values, input_weight_[0]), Real{0}, cache.root.view());
    activate(cache.root.view(), elements_of(values, bias_[0]));
    for (std::size_t i = 0; i < cache.root.size(); ++i) {
        cache.z[0].values()[i] = cache.root.values()[i] * cache.root.values()[i];
    }
    for (std::size_t l = 1; l <= layers; ++l) {
        const MatrixView<Real> out = l < layers ? cache.z[l].view() : y;
        gemm(false, true, Real{1}, cache.z[l - 1].view(), matrix_of(values, hidden_weight(l)), Real{0}, out);
        gemm(false, true, Real{1}, x, matrix_of(values, input_weight_[l]), Real{1}, out);
        if (l < layers) activate(out, elements_of(values, bias_[l]));
    }
    const Real last_bias = elements_of(values, bias_[layers])[0];
    for (std::size_t i = 0; i < n; ++i) y(i, 0) += last_bias;
}

template <class Real>
void Icnn::backward(std::span<const Real> values, Cache<Real>& cache) const {
    const std::size_t n = cache.root.rows();
    const std::size_t layers = shape_.layers;
    cache.da.resize(layers);
    for (Matrix<Real>& da : cache.da) da.reshape(n, shape_.hidden);
    fill_rows(elements_of(values, hidden_weight(layers)), cache.da[layers - 1].view());
    for (std::size_t l = layers - 1; l > 0; --l) {
        multiply_by_slope(cache.z[l], cache.da[l]);
        gemm(false, false, Real{1}, cache.da[l].view(), matrix_of(values, hidden_weight(l)), Real{0},
             cache.da[l - 1].view());
    }
    cache.dz0 = cache.da[0];
    multiply_by_square_slope(cache.root, cache.da[0]);
}

template <class Real>
void Icnn::input_gradient(std::span<const Real> values, const Cache<Real>& cache, MatrixView<Real> p) const {
    core::check_shape("icnn.p", p.rows, p.cols, cache.root.rows(), shape_.inputs);
    fill_rows(elements_of(values, input_weight_.back()), p);
    for (std::size_t l = 0; l < shape_.layers; ++l) {
        gemm(false, false, Real{1}, cache.da[l].view(), matrix_of(values, input_weight_[l]), Real{1}, p);
    }
}

template <class Real>
void Icnn::add_value_gradient(ConstMatrixView<Real> x, const Cache<Real>& cache, Real weight,
                              std::span<Real> gradients) const {
    const std::size_t layers = shape_.layers;
    for (std::size_t l = 0; l < layers; ++l) {
        const ConstMatrixView<Real> da = cache.da[l].view();
        gemm(true, false, weight, da, x, Real{1}, matrix_of(gradients, input_weight_[l]));
        add_rows(da, weight, elements_of(gradients, bias_[l]));
        if (l > 0) {
            gemm(true, false, weight, da, cache.z[l - 1].view(), Real{1},
                 matrix_of(gradients, hidden_weight(l)));
        }
    }
    add_rows(cache.z[layers - 1].view(), weight, elements_of(gradients, hidden_weight(layers)));
    add_rows(x, weight, elements_of(gradients, input_weight_[layers]));
    elements_of(gradients, bias_[layers])[0] += weight * static_cast<Real>(x.rows);
}

template <class Real>
void Icnn::add_map_gradient(std::span<const Real> values, ConstMatrixView<Real> x, ConstMatrixView<Real> q,
                            Cache<Real>& cache, std::span<Real> gradients) const {
    const std::size_t n = x.rows;
    const std::size_t layers = shape_.layers;
    // The tangent of the first layer is a_0' = A_0 q. The second derivative of the square adds
    // d a_0 = 2 s'^2 a_0' dy/dz_0.
    Matrix<Real>& tangent = cache.tangent;
    Matrix<Real>& above = cache.tangent_above;
    tangent.reshape(n, shape_.hidden);
    above.reshape(n, shape_.hidden);
    gemm(false, true, Real{1}, q, matrix_of(values, input_weight_[0]), Real{0}, tangent.view());
    for (std::size_t i = 0; i < tangent.size(); ++i) {
        const Real s = leaky_slope(cache.root.values()[i]);
        above.values()[i] = 2 * s * s * tangent.values()[i] * cache.dz0.values()[i];
    }
    gemm(true, false, Real{1}, above.view(), x, Real{1}, matrix_of(gradients, input_weight_[0]));
    add_rows<Real>(above.view(), 1, elements_of(gradients, bias_[0]));
    multiply_by_square_slope(cache.root, tangent);
    for (std::size_t l = 0; l < layers; ++l) {
        const ConstMatrixView<Real> da = cache.da[l].view();
        gemm(true, false, Real{1}, da, q, Real{1}, matrix_of(gradients, input_weight_[l]));
        if (l == 0) continue;
        gemm(true, false, Real{1}, da, tangent.view(), Real{1}, matrix_of(gradients, hidden_weight(l)));
        gemm(false, true, Real{1}, tangent.view(), matrix_of(values, hidden_weight(l)), Real{0},
             above.view());
        gemm(false, true, Real{1}, q, matrix_of(values, input_weight_[l]), Real{1}, above.view());
        multiply_by_slope(cache.z[l], above);
        std::swap(tangent, above);
    }
    add_rows<Real>(tangent.view(), 1, elements_of(gradients, hidden_weight(layers)));
    add_rows<Real>(q, 1, elements_of(gradients, input_weight_[layers]));
}

template <class Real>
Real Icnn::add_penalty(std::span<const Real> values, std::span<Real> gradients) const {
    Real total = 0;
    for (const Tensor& tensor : hidden_weight_) {
        const auto w = elements_of(values, tensor);
        Real square = 0;
        for (Real v : w) square += v < 0 ? v * v : Real{0};
        if (square == 0) continue;
        const Real norm = std::sqrt(square);
        const auto dw = elements_of(gradients, tensor);
        for (std::size_t i = 0; i < w.size(); ++i) dw[i] += w[i] < 0 ? w[i] / norm : Real{0};
        total += norm;
    }
    return total;
}

void Icnn::clamp(std::span<float> values) const {
    for (const Tensor& tensor : hidden_weight_) {
        for (float& w : elements_of(values, tensor)) w = std::max(w, 0.0F);
    }
}

#define POPFLOW_INSTANTIATE(Real)                                                                            \
    template void Icnn::forward(std::span<const Real>, ConstMatrixView<Real>, Cache<Real>&,                  \
                                MatrixView<Real>) const;                                                     \
    template void Icnn::backward(std::span<const Real>, Cache<Real>&) const;                                 \
    template void Icnn::input_gradient(std::span<const Real>, const Cache<Real>&, MatrixView<Real>) const;   \
    template void Icnn::add_value_gradient(ConstMatrixView<Real>, const Cache<Real>&, Real, std::span<Real>) \
        const;                                                                                               \
    template void Icnn::add_map_gradient(std::span<const Real>, ConstMatrixView<Real>,                       \
                                         ConstMatrixView<Real>, Cache<Real>&, std::span<Real>) const;        \
    template Real Icnn::add_penalty(std::span<const Real>, std::span<Real>) const;
POPFLOW_INSTANTIATE(float)
POPFLOW_INSTANTIATE(double)
#undef POPFLOW_INSTANTIATE

}  // namespace popflow::nn
