// SPDX-License-Identifier: MIT
#include "image/png_file.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <utility>

#include "image/image_file.hpp"
#include "support/image_fixture.hpp"
#include "support/png_file.hpp"

using namespace popflow;
using support::PngFile;
using Floats = std::vector<float>;

namespace {

/// Returns k / 255 of each value.
Floats bytes(const std::vector<int>& values) {
    Floats out;
    for (const int v : values) out.push_back(static_cast<float>(v) / 255);
    return out;
}

class PngReading : public support::ImageFolder {
  protected:
    image::Image read(const PngFile& png) const { return image::read_png(store("a.png", png.bytes())); }
    image::Image written(const image::Image& image, image::PngDepth depth) const {
        const std::vector<std::byte> png = image::png_bytes(image, depth);
        return image::read_png(store("w.png", {reinterpret_cast<const char*>(png.data()), png.size()}));
    }
    std::string error(const std::string& bytes) const {
        const std::string path = store("a.png", bytes);
        return error_of([&] { (void)image::read_png(path); });
    }
};

const PngFile two_by_two{.width = 2, .height = 2, .rows = {{"\x00\x01\x02\xff\xfe\xfd", 6}, "abcdef"}};

}  // namespace

TEST_F(PngReading, ReadsColoursOfEightBits) {
    const image::Image image = read(two_by_two);
    EXPECT_EQ(image.width, 2U);
    EXPECT_EQ(image.height, 2U);
    EXPECT_EQ(image.rgb, bytes({0, 1, 2, 255, 254, 253, 97, 98, 99, 100, 101, 102}));
}

TEST_F(PngReading, ReadsColoursOfSixteenBits) {
    const image::Image image =
        read({.width = 1, .height = 1, .bits = 16, .rows = {{"\x80\x01\x00\x02\xff\xff", 6}}});
    EXPECT_EQ(image.rgb, (Floats{32769.0F / 65535, 2.0F / 65535, 1}));
}

TEST_F(PngReading, RepeatsGreyInEachChannel) {
    EXPECT_EQ(read({.width = 2, .height = 1, .colour_type = 0, .rows = {{"\x10\x20", 2}}}).rgb,
              bytes({16, 16, 16, 32, 32, 32}));
    // Four values of two bits: 0, 1, 2, 3 of 3.
    EXPECT_EQ(read({.width = 4, .height = 1, .bits = 2, .colour_type = 0, .rows = {"\x1b"}}).rgb,
              bytes({0, 0, 0, 85, 85, 85, 170, 170, 170, 255, 255, 255}));
}

TEST_F(PngReading, LooksUpColoursOfAPalette) {
    const PngFile png{.width = 3,
                      .height = 1,
                      .bits = 4,
                      .colour_type = 3,
                      .rows = {{"\x10\x10", 2}},
                      .chunks = {{"PLTE", {"\x01\x02\x03\x0a\x0b\x0c", 6}}}};
    EXPECT_EQ(read(png).rgb, bytes({10, 11, 12, 1, 2, 3, 10, 11, 12}));
}

TEST_F(PngReading, BlendsTransparentPixelsOverWhite) {
    // Red with opacity 0, 255 and 51 = 255 / 5.
    const PngFile png{
        .width = 3, .height = 1, .colour_type = 6, .rows = {{"\xff\0\0\0\xff\0\0\xff\xff\0\0\x33", 12}}};
    const Floats rgb = read(png).rgb;
    const Floats expected{1, 1, 1, 1, 0, 0, 1, 0.8F, 0.8F};
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(rgb.at(i), expected[i], 1e-6);
    EXPECT_TRUE(image::read_png_header(file("a.png")).has_transparency);
}

TEST_F(PngReading, BlendsTheTransparentColourOfAPalette) {
    const PngFile png{.width = 2,
                      .height = 1,
                      .colour_type = 3,
                      .rows = {{"\x00\x01", 2}},
                      .chunks = {{"PLTE", {"\x01\x02\x03\x0a\x0b\x0c", 6}}, {"tRNS", std::string(1, '\0')}}};
    EXPECT_EQ(read(png).rgb, bytes({255, 255, 255, 10, 11, 12}));
}

TEST_F(PngReading, ReadsInterlacedImages) {
    // 3 x 2 grey pixels 1 2 3 / 4 5 6. Adam7 stores (0, 0), then column 2, then column 1, then row 1.
    const PngFile png{.width = 3,
                      .height = 2,
                      .colour_type = 0,
                      .interlace = 1,
                      .rows = {"\x01", "\x03", "\x02", "\x04\x05\x06"}};
    const Floats rgb = read(png).rgb;
    ASSERT_EQ(rgb.size(), 18U);
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(rgb[3 * i], static_cast<float>(i + 1) / 255);
}

