// SPDX-License-Identifier: MIT
#include "simulate/landscapes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

#include "core/random.hpp"
#include "core/stored_file.hpp"
#include "image/png_file.hpp"

namespace popflow::simulate {

namespace {

// Red, green and blue in [0, 1].
using Colour = std::array<double, 3>;

// Colours of a landscape.
struct Palette {
    const char* name;
    Colour zenith;
    Colour horizon;
    Colour cloud;
    Colour sun;
    Colour far_ridge;
    Colour near_ridge;
    Colour lake;
    Colour field;
    Colour dry_field;  ///< field where its noise is high
    Colour tree;
};

constexpr std::array<Palette, 8> palettes{{
    {"sunset",
     {0.28, 0.20, 0.45},
     {0.98, 0.55, 0.25},
     {0.95, 0.45, 0.42},
     {1.00, 0.90, 0.60},
     {0.55, 0.30, 0.45},
     {0.30, 0.15, 0.28},
     {0.75, 0.42, 0.38},
     {0.28, 0.16, 0.14},
     {0.48, 0.26, 0.16},
     {0.12, 0.07, 0.10}},
    {"forest",
     {0.52, 0.70, 0.78},
     {0.82, 0.90, 0.84},
     {0.94, 0.96, 0.93},
     {1.00, 0.98, 0.85},
     {0.40, 0.56, 0.50},
     {0.14, 0.34, 0.22},
     {0.26, 0.42, 0.38},
     {0.16, 0.38, 0.14},
     {0.36, 0.50, 0.18},
     {0.04, 0.20, 0.08}},
    {"sea",
     {0.10, 0.42, 0.80},
     {0.62, 0.86, 0.96},
     {0.98, 0.99, 1.00},
     {1.00, 0.97, 0.80},
     {0.36, 0.58, 0.74},
     {0.18, 0.42, 0.58},
     {0.05, 0.52, 0.66},
     {0.86, 0.78, 0.58},
     {0.94, 0.90, 0.74},
     {0.10, 0.42, 0.32}},
    {"desert",
     {0.36, 0.56, 0.82},
     {0.96, 0.86, 0.70},
     {0.98, 0.92, 0.82},
     {1.00, 0.95, 0.78},
     {0.76, 0.54, 0.42},
     {0.64, 0.34, 0.20},
     {0.52, 0.58, 0.54},
     {0.84, 0.62, 0.34},
     {0.92, 0.74, 0.46},
     {0.44, 0.42, 0.20}},
    {"night",
     {0.02, 0.03, 0.12},
     {0.12, 0.18, 0.38},
     {0.20, 0.24, 0.42},
     {0.92, 0.94, 0.98},
     {0.10, 0.14, 0.28},
     {0.05, 0.08, 0.17},
     {0.10, 0.16, 0.34},
     {0.04, 0.08, 0.10},
     {0.08, 0.13, 0.16},
     {0.01, 0.02, 0.04}},
    {"autumn",
     {0.60, 0.66, 0.72},
     {0.90, 0.84, 0.74},
     {0.92, 0.90, 0.86},
     {1.00, 0.92, 0.70},
     {0.58, 0.48, 0.42},
     {0.60, 0.28, 0.10},
     {0.40, 0.40, 0.38},
     {0.72, 0.44, 0.10},
     {0.84, 0.62, 0.18},
     {0.62, 0.14, 0.06}},
    {"snow",
     {0.56, 0.68, 0.84},
     {0.88, 0.90, 0.95},
     {0.97, 0.97, 0.99},
     {1.00, 0.98, 0.92},
     {0.74, 0.80, 0.90},
     {0.52, 0.60, 0.72},
     {0.64, 0.76, 0.86},
     {0.90, 0.93, 0.97},
     {0.98, 0.98, 1.00},
     {0.20, 0.28, 0.30}},
    {"meadow",
     {0.30, 0.58, 0.94},
     {0.80, 0.90, 0.98},
     {1.00, 1.00, 1.00},
     {1.00, 0.98, 0.74},
     {0.46, 0.64, 0.72},
     {0.30, 0.56, 0.30},
     {0.34, 0.60, 0.82},
     {0.46, 0.74, 0.20},
     {0.90, 0.82, 0.22},
     {0.12, 0.42, 0.14}},
}};

double mix(double a, double b, double t) {
    return a + (b - a) * t;
}

Colour mix(const Colour& a, const Colour& b, double t) {
    return {mix(a[0], b[0], t), mix(a[1], b[1], t), mix(a[2], b[2], t)};
}

// Returns 0 below `low`, 1 above `high`, and a smooth step between them.
double smooth_step(double low, double high, double value) {
    const double t = std::clamp((value - low) / (high - low), 0.0, 1.0);
    return t * t * (3 - 2 * t);
}

// Smooth noise in [0, 1]: random values on a periodic lattice, interpolated, in octaves of half the size and
// half the weight.
class Noise {
  public:
    explicit Noise(core::Stream stream) {
        for (double& value : lattice_) value = stream.uniform();
    }
    double at(double x, double y, int octaves) const {
        double sum = 0;
        double weight = 0.5;
        double total = 0;
        for (int k = 0; k < octaves; ++k) {
            sum += weight * octave(x, y);
            total += weight;
            weight /= 2;
            x = 2 * x + 17.3;
            y = 2 * y + 5.7;
        }
        return sum / total;
    }

