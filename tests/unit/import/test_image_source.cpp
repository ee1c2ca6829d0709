// SPDX-License-Identifier: MIT
#include "import/image_source.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "support/image_fixture.hpp"
#include "support/png_file.hpp"

using namespace popflow;
using namespace popflow::data_import;
using Strings = std::vector<std::string>;

namespace {

/// Returns a grey image of 4 x 3 pixels, whose values are 10, 11, ... by row.
std::string counting_image() {
    support::PngFile png{.width = 4, .height = 3, .colour_type = 0};
    for (int row = 0; row < 3; ++row) {
        std::string bytes;
        for (int column = 0; column < 4; ++column) bytes += static_cast<char>(10 + 4 * row + column);
        png.rows.push_back(bytes);
    }
    return png.bytes();
}

class ImageSource : public support::ImageFolder {
  protected:
    ImageSource() { store("a.png", counting_image()); }
};

}  // namespace

TEST_F(ImageSource, ReplacesFoldersByTheirImages) {
    store("b.png", counting_image());
    EXPECT_EQ(find_images({folder()}), (Strings{file("a.png"), file("b.png")}));
    EXPECT_EQ(find_images({file("b.png"), file("a.png")}), (Strings{file("b.png"), file("a.png")}));
    EXPECT_EQ(error_of([&] {
                  (void)find_images({folder(), folder() + "/./b.png"});
              }),
              "images: found './b.png' twice. Give it once");
}

TEST(ImageLabels, AreNamesWithoutExtensionUnlessTheyRepeat) {
    EXPECT_EQ(image_labels({"x/sea.png", "y/hill.1.jpg"}), (Strings{"sea", "hill.1"}));
    EXPECT_EQ(image_labels({"x/sea.png", "y/sea.png", "y/hill.jpg"}),
              (Strings{"x/sea.png", "y/sea.png", "hill"}));
}

TEST_F(ImageSource, ReadsAllPixelsByRow) {
    const ImagePixels pixels = read_pixels(file("a.png"), 12, "a", {});
    for (std::size_t i = 0; i < 12; ++i) {
        EXPECT_EQ(pixels.rgb(i, 2), static_cast<float>(10 + i) / 255);
        EXPECT_EQ(pixels.places[i], static_cast<int>(i % 4));
        EXPECT_EQ(pixels.places[12 + i], static_cast<int>(i / 4));
        EXPECT_EQ(pixels.places[24 + i], 4);
        EXPECT_EQ(pixels.places[36 + i], 3);
    }
}

TEST_F(ImageSource, DrawsDistinctPixelsInTheirOrder) {
    ImportOptions options;
    std::set<std::vector<std::int32_t>> draws;
    std::vector<int> uses(12);
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        options.seed = seed;
        const ImagePixels pixels = read_pixels(file("a.png"), 5, "a", options);
        draws.insert(pixels.places);
        int before = -1;
        for (std::size_t i = 0; i < 5; ++i) {
            const int pixel = pixels.places[5 + i] * 4 + pixels.places[i];
            EXPECT_GT(pixel, before);
            EXPECT_EQ(pixels.rgb(i, 0), static_cast<float>(10 + pixel) / 255);
            ++uses[static_cast<std::size_t>(pixel)];
            before = pixel;
        }
    }
    EXPECT_GT(draws.size(), 150U);
    for (const int n : uses) EXPECT_NEAR(n, 200 * 5 / 12.0, 35);  // five standard deviations
    EXPECT_EQ(read_pixels(file("a.png"), 5, "a", options).places,
              read_pixels(file("a.png"), 5, "a", options).places);
    EXPECT_NE(read_pixels(file("a.png"), 5, "a", options).places,
              read_pixels(file("a.png"), 5, "b", options).places);
}

TEST_F(ImageSource, RefusesAnImageThatChanged) {
    EXPECT_EQ(error_of([&] { (void)read_pixels(file("a.png"), 13, "a", {}); }),
              "a.png: the file changed during the import: start the import again");
}

TEST_F(ImageSource, PlansOnePieceForEachImage) {
    ImportOptions options;
    options.images = {folder()};
    options.pixels = 7;
    ImportPlan plan = plan_import(options);
    EXPECT_EQ(plan.markers, (Strings{"red", "green", "blue"}));
    EXPECT_EQ(plan.obs, Strings{"image"});
    EXPECT_EQ(plan.places, (Strings{"x", "y", "width", "height"}));
    ASSERT_EQ(plan.pieces.size(), 1U);
    EXPECT_EQ(scan_piece(plan, 0).rows, 7U);
    options.pixels = 70;
    EXPECT_EQ(scan_piece(plan_import(options), 0).rows, 12U);
    options.max_side = 2;  // 4 x 3 becomes 2 x 2
    EXPECT_EQ(scan_piece(plan_import(options), 0).rows, 4U);
    options.markers = {"blue", "red"};
    EXPECT_EQ(plan_import(options).sources[0].columns, (std::vector<std::size_t>{2, 0}));
}
