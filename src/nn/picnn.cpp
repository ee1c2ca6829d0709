// SPDX-License-Identifier: MIT
#include "nn/picnn.hpp"

#include <cmath>

#include "core/random.hpp"

namespace popflow::nn {

namespace {

template <class Real>
Real softplus(Real x) {
    return std::max(x, Real{0}) + std::log1p(std::exp(-std::abs(x)));
}

template <class Real>
Real logistic(Real x) {
    return 1 / (1 + std::exp(-x));
}

// Argument at which softplus is 1.
const float softplus_is_one = static_cast<float>(std::log(std::exp(1.0) - 1));

// Computes out(i, j) = w(i, j) gate[j].
template <class Real>
void gate_columns(linalg::ConstMatrixView<Real> w, std::span<const Real> gate, linalg::MatrixView<Real> out) {
    for (std::size_t i = 0; i < w.rows; ++i) {
        for (std::size_t j = 0; j < w.cols; ++j) out(i, j) = w(i, j) * gate[j];
    }
}

// Computes dw(i, j) += dout(i, j) gate[j] and dgate[j] = sum_i dout(i, j) w(i, j). Overwrites dgate.
template <class Real>
void gate_columns_backward(linalg::ConstMatrixView<Real> w, std::span<const Real> gate,
                           linalg::ConstMatrixView<Real> dout, linalg::MatrixView<Real> dw,
                           std::vector<Real>& dgate) {
    dgate.assign(w.cols, Real{0});
    for (std::size_t i = 0; i < w.rows; ++i) {
        for (std::size_t j = 0; j < w.cols; ++j) {
            dw(i, j) += dout(i, j) * gate[j];
            dgate[j] += dout(i, j) * w(i, j);
        }
    }
}

}  // namespace

Picnn::Picnn(ParameterLayout& layout, const std::string& name, const IcnnShape& shape, std::size_t context)
    : icnn_(icnn_layout_, name, shape), context_(context), offset_(layout.size()) {
    for (const Tensor& tensor : icnn_layout_.tensors()) layout.add(tensor.name, tensor.rows, tensor.cols);
    if (context > 0) {
        const auto map = [&](const std::string& what, std::size_t l, std::size_t out, bool bias) {
            const std::string full = name + "." + what + "_" + std::to_string(l);
            Map m{layout.add(full + ".weight", out, l == 0 ? context : shape.hidden), {}};
            if (bias) m.bias = layout.add(full + ".bias", 1, out);
            return m;
        };
        for (std::size_t l = 0; l <= shape.layers; ++l) {
            gate_x_.push_back(map("gate_x", l, shape.inputs, true));
            gate_z_.push_back(l > 0 ? map("gate_z", l, shape.hidden, true) : Map{});
            shift_.push_back(map("shift", l, l < shape.layers ? shape.hidden : 1, false));
            if (l < shape.layers) path_.push_back(map("context", l, shape.hidden, true));
        }
    }
    size_ = layout.size() - offset_;
}

void Picnn::initialise(std::span<float> values, std::uint64_t seed, bool identity) const {
    if (identity) {
        icnn_.initialise_identity(icnn_part(values), seed, offset_);
    } else {
        icnn_.initialise_uniform(icnn_part(values), seed, offset_);
    }
    const auto fill = [&](const Map& map, double scale, float bias) {
        core::Stream stream(seed, core::Purpose::weights, map.weight.offset);
        const double bound = scale / std::sqrt(static_cast<double>(map.weight.cols));
        for (float& v : elements_of(values, map.weight)) {
            v = static_cast<float>(bound * (2 * stream.uniform() - 1));
        }
        if (map.bias.size() > 0) std::ranges::fill(elements_of(values, map.bias), bias);
    };
    constexpr double small = 0.1;  // so that gates start near 1 and shifts near 0, as in the Icnn
    for (const Map& map : path_) fill(map, 1, 0.0F);
    for (const Map& map : gate_x_) fill(map, small, 1.0F);
    for (const Map& map : shift_) fill(map, small, 0.0F);
    for (std::size_t l = 1; l < gate_z_.size(); ++l) fill(gate_z_[l], small, softplus_is_one);
}

template <class Real>
void Picnn::apply(std::span<const Real> values, const Map& map, std::span<const Real> u,
                  std::vector<Real>& out) const {
    const auto w = matrix_of(values, map.weight);
    core::check_shape("picnn.context", 1, u.size(), 1, w.cols);
    out.assign(w.rows, Real{0});
    for (std::size_t i = 0; i < w.rows; ++i) {
        Real sum = map.bias.size() > 0 ? elements_of(values, map.bias)[i] : Real{0};
        for (std::size_t j = 0; j < w.cols; ++j) sum += w(i, j) * u[j];
        out[i] = sum;
    }
}

template <class Real>
void Picnn::apply_backward(std::span<const Real> values, const Map& map, std::span<const Real> u,
                           std::span<const Real> dout, std::span<Real> gradients, std::span<Real> du) const {
    const auto w = matrix_of(values, map.weight);
    const auto dw = matrix_of(gradients, map.weight);
    for (std::size_t i = 0; i < w.rows; ++i) {
        if (map.bias.size() > 0) elements_of(gradients, map.bias)[i] += dout[i];
        for (std::size_t j = 0; j < w.cols; ++j) {
            dw(i, j) += dout[i] * u[j];
            du[j] += dout[i] * w(i, j);
        }
    }
}

template <class Real>
void Picnn::bind_layer(std::span<const Real> values, std::size_t l, Bound<Real>& bound) const {
    const std::span<const Real> own = icnn_part(values);
    const std::span<Real> out(bound.values);
    const std::span<const Real> u(bound.u[l]);
    apply(values, gate_x_[l], u, bound.gate_x[l]);
    gate_columns<Real>(matrix_of(own, icnn_.input_weight(l)), bound.gate_x[l],
                       matrix_of(out, icnn_.input_weight(l)));
    apply(values, shift_[l], u, bound.dgate);
    const auto bias = elements_of(out, icnn_.bias(l));
    for (std::size_t i = 0; i < bias.size(); ++i) {
        bias[i] = elements_of(own, icnn_.bias(l))[i] + bound.dgate[i];
    }
    if (l > 0) {
        apply(values, gate_z_[l], u, bound.gate_z[l]);
        bound.dgate = bound.gate_z[l];
        for (Real& g : bound.dgate) g = softplus(g);
        gate_columns<Real>(matrix_of(own, icnn_.hidden_weight(l)), bound.dgate,
                           matrix_of(out, icnn_.hidden_weight(l)));
    }
    if (l < path_.size()) {
        apply(values, path_[l], u, bound.u[l + 1]);
        for (Real& v : bound.u[l + 1]) v *= leaky_slope(v);
    }
}

template <class Real>
void Picnn::bind(std::span<const Real> values, std::span<const Real> context, Bound<Real>& bound) const {
    const std::size_t layers = icnn_.shape().layers;
    core::check_shape("picnn.context", 1, context.size(), 1, context_);
    bound.gradients.assign(icnn_layout_.size(), Real{0});
    bound.values.resize(icnn_layout_.size());
    std::ranges::copy(icnn_part(values), bound.values.begin());
    if (context_ == 0) return;
    bound.u.resize(layers + 1);
    bound.gate_x.resize(layers + 1);
    bound.gate_z.resize(layers + 1);
    bound.u[0].assign(context.begin(), context.end());
    for (std::size_t l = 0; l <= layers; ++l) bind_layer(values, l, bound);
}

// Propagates the gradient through layer l. On entry bound.du is dLoss/du of the layer above, on return that
// of this layer.
template <class Real>
void Picnn::unbind_layer(std::span<const Real> values, std::size_t l, Bound<Real>& bound,
                         std::span<Real> gradients) const {
    const std::span<const Real> own = icnn_part(values);
    const std::span<Real> down = icnn_part(gradients);
    const std::span<const Real> dbound(bound.gradients);
    const std::span<const Real> u(bound.u[l]);
    bound.du_below.assign(u.size(), Real{0});
    const std::span<Real> du(bound.du_below);
    if (l < path_.size()) {
        for (std::size_t i = 0; i < bound.du.size(); ++i) {
            bound.du[i] *= leaky_slope(bound.u[l + 1][i]);
        }
        apply_backward<Real>(values, path_[l], u, bound.du, gradients, du);
    }
    const Tensor& input = icnn_.input_weight(l);
    gate_columns_backward<Real>(matrix_of(own, input), bound.gate_x[l], matrix_of(dbound, input),
                                matrix_of(down, input), bound.dgate);
    apply_backward<Real>(values, gate_x_[l], u, bound.dgate, gradients, du);
    const std::span<const Real> dbias = elements_of(dbound, icnn_.bias(l));
    for (std::size_t i = 0; i < dbias.size(); ++i) elements_of(down, icnn_.bias(l))[i] += dbias[i];
    apply_backward<Real>(values, shift_[l], u, dbias, gradients, du);
    if (l > 0) {
        const Tensor& hidden = icnn_.hidden_weight(l);
        std::vector<Real>& raw = bound.gate_z[l];
        bound.du = raw;  // du is no longer needed for this layer, so it holds the gate
        for (Real& g : bound.du) g = softplus(g);
        gate_columns_backward<Real>(matrix_of(own, hidden), bound.du, matrix_of(dbound, hidden),
                                    matrix_of(down, hidden), bound.dgate);
        for (std::size_t i = 0; i < raw.size(); ++i) bound.dgate[i] *= logistic(raw[i]);
        apply_backward<Real>(values, gate_z_[l], u, bound.dgate, gradients, du);
    }
    std::swap(bound.du, bound.du_below);
}

template <class Real>
void Picnn::unbind(std::span<const Real> values, Bound<Real>& bound, std::span<Real> gradients) const {
    if (context_ == 0) {
        const std::span<Real> down = icnn_part(gradients);
        for (std::size_t i = 0; i < down.size(); ++i) down[i] += bound.gradients[i];
        return;
    }
    bound.du.clear();
    for (std::size_t l = icnn_.shape().layers + 1; l-- > 0;) unbind_layer(values, l, bound, gradients);
}

template void Picnn::bind(std::span<const float>, std::span<const float>, Bound<float>&) const;
template void Picnn::bind(std::span<const double>, std::span<const double>, Bound<double>&) const;
template void Picnn::unbind(std::span<const float>, Bound<float>&, std::span<float>) const;
template void Picnn::unbind(std::span<const double>, Bound<double>&, std::span<double>) const;

}  // namespace popflow::nn
