// SPDX-License-Identifier: MIT
#include "nn/convex_potential.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.hpp"
#include "core/simd.hpp"
#include "linalg/exponential.hpp"
#include "linalg/gemm.hpp"

namespace popflow::nn {

using linalg::ConstMatrixView;
using linalg::Matrix;
using linalg::MatrixView;

namespace {

// Potentials of more inputs use matrix products. Below, products are too small for their packing.
constexpr std::size_t max_row_inputs = 8;
// Number of rows after which the products of 1 + e^-|z| turn into logarithms. Each factor is at most 2.
constexpr std::size_t product_rows = 64;

// Returns e^-|z|.
[[gnu::always_inline]] inline float decay_of(float z) {
    return linalg::exp2_bounded(-std::fabs(z) * std::numbers::log2e_v<float>);
}
[[gnu::always_inline]] inline double decay_of(double z) {
    return std::exp(-std::fabs(z));
}

// z[j] = b[j] + sum_k x[k] units[k][j]
template <class Real>
[[gnu::always_inline]] inline void combine(const Real* x, std::size_t d, const Real* units, const Real* bias,
                                           std::size_t h, Real* z) {
    if (bias == nullptr) {
        const Real c = x[0];
#pragma omp simd
        for (std::size_t j = 0; j < h; ++j) z[j] = c * units[j];
    } else {
        const Real c = x[0];
#pragma omp simd
        for (std::size_t j = 0; j < h; ++j) z[j] = bias[j] + c * units[j];
    }
    for (std::size_t k = 1; k < d; ++k) {
        const Real c = x[k];
        const Real* row = units + k * h;
#pragma omp simd
        for (std::size_t j = 0; j < h; ++j) z[j] += c * row[j];
    }
}

// Replaces z by sigma(z).
template <class Real>
[[gnu::always_inline]] inline void activate(Real* z, std::size_t h) {
#pragma omp simd
    for (std::size_t j = 0; j < h; ++j) {
        const Real v = z[j];
        const Real e = decay_of(v);
        const Real inverse = 1 / (1 + e);
        z[j] = v > 0 ? inverse : e * inverse;
    }
}

// As activate(). Adds softplus(z) = max(z, 0) + log(1 + e^-|z|): the first term to `positive`, the argument
// of the logarithm as a factor of `product`.
template <class Real>
[[gnu::always_inline]] inline void activate_and_sum(Real* z, Real* positive, Real* product, std::size_t h) {
#pragma omp simd
    for (std::size_t j = 0; j < h; ++j) {
        const Real v = z[j];
        const Real e = decay_of(v);
        const Real inverse = 1 / (1 + e);
        z[j] = v > 0 ? inverse : e * inverse;
        positive[j] += v > 0 ? v : 0;
        product[j] *= 1 + e;
    }
}

// out[k] = sum_j z[j] units[k][j]
template <class Real>
[[gnu::always_inline]] inline void reduce(const Real* z, const Real* units, std::size_t h, std::size_t d,
                                          Real* out) {
    for (std::size_t k = 0; k < d; ++k) {
        const Real* row = units + k * h;
        Real sum = 0;
#pragma omp simd reduction(+ : sum)
        for (std::size_t j = 0; j < h; ++j) sum += z[j] * row[j];
        out[k] = sum;
    }
}

// The loops of two rows of three inputs in one, which keeps their sums in registers: as combine(), activate()
// and reduce() for both rows. The sums of the softplus are added if `positive` is not null.
template <bool HasSums, class Real>
[[gnu::always_inline]] inline void forward_two_rows_of_three(const Real* x, const Real* y, const Real* units,
                                                             const Real* bias, const Real* scaled,
                                                             std::size_t h, Real* p, Real* q, Real* positive,
                                                             Real* product, Real* p_map, Real* q_map) {
    const Real x0 = x[0], x1 = x[1], x2 = x[2];
    const Real y0 = y[0], y1 = y[1], y2 = y[2];
    Real s0 = 0, s1 = 0, s2 = 0, t0 = 0, t1 = 0, t2 = 0;
#pragma omp simd reduction(+ : s0, s1, s2, t0, t1, t2)
    for (std::size_t j = 0; j < h; ++j) {
        const Real a0 = units[j], a1 = units[h + j], a2 = units[2 * h + j];
        const Real v = bias[j] + x0 * a0 + x1 * a1 + x2 * a2;
        const Real w = bias[j] + y0 * a0 + y1 * a1 + y2 * a2;
        const Real e = decay_of(v);
        const Real f = decay_of(w);
        const Real e_inverse = 1 / (1 + e);
        const Real f_inverse = 1 / (1 + f);
        const Real e_slope = v > 0 ? e_inverse : e * e_inverse;
        const Real f_slope = w > 0 ? f_inverse : f * f_inverse;
        p[j] = e_slope;
        q[j] = f_slope;
        if constexpr (HasSums) {
            positive[j] += (v > 0 ? v : 0) + (w > 0 ? w : 0);
            product[j] *= (1 + e) * (1 + f);
        }
        const Real b0 = scaled[j], b1 = scaled[h + j], b2 = scaled[2 * h + j];
        s0 += e_slope * b0;
        s1 += e_slope * b1;
        s2 += e_slope * b2;
        t0 += f_slope * b0;
        t1 += f_slope * b1;
        t2 += f_slope * b2;
    }
    p_map[0] = s0;
    p_map[1] = s1;
    p_map[2] = s2;
    q_map[0] = t0;
    q_map[1] = t1;
    q_map[2] = t2;
}

template <class Real>
[[gnu::always_inline]] inline void forward_row(const Real* x, std::size_t d, const Real* units,
                                               const Real* bias, const Real* scaled, std::size_t h, Real* p,
                                               Real* positive, Real* product, Real* map) {
    combine(x, d, units, bias, h, p);
    if (positive != nullptr)
        activate_and_sum(p, positive, product, h);
    else
        activate(p, h);
    reduce(p, scaled, h, d, map);
}

// Replaces t = A q by t p (1 - p), adds t p to `weight`, and writes t p (1 - p) + c p to r, whose sum is
// added to `bias`.
template <class Real>
[[gnu::always_inline]] inline void slopes_row(const Real* p, Real c, std::size_t h, Real* t, Real* r,
                                              Real* weight, Real* bias) {
#pragma omp simd
    for (std::size_t j = 0; j < h; ++j) {
        const Real tp = t[j] * p[j];
        weight[j] += tp;
        t[j] = tp - tp * p[j];
        r[j] = t[j] + c * p[j];
        bias[j] += r[j];
    }
}

template <class Real>
[[gnu::always_inline]] inline void backward_row(const Real* x, const Real* q, std::size_t d,
                                                const Real* units, const Real* scaled, const Real* p, Real c,
                                                std::size_t h, Real* t, Real* r, Real* weight, Real* bias,
                                                Real* sums, Real* dx) {
    combine<Real>(q, d, units, nullptr, h, t);
    slopes_row(p, c, h, t, r, weight, bias);
    if (dx != nullptr) reduce(t, scaled, h, d, dx);
    for (std::size_t k = 0; k < d; ++k) {
        const Real a = x[k];
        const Real b = q[k];
        Real* sum = sums + k * h;
#pragma omp simd
        for (std::size_t j = 0; j < h; ++j) sum[j] += a * r[j] + b * p[j];
    }
}

// As backward_row() for two rows x, y of three inputs with the gradients q, r of their maps and the slopes p,
// o.
template <bool HasDx, class Real>
[[gnu::always_inline]] inline void backward_two_rows_of_three(const Real* x, const Real* y, const Real* q,
                                                              const Real* r, const Real* units,
                                                              const Real* scaled, const Real* p,
                                                              const Real* o, Real c, std::size_t h,
                                                              Real* weight, Real* bias, Real* sums, Real* dx,
                                                              Real* dy) {
    const Real x0 = x[0], x1 = x[1], x2 = x[2], y0 = y[0], y1 = y[1], y2 = y[2];
    const Real q0 = q[0], q1 = q[1], q2 = q[2], r0 = r[0], r1 = r[1], r2 = r[2];
    Real s0 = 0, s1 = 0, s2 = 0, t0 = 0, t1 = 0, t2 = 0;
#pragma omp simd reduction(+ : s0, s1, s2, t0, t1, t2)
    for (std::size_t j = 0; j < h; ++j) {
        const Real a0 = units[j], a1 = units[h + j], a2 = units[2 * h + j];
        const Real u = (q0 * a0 + q1 * a1 + q2 * a2) * p[j];
        const Real v = (r0 * a0 + r1 * a1 + r2 * a2) * o[j];
        weight[j] += u + v;
        const Real u_second = u - u * p[j];
        const Real v_second = v - v * o[j];
        const Real u_sum = u_second + c * p[j];
        const Real v_sum = v_second + c * o[j];
        bias[j] += u_sum + v_sum;
        sums[j] += x0 * u_sum + q0 * p[j] + y0 * v_sum + r0 * o[j];
        sums[h + j] += x1 * u_sum + q1 * p[j] + y1 * v_sum + r1 * o[j];
        sums[2 * h + j] += x2 * u_sum + q2 * p[j] + y2 * v_sum + r2 * o[j];
        if constexpr (HasDx) {
            const Real b0 = scaled[j], b1 = scaled[h + j], b2 = scaled[2 * h + j];
            s0 += u_second * b0;
            s1 += u_second * b1;
            s2 += u_second * b2;
            t0 += v_second * b0;
            t1 += v_second * b1;
            t2 += v_second * b2;
        }
    }
    if constexpr (HasDx) {
        dx[0] = s0;
        dx[1] = s1;
        dx[2] = s2;
        dy[0] = t0;
        dy[1] = t1;
        dy[2] = t2;
    }
}

POPFLOW_SIMD void forward_rows(const float* x, std::size_t n, std::size_t stride, std::size_t d,
                               const float* units, const float* bias, const float* scaled, std::size_t h,
                               float* p, float* positive, float* product, float* map,
                               std::size_t map_stride) {
    std::size_t first = 0;
    for (; d == 3 && first + 2 <= n; first += 2) {
        const float* row = x + first * stride;
        float* out = map + first * map_stride;
        float* slope = p + first * h;
        if (positive != nullptr)
            forward_two_rows_of_three<true>(row, row + stride, units, bias, scaled, h, slope, slope + h,
                                            positive, product, out, out + map_stride);
        else
            forward_two_rows_of_three<false>(row, row + stride, units, bias, scaled, h, slope, slope + h,
                                             positive, product, out, out + map_stride);
    }
    for (std::size_t i = first; i < n; ++i)
        forward_row(x + i * stride, d, units, bias, scaled, h, p + i * h, positive, product,
                    map + i * map_stride);
}

void forward_rows(const double* x, std::size_t n, std::size_t stride, std::size_t d, const double* units,
                  const double* bias, const double* scaled, std::size_t h, double* p, double* positive,
                  double* product, double* map, std::size_t map_stride) {
    for (std::size_t i = 0; i < n; ++i)
        forward_row(x + i * stride, d, units, bias, scaled, h, p + i * h, positive, product,
                    map + i * map_stride);
}

POPFLOW_SIMD void activate_rows(float* p, const float* bias, std::size_t n, std::size_t h, float* positive,
                                float* product) {
    for (std::size_t i = 0; i < n; ++i) {
        float* z = p + i * h;
#pragma omp simd
        for (std::size_t j = 0; j < h; ++j) z[j] += bias[j];
        if (positive != nullptr)
            activate_and_sum(z, positive, product, h);
        else
            activate(z, h);
    }
}

void activate_rows(double* p, const double* bias, std::size_t n, std::size_t h, double* positive,
                   double* product) {
    for (std::size_t i = 0; i < n; ++i) {
        double* z = p + i * h;
        for (std::size_t j = 0; j < h; ++j) z[j] += bias[j];
        if (positive != nullptr)
            activate_and_sum(z, positive, product, h);
        else
            activate(z, h);
    }
}

POPFLOW_SIMD void backward_rows(const float* x, std::size_t x_stride, const float* q, std::size_t q_stride,
                                std::size_t n, std::size_t d, const float* units, const float* scaled,
                                const float* p, float c, std::size_t h, float* t, float* r, float* weight,
                                float* bias, float* sums, float* dx, std::size_t dx_stride) {
    std::size_t first = 0;
    for (; d == 3 && first + 2 <= n; first += 2) {
        const float* row = x + first * x_stride;
        const float* gradient = q + first * q_stride;
        const float* slope = p + first * h;
        if (dx != nullptr)
            backward_two_rows_of_three<true>(row, row + x_stride, gradient, gradient + q_stride, units,
                                             scaled, slope, slope + h, c, h, weight, bias, sums,
                                             dx + first * dx_stride, dx + (first + 1) * dx_stride);
        else
            backward_two_rows_of_three<false>(row, row + x_stride, gradient, gradient + q_stride, units,
                                              scaled, slope, slope + h, c, h, weight, bias, sums, dx, dx);
    }
    for (std::size_t i = first; i < n; ++i)
        backward_row(x + i * x_stride, q + i * q_stride, d, units, scaled, p + i * h, c, h, t, r, weight,
                     bias, sums, dx == nullptr ? nullptr : dx + i * dx_stride);
}

void backward_rows(const double* x, std::size_t x_stride, const double* q, std::size_t q_stride,
                   std::size_t n, std::size_t d, const double* units, const double* scaled, const double* p,
                   double c, std::size_t h, double* t, double* r, double* weight, double* bias, double* sums,
                   double* dx, std::size_t dx_stride) {
    for (std::size_t i = 0; i < n; ++i)
        backward_row(x + i * x_stride, q + i * q_stride, d, units, scaled, p + i * h, c, h, t, r, weight,
                     bias, sums, dx == nullptr ? nullptr : dx + i * dx_stride);
}

POPFLOW_SIMD void slopes_rows(const float* p, float c, std::size_t n, std::size_t h, float* t, float* r,
                              float* weight, float* bias) {
    for (std::size_t i = 0; i < n; ++i) slopes_row(p + i * h, c, h, t + i * h, r + i * h, weight, bias);
}

void slopes_rows(const double* p, double c, std::size_t n, std::size_t h, double* t, double* r,
                 double* weight, double* bias) {
    for (std::size_t i = 0; i < n; ++i) slopes_row(p + i * h, c, h, t + i * h, r + i * h, weight, bias);
}

template <class Real>
Real softplus_of(Real w) {
    return std::max(w, Real{0}) + std::log1p(std::exp(-std::abs(w)));
}

// Adds the terms of a and L to a map: out += a + 2 L^T L x.
template <class Real>
void add_quadratic(const ConvexPotential<Real>& potential, bool has_linear, ConstMatrixView<Real> x,
                   MatrixView<Real> out) {
    const std::size_t d = potential.shape.inputs;
    if (d > max_row_inputs) {
        linalg::gemm(false, false, Real{1}, x, potential.curvature.view(), Real{1}, out);
        if (!has_linear) return;
        for (std::size_t i = 0; i < x.rows; ++i) {
            for (std::size_t k = 0; k < d; ++k) out(i, k) += potential.linear[k];
        }
        return;
    }
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t k = 0; k < d; ++k) {
            Real sum = has_linear ? potential.linear[k] : Real{0};
            for (std::size_t l = 0; l < d; ++l) sum += x(i, l) * potential.curvature(l, k);
            out(i, k) += sum;
        }
    }
}