  private:
    static constexpr std::int64_t side = 64;

    double value(std::int64_t x, std::int64_t y) const {
        const std::int64_t column = ((x % side) + side) % side;
        const std::int64_t row = ((y % side) + side) % side;
        return lattice_[static_cast<std::size_t>(row * side + column)];
    }
    double octave(double x, double y) const {
        const double left = std::floor(x);
        const double top = std::floor(y);
        const auto i = static_cast<std::int64_t>(left);
        const auto j = static_cast<std::int64_t>(top);
        const double u = smooth_step(0, 1, x - left);
        const double v = smooth_step(0, 1, y - top);
        return mix(mix(value(i, j), value(i + 1, j), u), mix(value(i, j + 1), value(i + 1, j + 1), u), v);
    }

    std::array<double, static_cast<std::size_t>(side* side)> lattice_{};
};

struct Tree {
    double x = 0;
    double foot = 0;
    double height = 0;
};

// Shapes of a scene, in units of the side of the image. y points down.
class Scene {
  public:
    Scene(std::uint64_t seed, std::size_t scene) : noise_(stream(seed, scene, 0)) {
        core::Stream draws = stream(seed, scene, 1);
        horizon_ = 0.46 + 0.16 * draws.uniform();
        lake_end_ = horizon_ + 0.06 + 0.16 * draws.uniform();
        sun_x_ = 0.15 + 0.7 * draws.uniform();
        sun_y_ = horizon_ * (0.25 + 0.45 * draws.uniform());
        sun_radius_ = 0.035 + 0.03 * draws.uniform();
        clouds_ = 0.42 + 0.16 * draws.uniform();
        relief_ = 0.6 + 0.8 * draws.uniform();
        const std::size_t trees = 4 + draws.below(9);
        for (std::size_t k = 0; k < trees; ++k) {
            const double depth = draws.uniform();
            trees_.push_back({draws.uniform(), mix(lake_end_ + 0.03, 0.98, depth),
                              (0.08 + 0.16 * depth) * (0.8 + 0.4 * draws.uniform())});
        }
        std::ranges::sort(trees_, {}, &Tree::foot);  // near trees hide those behind them
    }

    Colour colour(const Palette& p, double x, double y) const {
        for (auto tree = trees_.rbegin(); tree != trees_.rend(); ++tree) {
            if (is_in_tree(*tree, x, y)) return mix(p.tree, p.field, 0.45 * noise_.at(40 * x, 40 * y + 9, 2));
        }
        if (y > shore(x)) return field(p, x, y);
        if (y > horizon_) return lake(p, x, y);
        return above_horizon(p, x, y);
    }

  private:
    static core::Stream stream(std::uint64_t seed, std::size_t scene, std::uint64_t part) {
        return {seed, core::Purpose::simulation, 0x6c616e6473636170ULL + part, scene};
    }

    double shore(double x) const { return lake_end_ + 0.05 * (noise_.at(3 * x, 31, 3) - 0.5); }
    double ridge(int number, double x) const {
        const double height = relief_ * (0.30 - 0.09 * number);
        return horizon_ - height * noise_.at((2 + 1.5 * number) * x + 7 * number, 11 + 3 * number, 4);
    }

    Colour sky(const Palette& p, double x, double y) const {
        Colour colour = mix(p.zenith, p.horizon, std::clamp(y / horizon_, 0.0, 1.0));
        const double cover = smooth_step(clouds_, clouds_ + 0.28, noise_.at(3 * x, 8 * y, 4));
        const double distance = std::hypot(x - sun_x_, y - sun_y_);
        colour = mix(colour, p.sun, 0.55 * std::exp(-distance * distance / 0.03));
        colour = mix(colour, p.sun, 1 - smooth_step(sun_radius_, sun_radius_ + 0.012, distance));
        return mix(colour, p.cloud, 0.85 * cover);
    }

    Colour above_horizon(const Palette& p, double x, double y) const {
        for (int number = 2; number >= 0; --number) {
            const double top = ridge(number, x);
            if (y <= top) continue;
            const Colour rock = mix(p.far_ridge, p.near_ridge, 0.5 * number);
            const double light = 0.75 + 0.5 * noise_.at(22 * x, 22 * y + 3 * number, 3);
            const double haze = (number == 2 ? 0.10 : 0.28) * smooth_step(top, horizon_, y);
            const Colour lit{rock[0] * light, rock[1] * light, rock[2] * light};
            return mix(lit, p.horizon, haze);
        }
        return sky(p, x, y);
    }

