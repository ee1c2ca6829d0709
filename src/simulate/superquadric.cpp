// SPDX-License-Identifier: MIT
#include "simulate/superquadric.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace popflow::simulate {

namespace {

// Norm (a^p + b^p)^(1 / p) of two numbers >= 0, without overflow for p >= 1.
double two_norm(double a, double b, double p) {
    const double largest = std::max(a, b);
    if (largest == 0) return 0;
    return largest * std::pow(std::pow(a / largest, p) + std::pow(b / largest, p), 1 / p);
}

std::array<double, 3> draw_direction(core::Stream& stream) {
    const double z = 2 * stream.uniform() - 1;
    const double angle = 2 * std::numbers::pi * stream.uniform();
    const double radius = std::sqrt(1 - z * z);
    return {radius * std::cos(angle), radius * std::sin(angle), z};
}

}  // namespace

double Superquadric::norm(const std::array<double, 3>& x, std::array<double, 3>& gradient) const {
    const double q = 2 / exponents[0];
    const double p = 2 / exponents[1];
    const std::array<double, 3> scaled{std::abs(x[0] / axes[0]), std::abs(x[1] / axes[1]),
                                       std::abs(x[2] / axes[2])};
    const double planar = two_norm(scaled[0], scaled[1], p);
    const double g = two_norm(planar, scaled[2], q);
    const double outer = planar > 0 ? std::pow(planar / g, q - 1) : 0;
    for (std::size_t k = 0; k < 2; ++k) {
        const double inner = planar > 0 ? std::pow(scaled[k] / planar, p - 1) : 0;
        gradient[k] = std::copysign(outer * inner / axes[k], x[k]);
    }
    gradient[2] = std::copysign(std::pow(scaled[2] / g, q - 1) / axes[2], x[2]);
    return g;
}

std::array<double, 3> draw_surface_point(const Superquadric& shape, core::Stream& stream) {
    const auto [a, b, c] = shape.axes;
    const double max_gradient = std::sqrt(1 / (a * a) + 1 / (b * b) + 1 / (c * c));
    const double max_radius = std::sqrt(a * a + b * b + c * c);
    const double bound = max_gradient * max_radius * max_radius * max_radius;
    std::array<double, 3> gradient{};
    for (;;) {
        const std::array<double, 3> u = draw_direction(stream);
        const double g = shape.norm(u, gradient);
        const double slope = std::hypot(gradient[0], gradient[1], gradient[2]);
        if (stream.uniform() * bound < slope / (g * g * g)) return {u[0] / g, u[1] / g, u[2] / g};
    }
}

ShapeLaw make_superquadrics(const ShapesOptions& options) {
    ShapeLaw law;
    law.markers = {"x", "y", "z"};
    law.treatments = slice_labels(options);
    law.parameters = {"axis_x", "axis_y", "axis_z", "exponent_1", "exponent_2", "yaw"};
    law.draw_parameters = [options](const ShapeIndex& index) {
        core::Stream stream = parameter_stream(options, index);
        std::vector<double> p;
        for (int k = 0; k < 3; ++k) p.push_back(0.4 + 0.6 * stream.uniform());
        p.push_back(draw_slice(stream, options, index, 0.2, 2));
        p.push_back(0.2 + 1.8 * stream.uniform());
        p.push_back(2 * std::numbers::pi * stream.uniform());
        return p;
    };
    law.sampler = [](const ShapeIndex& /*index*/, std::span<const double> p) -> CellSampler {
        const Superquadric shape{.axes = {p[0], p[1], p[2]}, .exponents = {p[3], p[4]}};
        return [shape, cosine = std::cos(p[5]), sine = std::sin(p[5])](core::Stream& stream,
                                                                       std::span<double> x) {
            const auto [along, across, height] = draw_surface_point(shape, stream);
            x[0] = cosine * along - sine * across;
            x[1] = sine * along + cosine * across;
            x[2] = height;
            return std::size_t{0};
        };
    };
    return law;
}

}  // namespace popflow::simulate