// Adds weight a^T b and, if they differ, its transpose to `squares`.
template <class Real>
void add_products(ConstMatrixView<Real> a, ConstMatrixView<Real> b, Real weight, bool is_symmetrised,
                  Matrix<Real>& squares) {
    const std::size_t d = a.cols;
    if (d > max_row_inputs) {
        linalg::gemm(true, false, weight, a, b, Real{1}, squares.view());
        if (is_symmetrised) linalg::gemm(true, false, weight, b, a, Real{1}, squares.view());
        return;
    }
    for (std::size_t k = 0; k < d; ++k) {
        for (std::size_t l = 0; l < d; ++l) {
            Real sum = 0;
            for (std::size_t i = 0; i < a.rows; ++i) sum += a(i, k) * b(i, l);
            squares(k, l) += weight * sum;
            if (is_symmetrised) squares(l, k) += weight * sum;
        }
    }
}

}  // namespace

template <class Real>
void ConvexPotential<Real>::set(const PotentialShape& sizes, std::span<const Real> parameters) {
    shape = sizes;
    const std::size_t d = shape.inputs;
    const std::size_t h = shape.hidden;
    core::check_shape("convex_potential.parameters", parameters.size(), 1, shape.size(), 1);
    units.reshape(d, h);
    scaled_units.reshape(d, h);
    const auto part = [&](std::size_t first, std::size_t count) { return parameters.subspan(first, count); };
    const auto b = part(shape.bias(), h);
    bias.assign(b.begin(), b.end());
    weight.resize(h);
    weight_slope.resize(h);
    for (std::size_t j = 0; j < h; ++j) {
        const Real w = parameters[shape.weight() + j];
        weight[j] = softplus_of(w);
        weight_slope[j] = 1 / (1 + std::exp(-w));
        for (std::size_t k = 0; k < d; ++k) {
            units(k, j) = parameters[j * d + k];
            scaled_units(k, j) = weight[j] * units(k, j);
        }
    }
    const auto a = part(shape.linear(), d);
    linear.assign(a.begin(), a.end());
    root.reshape(d, d);
    std::ranges::copy(part(shape.quadratic(), d * d), root.values().begin());
    curvature.reshape(d, d);
    for (std::size_t k = 0; k < d; ++k) {
        for (std::size_t l = 0; l < d; ++l) {
            Real sum = 0;
            for (std::size_t i = 0; i < d; ++i) sum += root(i, k) * root(i, l);
            curvature(k, l) = 2 * sum;
        }
    }
}