    Colour lake(const Palette& p, double x, double y) const {
        const double depth = (y - horizon_) / (lake_end_ - horizon_);
        const double wave = noise_.at(6 * x, 90 * y, 2);
        const Colour mirrored = above_horizon(p, x + 0.02 * (wave - 0.5), 2 * horizon_ - y);
        const Colour water = mix(p.lake, mirrored, 0.55 - 0.35 * std::clamp(depth, 0.0, 1.0));
        return mix(water, p.horizon, 0.4 * smooth_step(0.62, 0.82, wave));
    }

    Colour field(const Palette& p, double x, double y) const {
        const double depth = (y - lake_end_) / (1 - lake_end_);
        const double scale = 14 - 8 * depth;  // near plants are larger
        const double dry = smooth_step(0.35, 0.7, noise_.at(scale * x, 2 * scale * y, 4));
        const double light = 0.70 + 0.45 * noise_.at(50 * x, 70 * y, 2);
        const Colour ground = mix(p.field, p.dry_field, dry);
        return {ground[0] * light, ground[1] * light, ground[2] * light};
    }

    // A crown of three layers that narrow to the top.
    static bool is_in_tree(const Tree& tree, double x, double y) {
        const double up = (tree.foot - y) / tree.height;
        if (up < 0 || up > 1) return false;
        const double layer =
            up < 0.12 ? 0.05 : 0.26 * (1 - up) * (0.72 + 0.28 * (1 - std::fmod(3 * up, 1.0)));
        return std::abs(x - tree.x) < layer * tree.height;
    }

    Noise noise_;
    double horizon_ = 0;
    double lake_end_ = 0;
    double sun_x_ = 0;
    double sun_y_ = 0;
    double sun_radius_ = 0;
    double clouds_ = 0;  ///< noise above which there are clouds
    double relief_ = 0;  ///< height of the ridges
    std::vector<Tree> trees_;
};

std::string path_in(const std::string& folder, const std::string& name) {
    return (std::filesystem::path(folder) / name).string();
}

}  // namespace

const std::vector<std::string>& palette_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all;
        for (const Palette& palette : palettes) all.emplace_back(palette.name);
        return all;
    }();
    return names;
}

std::vector<Landscape> plan_landscapes(const LandscapesOptions& options) {
    std::vector<Landscape> all;
    for (std::size_t palette = 0; palette < palettes.size(); ++palette) {
        for (std::size_t scene = 0; scene < options.scenes + options.test_scenes; ++scene)
            all.push_back({palette, scene});
    }
    return all;
}

std::string landscape_file(const Landscape& landscape) {
    return fmt::format("{}_{}.png", palettes.at(landscape.palette).name, landscape.scene);
}

image::Image draw_landscape(const LandscapesOptions& options, const Landscape& landscape) {
    constexpr double grain = 0.02;
    const std::size_t n = options.size;
    const Palette& palette = palettes.at(landscape.palette);
    const Scene scene(options.seed, landscape.scene);
    core::Stream noise(options.seed, core::Purpose::simulation, 0x677261696eULL + landscape.palette,
                       landscape.scene);
    image::Image image{.width = n, .height = n, .rgb = {}};
    image.rgb.reserve(3 * n * n);
    for (std::size_t row = 0; row < n; ++row) {
        for (std::size_t column = 0; column < n; ++column) {
            const double x = (static_cast<double>(column) + 0.5) / static_cast<double>(n);
            const double y = (static_cast<double>(row) + 0.5) / static_cast<double>(n);
            const double light = 1 + grain * (2 * noise.uniform() - 1);
            for (const double value : scene.colour(palette, x, y)) {
                const double byte = std::round(255 * std::clamp(value * light, 0.0, 1.0));
                image.rgb.push_back(static_cast<float>(byte) / 255);
            }
        }
    }
    return image;
}

void write_landscapes(const LandscapesOptions& options, const std::string& folder,
                      std::span<const std::size_t> chosen) {
    const std::vector<Landscape> all = plan_landscapes(options);
    for (const std::size_t i : chosen) {
        const image::Image image = draw_landscape(options, all.at(i));
        core::store_file(path_in(folder, landscape_file(all[i])), image::png_bytes(image));
    }
}

void write_landscape_sheet(const LandscapesOptions& options, const std::string& folder) {
    std::string text = "file,palette,scene,split\n";
    for (const Landscape& landscape : plan_landscapes(options))
        text += fmt::format("{},{},{},{}\n", landscape_file(landscape), palette_names()[landscape.palette],
                            landscape.scene, landscape.scene < options.scenes ? "train" : "test");
    core::store_file(path_in(folder, "sheet.csv"), std::as_bytes(std::span(text)));
}

}  // namespace popflow::simulate
