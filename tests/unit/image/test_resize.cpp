// SPDX-License-Identifier: MIT
#include "image/resize.hpp"

#include <gtest/gtest.h>

#include <numeric>

using namespace popflow;

namespace {

/// Returns a picture with the same value in the three channels of a pixel.
image::Image grey(std::size_t width, std::size_t height, const std::vector<float>& values) {
    image::Image picture{.width = width, .height = height, .rgb = {}};
    for (const float v : values) picture.rgb.insert(picture.rgb.end(), {v, v, v});
    return picture;
}

}  // namespace

TEST(Resize, TakesMeansOfWholePixels) {
    const image::Image small = image::shrunk(grey(4, 2, {0, 1, 4, 6, 2, 5, 8, 2}), 2);
    EXPECT_EQ(small.width, 2U);
    EXPECT_EQ(small.height, 1U);
    EXPECT_EQ(small.rgb, (std::vector<float>{2, 2, 2, 5, 5, 5}));
}

TEST(Resize, WeighsPixelsAtTheBorderOfAnArea) {
    // Three pixels to two: each new pixel covers one and a half.
    const image::Image small = image::shrunk(grey(3, 1, {3, 6, 12}), 2);
    ASSERT_EQ(small.rgb.size(), 6U);
    EXPECT_FLOAT_EQ(small.rgb[0], (3 + 0.5F * 6) / 1.5F);
    EXPECT_FLOAT_EQ(small.rgb[3], (0.5F * 6 + 12) / 1.5F);
}

TEST(Resize, KeepsTheMeanAndTheProportions) {
    std::vector<float> values(70 * 30);
    std::iota(values.begin(), values.end(), 0.0F);
    const image::Image small = image::shrunk(grey(70, 30, values), 7);
    EXPECT_EQ(small.width, 7U);
    EXPECT_EQ(small.height, 3U);
    const double mean = std::accumulate(small.rgb.begin(), small.rgb.end(), 0.0) / 63;
    EXPECT_NEAR(mean, (70 * 30 - 1) / 2.0, 1e-3);
}

TEST(Resize, KeepsSmallPicturesAndThinOnes) {
    EXPECT_EQ(image::shrunk(grey(3, 1, {1, 2, 3}), 3).width, 3U);
    const image::ImageHeader thin = image::shrunk_header({.width = 1000, .height = 2}, 100);
    EXPECT_EQ(thin.width, 100U);
    EXPECT_EQ(thin.height, 1U);
}