template <class Real>
void PotentialSums<Real>::clear(const PotentialShape& shape) {
    units.reshape(shape.inputs, shape.hidden);
    units.fill(0);
    bias.assign(shape.hidden, 0);
    weight.assign(shape.hidden, 0);
    linear.assign(shape.inputs, 0);
    squares.reshape(shape.inputs, shape.inputs);
    squares.fill(0);
    value = 0;
}

template <class Real>
void PotentialSums<Real>::add(const PotentialSums& other) {
    const auto add_to = [](std::span<Real> to, std::span<const Real> from) {
        for (std::size_t i = 0; i < to.size(); ++i) to[i] += from[i];
    };
    add_to(units.values(), other.units.values());
    add_to(bias, other.bias);
    add_to(weight, other.weight);
    add_to(linear, other.linear);
    add_to(squares.values(), other.squares.values());
    value += other.value;
}

template <class Real>
void potential_forward(const ConvexPotential<Real>& potential, ConstMatrixView<Real> x, bool needs_values,
                       PotentialBlock<Real>& block, MatrixView<Real> map) {
    const std::size_t d = potential.shape.inputs;
    const std::size_t h = potential.shape.hidden;
    core::check_shape("convex_potential.x", x.rows, x.cols, map.rows, d);
    core::check_shape("convex_potential.map", map.rows, map.cols, map.rows, d);
    block.slope.reshape(x.rows, h);
    Real* positive = nullptr;
    Real* product = nullptr;
    if (needs_values) {
        block.softplus.assign(h, 0);
        block.product.assign(h, 1);
        positive = block.softplus.data();
        product = block.product.data();
    }
    const bool has_products = d > max_row_inputs;
    if (has_products)
        linalg::gemm(false, false, Real{1}, x, potential.units.view(), Real{0}, block.slope.view());
    for (std::size_t first = 0; first < x.rows; first += product_rows) {
        const std::size_t n = std::min(product_rows, x.rows - first);
        Real* slope = block.slope.view().row(first);
        if (has_products)
            activate_rows(slope, potential.bias.data(), n, h, positive, product);
        else
            forward_rows(x.row(first), n, x.stride, d, potential.units.data(), potential.bias.data(),
                         potential.scaled_units.data(), h, slope, positive, product, map.row(first),
                         map.stride);
        if (!needs_values) continue;
        for (std::size_t j = 0; j < h; ++j) {
            block.softplus[j] += std::log(block.product[j]);
            block.product[j] = 1;
        }
    }
    if (has_products)
        linalg::gemm(false, true, Real{1}, block.slope.view(), potential.scaled_units.view(), Real{0}, map);
    add_quadratic(potential, true, x, map);
}

