// SPDX-License-Identifier: MIT
#include "simulate/landscapes.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>

using namespace popflow;
using simulate::Landscape;

namespace {

using Colour = std::array<double, 3>;

Colour mean_colour(const image::Image& image) {
    Colour mean{};
    for (std::size_t i = 0; i < image.rgb.size(); ++i)
        mean[i % 3] += static_cast<double>(image.rgb[i]) / static_cast<double>(image.pixels());
    return mean;
}

double distance(const Colour& a, const Colour& b) {
    return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

const simulate::LandscapesOptions small{.seed = 1, .scenes = 2, .test_scenes = 1, .size = 24};

}  // namespace

TEST(Landscapes, HaveEverySceneInEveryPalette) {
    const std::vector<Landscape> all = simulate::plan_landscapes(small);
    std::set<std::string> files;
    for (const Landscape& landscape : all) files.insert(simulate::landscape_file(landscape));
    EXPECT_EQ(all.size(), 3 * simulate::palette_names().size());
    EXPECT_EQ(files.size(), all.size());
    EXPECT_TRUE(files.contains("sunset_2.png"));
}

TEST(Landscapes, AreImagesOfEightBits) {
    const image::Image image = simulate::draw_landscape(small, {.palette = 3, .scene = 1});
    ASSERT_EQ(image.rgb.size(), 3U * 24 * 24);
    for (const float v : image.rgb) {
        EXPECT_GE(v, 0);
        EXPECT_LE(v, 1);
        EXPECT_EQ(v, std::round(255 * v) / 255);
    }
}

TEST(Landscapes, DependOnTheirOwnSceneOnly) {
    simulate::LandscapesOptions more = small;
    more.scenes = 7;
    const Landscape landscape{.palette = 1, .scene = 1};
    const image::Image image = simulate::draw_landscape(small, landscape);
    EXPECT_EQ(simulate::draw_landscape(more, landscape).rgb, image.rgb);
    EXPECT_NE(simulate::draw_landscape(small, {.palette = 1, .scene = 0}).rgb, image.rgb);
    more.seed = 2;
    EXPECT_NE(simulate::draw_landscape(more, landscape).rgb, image.rgb);
}

TEST(Landscapes, DifferMoreBetweenPalettesThanBetweenScenes) {
    for (std::size_t a = 0; a < simulate::palette_names().size(); ++a) {
        const Colour first = mean_colour(simulate::draw_landscape(small, {a, 0}));
        const double scenes = distance(first, mean_colour(simulate::draw_landscape(small, {a, 1})));
        for (std::size_t b = 0; b < a; ++b) {
            const double palettes = distance(first, mean_colour(simulate::draw_landscape(small, {b, 0})));
            EXPECT_GT(palettes, 1.2 * scenes) << a << " and " << b;
        }
    }
}

TEST(Landscapes, ShareTheShapesOfAScene) {
    // The trees are the darkest pixels of both a snowy and a green scene, so their ranks agree.
    const auto luminance = [](const image::Image& image) {
        std::vector<double> values;
        for (std::size_t i = 0; i < image.pixels(); ++i)
            values.push_back(image.rgb[3 * i] + image.rgb[3 * i + 1] + image.rgb[3 * i + 2]);
        return values;
    };
    const std::vector<double> a = luminance(simulate::draw_landscape(small, {.palette = 1, .scene = 0}));
    const std::vector<double> b = luminance(simulate::draw_landscape(small, {.palette = 7, .scene = 0}));
    double ab = 0;
    double aa = 0;
    double bb = 0;
    double mean_a = 0;
    double mean_b = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        mean_a += a[i] / static_cast<double>(a.size());
        mean_b += b[i] / static_cast<double>(a.size());
    }
    for (std::size_t i = 0; i < a.size(); ++i) {
        ab += (a[i] - mean_a) * (b[i] - mean_b);
        aa += (a[i] - mean_a) * (a[i] - mean_a);
        bb += (b[i] - mean_b) * (b[i] - mean_b);
    }
    EXPECT_GT(ab / std::sqrt(aa * bb), 0.8);
}