TEST_F(PngReading, TurnsTheImageByItsExifOrientation) {
    PngFile png{.width = 2, .height = 1, .colour_type = 0, .rows = {"\x01\x02"}};
    png.chunks = {{"eXIf", support::exif_bytes(6, support::Order::big)}};
    const image::Image image = read(png);
    EXPECT_EQ(image.width, 1U);
    EXPECT_EQ(image.height, 2U);
    EXPECT_EQ(image.rgb, bytes({1, 1, 1, 2, 2, 2}));
    EXPECT_EQ(image::read_png_header(file("a.png")).height, 2U);
}

TEST_F(PngReading, IgnoresGammaAndTexts) {
    PngFile png = two_by_two;
    png.chunks = {{"gAMA", support::bytes_of(100000, 4, support::Order::big)},
                  {"tEXt", std::string("Title\0x", 7)}};
    EXPECT_EQ(read(png).rgb, read(two_by_two).rgb);
}

TEST_F(PngReading, RefusesAnyTruncation) {
    const std::string whole = two_by_two.bytes();
    for (std::size_t n = 8; n < whole.size(); ++n) {
        const std::string message = error(whole.substr(0, n));
        EXPECT_TRUE(message.starts_with("a.png: ")) << n << " bytes: " << message;
    }
    EXPECT_EQ(error(whole), "no error");
}

TEST_F(PngReading, RefusesAnyChangedByte) {
    PngFile png = two_by_two;
    png.chunks = {{"tEXt", std::string("Title\0x", 7)}};  // its CRC is checked too
    const std::string whole = png.bytes();
    for (std::size_t i = 0; i < whole.size(); ++i) {
        std::string damaged = whole;
        damaged[i] = static_cast<char>(damaged[i] ^ 4);
        EXPECT_NE(error(damaged), "no error") << "byte " << i;
    }
}

TEST_F(PngReading, RefusesASizeThatTheFileCannotHold) {
    PngFile png = two_by_two;
    png.width = 50000;
    png.height = 40000;
    EXPECT_EQ(error(png.bytes()),
              "a.png: found a size of 50000 x 40000 pixels, more than the file can hold: it is truncated or "
              "damaged, get it again");
    png.width = 0x7fffffff;
    png.height = 0x7fffffff;
    EXPECT_NE(error(png.bytes()).find("more than the file can hold"), std::string::npos);
    const std::string path = file("a.png");
    EXPECT_NE(error_of([&] { (void)image::read_png_header(path); }).find("more than the file can hold"),
              std::string::npos);
}

TEST_F(PngReading, RefusesTooFewPixels) {
    PngFile png = two_by_two;
    png.height = 3;
    EXPECT_EQ(error(png.bytes()),
              "a.png: is a damaged PNG file (Not enough image data): get or write it again");
}

TEST_F(PngReading, ReadsBackExactlyWhatItWrites) {
    for (const auto& [depth, largest] :
         {std::pair{image::PngDepth::bits8, 255}, std::pair{image::PngDepth::bits16, 65535}}) {
        // All values that the depth can store, in another order.
        image::Image image{.width = static_cast<std::size_t>(largest + 1), .height = 1};
        for (int i = 0; i < 3 * (largest + 1); ++i)
            image.rgb.push_back(static_cast<float>((i * 7 + i / 256) % (largest + 1)) /
                                static_cast<float>(largest));
        EXPECT_EQ(written(image, depth).rgb, image.rgb) << largest;
        image.height = 2;
        EXPECT_THROW(image::png_bytes(image, depth), core::ShapeMismatch);
    }
}

TEST_F(PngReading, LimitsAndRoundsWhatItWrites) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const auto& [depth, largest] :
         {std::pair{image::PngDepth::bits8, 255.0F}, std::pair{image::PngDepth::bits16, 65535.0F}}) {
        const image::Image image{
            .width = 3, .height = 1, .rgb = {-3, 0, 0.5F, 1, 7, nan, 0.49F / largest, 0.51F / largest, 1}};
        const float half = (largest + 1) / 2 / largest;
        EXPECT_EQ(written(image, depth).rgb, (Floats{0, 0, half, 1, 1, 0, 0, 1 / largest, 1})) << largest;
    }
}