template <class Real>
void potential_backward(const ConvexPotential<Real>& potential, ConstMatrixView<Real> x,
                        ConstMatrixView<Real> q, Real value_weight, PotentialBlock<Real>& block,
                        PotentialSums<Real>& sums, MatrixView<Real> dx) {
    const std::size_t d = potential.shape.inputs;
    const std::size_t h = potential.shape.hidden;
    const std::size_t n = x.rows;
    core::check_shape("convex_potential.q", q.rows, q.cols, n, d);
    core::check_shape("convex_potential.slope", block.slope.rows(), block.slope.cols(), n, h);
    const bool needs_dx = dx.rows > 0;
    if (d > max_row_inputs) {
        block.tangent.reshape(n, h);
        block.second.reshape(n, h);
        linalg::gemm(false, false, Real{1}, q, potential.units.view(), Real{0}, block.tangent.view());
        slopes_rows(block.slope.data(), value_weight, n, h, block.tangent.data(), block.second.data(),
                    sums.weight.data(), sums.bias.data());
        if (needs_dx)
            linalg::gemm(false, true, Real{1}, block.tangent.view(), potential.scaled_units.view(), Real{0},
                         dx);
        linalg::gemm(true, false, Real{1}, x, block.second.view(), Real{1}, sums.units.view());
        linalg::gemm(true, false, Real{1}, q, block.slope.view(), Real{1}, sums.units.view());
    } else {
        block.tangent.reshape(1, h);
        block.second.reshape(1, h);
        backward_rows(x.data, x.stride, q.data, q.stride, n, d, potential.units.data(),
                      potential.scaled_units.data(), block.slope.data(), value_weight, h,
                      block.tangent.data(), block.second.data(), sums.weight.data(), sums.bias.data(),
                      sums.units.data(), needs_dx ? dx.data : nullptr, dx.stride);
    }
    if (needs_dx) add_quadratic(potential, false, q, dx);
    add_products(x, q, Real{1}, true, sums.squares);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < d; ++k) sums.linear[k] += q(i, k);
    }
    if (value_weight == 0) return;
    Matrix<Real> squares(d, d);
    add_products(x, x, Real{1}, false, squares);
    double value = 0;
    for (std::size_t j = 0; j < h; ++j) {
        value += static_cast<double>(potential.weight[j]) * static_cast<double>(block.softplus[j]);
        sums.weight[j] += value_weight * block.softplus[j];
    }
    for (std::size_t k = 0; k < d; ++k) {
        Real column = 0;
        for (std::size_t i = 0; i < n; ++i) column += x(i, k);
        sums.linear[k] += value_weight * column;
        value += static_cast<double>(potential.linear[k]) * static_cast<double>(column);
        for (std::size_t l = 0; l < d; ++l) {
            value +=
                0.5 * static_cast<double>(potential.curvature(k, l)) * static_cast<double>(squares(k, l));
            sums.squares(k, l) += value_weight * squares(k, l);
        }
    }
    sums.value += static_cast<double>(value_weight) * value;
}

