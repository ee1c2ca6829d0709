// SPDX-License-Identifier: MIT
#include "image/jpeg_file.hpp"

#include <gtest/gtest.h>

#include "support/image_fixture.hpp"
#include "support/jpeg_file.hpp"
#include "support/png_file.hpp"

using namespace popflow;
using support::JpegFile;

namespace {

class JpegReading : public support::ImageFolder {
  protected:
    image::Image read(const JpegFile& jpeg) const { return image::read_jpeg(store("a.jpg", jpeg.bytes())); }
    std::string error(const std::string& bytes) const {
        const std::string path = store("a.jpg", bytes);
        return error_of([&] { (void)image::read_jpeg(path); });
    }
    /// Expects that every pixel has a colour, up to the loss of the format.
    void expect_colour(const image::Image& image, double red, double green, double blue) const {
        ASSERT_FALSE(image.rgb.empty());
        for (std::size_t i = 0; i < image.pixels(); ++i) {
            EXPECT_NEAR(image.rgb[3 * i], red, 2.5 / 255);
            EXPECT_NEAR(image.rgb[3 * i + 1], green, 2.5 / 255);
            EXPECT_NEAR(image.rgb[3 * i + 2], blue, 2.5 / 255);
        }
    }
};

const JpegFile orange{.colour = {"\xff\x80\x00", 3}};

}  // namespace

TEST_F(JpegReading, ReadsColours) {
    const image::Image image = read(orange);
    EXPECT_EQ(image.width, 16U);
    EXPECT_EQ(image.height, 8U);
    expect_colour(image, 1, 128.0 / 255, 0);
}

TEST_F(JpegReading, ReadsProgressiveFiles) {
    JpegFile jpeg = orange;
    jpeg.is_progressive = true;
    expect_colour(read(jpeg), 1, 128.0 / 255, 0);
}

TEST_F(JpegReading, RepeatsGreyInEachChannel) {
    expect_colour(read({.colour = "\x40"}), 64.0 / 255, 64.0 / 255, 64.0 / 255);
}

TEST_F(JpegReading, ConvertsInks) {
    // Cyan 20 %, no magenta, yellow 100 %, black 40 %.
    JpegFile jpeg{.colour = {"\x33\x00\xff\x66", 4}};
    expect_colour(read(jpeg), 0.8 * 0.6, 0.6, 0);
    EXPECT_TRUE(image::read_jpeg_header(file("a.jpg")).is_cmyk);
    // With the marker of Adobe the file stores the complement of the inks.
    jpeg.has_adobe_marker = true;
    expect_colour(read(jpeg), 0.2 * 0.4, 0, 0.4);
}

TEST_F(JpegReading, SwapsTheSidesByTheExifOrientation) {
    JpegFile jpeg = orange;
    jpeg.exif = support::exif_bytes(8);
    const image::Image image = read(jpeg);
    EXPECT_EQ(image.width, 8U);
    EXPECT_EQ(image.height, 16U);
    EXPECT_EQ(image::read_jpeg_header(file("a.jpg")).width, 8U);
}

TEST_F(JpegReading, RefusesTruncatedFiles) {
    for (const bool is_progressive : {false, true}) {
        JpegFile jpeg = orange;
        jpeg.is_progressive = is_progressive;
        const std::string whole = jpeg.bytes();
        for (std::size_t n = 3; n < whole.size(); ++n) {
            const std::string message = error(whole.substr(0, n));
            EXPECT_TRUE(message.starts_with("a.jpg: is ")) << n << " bytes: " << message;
        }
    }
}

TEST_F(JpegReading, RefusesASizeThatTheFileCannotHold) {
    std::string bytes = orange.bytes();
    const std::size_t frame = bytes.find("\xff\xc0");
    ASSERT_NE(frame, std::string::npos);
    bytes.replace(frame + 5, 4, "\xff\x00\xff\x00", 4);
    EXPECT_EQ(error(bytes),
              "a.jpg: found a size of 65280 x 65280 pixels, more than the file can hold: it is truncated or "
              "damaged, get it again");
}

TEST_F(JpegReading, RefusesDamagedPixels) {
    // A restart marker in the middle of the pixels ends them too early.
    JpegFile jpeg = orange;
    jpeg.width = 64;
    jpeg.height = 64;
    std::string bytes = jpeg.bytes();
    bytes.replace(bytes.size() - 12, 2, "\xff\xd9");
    EXPECT_NE(error(bytes).find("a.jpg: is a damaged JPEG file (Corrupt JPEG data"), std::string::npos)
        << error(bytes);
}

TEST_F(JpegReading, RefusesOtherDepths) {
    std::string bytes = orange.bytes();
    bytes[bytes.find("\xff\xc0") + 4] = 12;
    EXPECT_NE(error(bytes).find("a.jpg: is "), std::string::npos);
    EXPECT_NE(error(bytes).find("precision 12"), std::string::npos) << error(bytes);
}
