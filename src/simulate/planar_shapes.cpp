// SPDX-License-Identifier: MIT
#include "simulate/planar_shapes.hpp"

#include <cmath>
#include <numbers>

namespace popflow::simulate {

ShapeLaw make_spiral(const ShapesOptions& options) {
    ShapeLaw law;
    law.markers = {"x", "y"};
    law.treatments = slice_labels(options);
    law.parameters = {"u", "radius", "angle", "mean_x", "mean_y"};
    law.draw_parameters = [options](const ShapeIndex& index) {
        core::Stream stream = parameter_stream(options, index);
        const double u = draw_slice(stream, options, index, 0.05, 1);
        const double radius = std::sqrt(u);
        const double angle = 2 * std::numbers::pi * radius;
        return std::vector<double>{u, radius, angle, radius * std::cos(angle), radius * std::sin(angle)};
    };
    law.sampler = [](const ShapeIndex& /*index*/, std::span<const double> p) -> CellSampler {
        const double cosine = std::cos(p[2]);
        const double sine = std::sin(p[2]);
        return [cosine, sine, mean_x = p[3], mean_y = p[4]](core::Stream& stream, std::span<double> x) {
            const double along = std::sqrt(0.01 * 0.9) * stream.normal();
            const double across = std::sqrt(0.01 * 0.1) * stream.normal();
            x[0] = mean_x + along * cosine - across * sine;
            x[1] = mean_y + along * sine + across * cosine;
            return std::size_t{0};
        };
    };
    return law;
}

ShapeLaw make_rings(const ShapesOptions& options) {
    ShapeLaw law;
    law.markers = {"x", "y"};
    law.treatments = slice_labels(options);
    law.parameters = {"radius", "flattening", "direction", "centre_x", "centre_y"};
    law.draw_parameters = [options](const ShapeIndex& index) {
        core::Stream stream = parameter_stream(options, index);
        const double radius = draw_slice(stream, options, index, 0.5, 1.5);
        const double flattening = 0.6 * stream.uniform();
        const double direction = std::numbers::pi * stream.uniform();
        const double centre_x = 0.5 * stream.normal();
        const double centre_y = 0.5 * stream.normal();
        return std::vector<double>{radius, flattening, direction, centre_x, centre_y};
    };
    law.sampler = [](const ShapeIndex& /*index*/, std::span<const double> p) -> CellSampler {
        const double long_axis = p[0];
        const double short_axis = p[0] * (1 - p[1]);
        return [=, cosine = std::cos(p[2]), sine = std::sin(p[2]), centre_x = p[3], centre_y = p[4]](
                   core::Stream& stream, std::span<double> x) {
            const double t = 2 * std::numbers::pi * stream.uniform();
            const double along = long_axis * std::cos(t);
            const double across = short_axis * std::sin(t);
            x[0] = centre_x + along * cosine - across * sine + 0.05 * stream.normal();
            x[1] = centre_y + along * sine + across * cosine + 0.05 * stream.normal();
            return std::size_t{0};
        };
    };
    return law;
}

}  // namespace popflow::simulate