template <class Real>
void add_potential_gradient(const ConvexPotential<Real>& potential, const PotentialSums<Real>& sums,
                            std::span<Real> gradient) {
    const PotentialShape& shape = potential.shape;
    const std::size_t d = shape.inputs;
    core::check_shape("convex_potential.gradient", gradient.size(), 1, shape.size(), 1);
    for (std::size_t j = 0; j < shape.hidden; ++j) {
        for (std::size_t k = 0; k < d; ++k) gradient[j * d + k] += potential.weight[j] * sums.units(k, j);
        gradient[shape.bias() + j] += potential.weight[j] * sums.bias[j];
        gradient[shape.weight() + j] += potential.weight_slope[j] * sums.weight[j];
    }
    for (std::size_t k = 0; k < d; ++k) {
        gradient[shape.linear() + k] += sums.linear[k];
        for (std::size_t l = 0; l < d; ++l) {
            Real sum = 0;
            for (std::size_t i = 0; i < d; ++i) sum += potential.root(k, i) * sums.squares(i, l);
            gradient[shape.quadratic() + k * d + l] += 2 * sum;
        }
    }
}

template <class Real>
void potential_map(const ConvexPotential<Real>& potential, ConstMatrixView<Real> x, MatrixView<Real> map) {
    core::check_shape("convex_potential.map", map.rows, map.cols, x.rows, potential.shape.inputs);
    const std::size_t blocks = (x.rows + potential_block - 1) / potential_block;
#pragma omp parallel
    {
        PotentialBlock<Real> block;
#pragma omp for schedule(static)
        for (std::size_t b = 0; b < blocks; ++b) {
            const std::size_t first = b * potential_block;
            const std::size_t n = std::min(potential_block, x.rows - first);
            potential_forward(potential, x.row_block(first, n), false, block, map.row_block(first, n));
        }
    }
}

