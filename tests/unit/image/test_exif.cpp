// SPDX-License-Identifier: MIT
#include "image/exif.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/png_file.hpp"

using namespace popflow;
using support::Order;

namespace {

int orientation_of(const std::string& exif) {
    return image::exif_orientation({reinterpret_cast<const unsigned char*>(exif.data()), exif.size()});
}

/// Returns the pixels of a picture with the rows `1 2 3` and `4 5 6` in an orientation, as rows of digits.
std::string turned(int orientation) {
    image::Image picture{.width = 3, .height = 2, .rgb = {}};
    for (int pixel = 1; pixel <= 6; ++pixel)
        for (int c = 0; c < 3; ++c) picture.rgb.push_back(static_cast<float>(pixel));
    const image::Image result = image::oriented(picture, orientation);
    std::string text;
    for (std::size_t i = 0; i < result.pixels(); ++i) {
        if (i > 0 && i % result.width == 0) text += ' ';
        text += std::to_string(static_cast<int>(result.rgb[3 * i]));
    }
    return text;
}

}  // namespace

TEST(Exif, HasAnOrientationInBothByteOrders) {
    for (int k = 1; k <= 8; ++k) {
        EXPECT_EQ(orientation_of(support::exif_bytes(static_cast<std::uint16_t>(k))), k);
        EXPECT_EQ(orientation_of(support::exif_bytes(static_cast<std::uint16_t>(k), Order::big)), k);
    }
}

TEST(Exif, IsUprightIfItIsDamaged) {
    EXPECT_EQ(orientation_of(""), 1);
    EXPECT_EQ(orientation_of("MI" + std::string(40, '\x2a')), 1);
    EXPECT_EQ(orientation_of(support::exif_bytes(0)), 1);
    EXPECT_EQ(orientation_of(support::exif_bytes(9)), 1);
    const std::string whole = support::exif_bytes(6);
    for (std::size_t n = 0; n < 20; ++n) EXPECT_EQ(orientation_of(whole.substr(0, n)), 1) << n;
    std::string far = whole;  // a directory beyond the end
    far.replace(4, 4, "\xff\xff\xff\xff");
    EXPECT_EQ(orientation_of(far), 1);
}

TEST(Exif, TurnsAPictureUpright) {
    EXPECT_EQ(turned(1), "123 456");
    EXPECT_EQ(turned(2), "321 654");
    EXPECT_EQ(turned(3), "654 321");
    EXPECT_EQ(turned(4), "456 123");
    EXPECT_EQ(turned(5), "14 25 36");
    EXPECT_EQ(turned(6), "41 52 63");
    EXPECT_EQ(turned(7), "63 52 41");
    EXPECT_EQ(turned(8), "36 25 14");
}
