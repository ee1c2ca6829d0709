// SPDX-License-Identifier: MIT
#include "image/image_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "support/image_fixture.hpp"
#include "support/jpeg_file.hpp"
#include "support/png_file.hpp"

using namespace popflow;

namespace {

class ImageFiles : public support::ImageFolder {};

const std::string png = support::PngFile{.width = 1, .height = 1, .rows = {"abc"}}.bytes();

}  // namespace

TEST_F(ImageFiles, AreRecognisedByTheirContent) {
    EXPECT_TRUE(image::is_image(store("a.txt", png)));
    EXPECT_TRUE(image::is_image(store("b.png", support::JpegFile{.colour = "a"}.bytes())));
    EXPECT_EQ(image::read_image(file("b.png")).width, 16U);
    EXPECT_EQ(image::read_image_header(file("b.png")).pixels(), 128U);
    EXPECT_FALSE(image::is_image(store("c.png", "GIF89a")));
    EXPECT_FALSE(image::is_image(store("d.png", "")));
    const std::string path = file("c.png");
    EXPECT_EQ(error_of([&] { (void)image::read_image(path); }),
              "c.png: is neither a PNG nor a JPEG file: convert it to PNG");
    const std::string missing = file("none.png");
    EXPECT_EQ(error_of([&] { (void)image::is_image(missing); }),
              "none.png: cannot read: No such file or directory");
}

TEST_F(ImageFiles, OfAFolderAreInNaturalOrder) {
    for (const char* name : {"b10.png", "b9.PNG", "a.jpeg", "c.txt"}) store(name, "");
    std::filesystem::create_directory(file("sub.png"));
    EXPECT_EQ(image::images_of_folder(folder()),
              (std::vector<std::string>{file("a.jpeg"), file("b9.PNG"), file("b10.png")}));
    std::filesystem::create_directory(file("empty"));
    const std::string empty = file("empty");
    EXPECT_EQ(error_of([&] { (void)image::images_of_folder(empty); }),
              "empty: found no file whose name ends in .png, .jpg or .jpeg");
}

TEST_F(ImageFiles, AreRefusedIfTheyNeedTooMuchMemory) {
    const auto check = [&](std::uint64_t width, std::uint64_t height) {
        return error_of([&] { image::check_size("a", width, height, 16, ~std::uint64_t{0}, 1000000000); });
    };
    EXPECT_EQ(check(1000, 1000), "no error");
    EXPECT_EQ(check(10000, 10000),
              "a: found a size of 10000 x 10000 pixels, which need 4.4 GB of memory, but 1 GB are available: "
              "make the picture smaller");
    EXPECT_EQ(check(0, 5), "a: found a size of 0 x 5 pixels. A picture has at least one pixel");
    EXPECT_EQ(check(100000, 100000),
              "a: found a size of 100000 x 100000 pixels, more than 4294967295: make it smaller");
}