std::vector<double> potential_values(const ConvexPotential<double>& potential, ConstMatrixView<double> x) {
    const std::size_t d = potential.shape.inputs;
    core::check_shape("convex_potential.x", x.rows, x.cols, x.rows, d);
    std::vector<double> values(x.rows);
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < potential.shape.hidden; ++j) {
            double z = potential.bias[j];
            for (std::size_t k = 0; k < d; ++k) z += x(i, k) * potential.units(k, j);
            values[i] += potential.weight[j] * softplus_of(z);
        }
        for (std::size_t k = 0; k < d; ++k) {
            values[i] += potential.linear[k] * x(i, k);
            for (std::size_t l = 0; l < d; ++l)
                values[i] += 0.5 * x(i, k) * potential.curvature(k, l) * x(i, l);
        }
    }
    return values;
}

#define POPFLOW_INSTANTIATE(Real)                                                                  \
    template struct ConvexPotential<Real>;                                                         \
    template struct PotentialSums<Real>;                                                           \
    template void potential_forward(const ConvexPotential<Real>&, ConstMatrixView<Real>, bool,     \
                                    PotentialBlock<Real>&, MatrixView<Real>);                      \
    template void potential_backward(const ConvexPotential<Real>&, ConstMatrixView<Real>,          \
                                     ConstMatrixView<Real>, Real, PotentialBlock<Real>&,           \
                                     PotentialSums<Real>&, MatrixView<Real>);                      \
    template void add_potential_gradient(const ConvexPotential<Real>&, const PotentialSums<Real>&, \
                                         std::span<Real>);                                         \
    template void potential_map(const ConvexPotential<Real>&, ConstMatrixView<Real>, MatrixView<Real>);
POPFLOW_INSTANTIATE(float)
POPFLOW_INSTANTIATE(double)
#undef POPFLOW_INSTANTIATE

}  // namespace popflow::nn
