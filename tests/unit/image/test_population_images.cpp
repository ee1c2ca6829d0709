// SPDX-License-Identifier: MIT
#include "image/population_images.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "h5/dataframe.hpp"
#include "h5/file.hpp"
#include "image/png_file.hpp"
#include "support/image_fixture.hpp"

using namespace popflow;
using Strings = std::vector<std::string>;

namespace {

/// A file of pixels. Tests change the members that they examine.
struct Pixels {
    Strings markers{"red", "green", "blue"};
    std::vector<float> x{};  ///< [rows, markers]
    Strings image{};
    Strings second{};  ///< column `target`, empty for none
    std::vector<double> column{};
    std::vector<double> row{};
    std::vector<double> width{};
    std::vector<double> height{};

    void write(const std::string& path) const {
        h5::AtomicFile file(path);
        {
            h5::Group root = file.root();
            root.write("X", std::span<const float>(x), {image.size(), markers.size()});
            h5::DataFrame obs;
            obs.add("image", image);
            if (!second.empty()) obs.add("target", second);
            obs.add("x", column);
            obs.add("y", row);
            obs.add("width", width);
            obs.add("height", height);
            h5::write_dataframe(root, "obs", obs);
            h5::DataFrame var;
            var.set_row_names(markers);
            h5::write_dataframe(root, "var", var);
        }
        file.commit();
    }
};

/// Two images of 2 x 1 pixels, whose rows are mixed.
Pixels two_images() {
    return {.x = {0, 0, 0, 1, 0.5F, 0, 0.25F, 0.5F, 0.75F, 2, -1, 1},
            .image = {"a", "b", "a", "b"},
            .column = {1, 0, 0, 1},
            .row = {0, 0, 0, 0},
            .width = {2, 2, 2, 2},
            .height = {1, 1, 1, 1}};
}

class PopulationImage : public support::ImageFolder {
  protected:
    image::PopulationImages open(const Pixels& pixels, const Strings& population = {}) const {
        pixels.write(file("p.h5ad"));
        return {file("p.h5ad"), {}, population};
    }
    std::string error(const Pixels& pixels, const Strings& population = {}) const {
        return error_of([&] { (void)open(pixels, population); });
    }
};

}  // namespace

TEST_F(PopulationImage, PutsPixelsInTheirPlaces) {
    const image::PopulationImages images = open(two_images());
    ASSERT_EQ(images.size(), 2U);
    EXPECT_EQ(images.label(1), "b");
    EXPECT_EQ(image::image_file_names(images)[1], "b.png");
    EXPECT_EQ(images.rows(1), (std::vector<std::uint64_t>{1, 3}));
    const image::Image a = images.read(0);
    EXPECT_EQ(a.width, 2U);
    EXPECT_EQ(a.rgb, (std::vector<float>{0.25F, 0.5F, 0.75F, 0, 0, 0}));
    EXPECT_EQ(images.read(1).rgb, (std::vector<float>{1, 0.5F, 0, 2, -1, 1}));
}

TEST_F(PopulationImage, TakesChannelsByName) {
    Pixels pixels = two_images();
    pixels.markers = {"blue", "green", "red"};
    EXPECT_EQ(open(pixels).read(1).rgb, (std::vector<float>{0, 0.5F, 1, 1, -1, 2}));
    pixels.markers = {"blue", "gren", "red"};
    EXPECT_EQ(error(pixels),
              "p.h5ad: X: found no marker 'green' (did you mean 'gren'?). Pixels have the markers red, green "
              "and blue, as popflow import --images writes them");
}

TEST_F(PopulationImage, IsLimitedToTheRangeWhenWritten) {
    const image::PopulationImages images = open(two_images());
    const Strings names = image::image_file_names(images);
    image::prepare_folder(names, file("out"));
    EXPECT_EQ(image::write_population_image(images, 0, file("out/a.png")), 0U);
    EXPECT_EQ(image::write_population_image(images, 1, file("out/b.png")), 2U);
    EXPECT_EQ(image::read_png(file("out/b.png")).rgb, (std::vector<float>{1, 128.0F / 255, 0, 1, 0, 1}));
    EXPECT_EQ(image::write_population_image(images, 1, file("wide.png"), image::PngDepth::bits16), 2U);
    EXPECT_EQ(image::read_png(file("wide.png")).rgb, (std::vector<float>{1, 32768.0F / 65535, 0, 1, 0, 1}));
    EXPECT_EQ(error_of([&] { image::prepare_folder(names, file("out")); }),
              "out/a.png: exists already. Choose another folder, or remove it");
}

TEST_F(PopulationImage, IsNamedByAllColumnsOfPopulation) {
    Pixels pixels = two_images();
    pixels.image = {"a/1.jpg", "a/1.jpg", "a/1.jpg", "a/1.jpg"};
    pixels.second = {"s", "..t", "s", "..t"};
    const image::PopulationImages images = open(pixels, {"image", "target"});
    EXPECT_EQ(images.label(1), "a/1.jpg / ..t");
    EXPECT_EQ(images.labels(1), (Strings{"a/1.jpg", "..t"}));
    EXPECT_EQ(image::image_file_names(images), (Strings{"a_1_s.png", "a_1_..t.png"}));
    EXPECT_EQ(error(pixels),
              "p.h5ad: picture 'a/1.jpg': found the pixel x = 0, y = 0 twice. Name the columns of obs that "
              "tell pictures apart with --population, so far image");
}

TEST_F(PopulationImage, HasAVisibleFileWithoutALabel) {
    Pixels pixels = two_images();
    pixels.image = {"", ".b", "", ".b"};
    EXPECT_EQ(image::image_file_names(open(pixels)), (Strings{"unlabelled.png", "_b.png"}));
}

TEST_F(PopulationImage, IsRefusedIfNamesOfFilesCollide) {
    Pixels pixels = two_images();
    pixels.image = {"a/b", "a_b", "a/b", "a_b"};
    const image::PopulationImages images = open(pixels);
    EXPECT_EQ(error_of([&] { (void)image::image_file_names(images); }),
              "p.h5ad: picture 'a_b': it would have the file a_b.png, like the picture 'a/b'. Rename one of "
              "the labels");
}

TEST_F(PopulationImage, TellsWhatIsMissing) {
    Pixels pixels = two_images();
    pixels.write(file("p.h5ad"));
    EXPECT_EQ(image::missing_pixels(file("p.h5ad"), {}), "");
    pixels.markers = {"red", "pERK", "blue"};
    pixels.write(file("p.h5ad"));
    EXPECT_EQ(image::missing_pixels(file("p.h5ad"), {}), "no marker 'green'");
}

TEST_F(PopulationImage, IsRefusedWithoutAllItsPixels) {
    Pixels pixels = two_images();
    pixels.width = {2, 3, 2, 3};
    EXPECT_EQ(error(pixels),
              "p.h5ad: picture 'b': found 2 of its 3 pixels. Import it without --pixels to "
              "write it");
    pixels.width = {2, 1e9, 2, 1e9};
    pixels.height = {1, 2e9, 1, 2e9};
    EXPECT_NE(error(pixels).find("found 2 of its 2000000000000000000 pixels"), std::string::npos);
}

TEST_F(PopulationImage, IsRefusedWithImpossiblePlaces) {
    Pixels pixels = two_images();
    pixels.column[3] = 2;
    EXPECT_EQ(error(pixels),
              "p.h5ad: picture 'b': row 3: found the pixel x = 2, y = 0, which is outside 2 x 1");
    pixels.column[3] = 0.5;
    EXPECT_EQ(error(pixels), "p.h5ad: obs/x: row 3: found 0.5. Store a whole number of pixels");
    pixels.column[3] = -1;
    EXPECT_EQ(error(pixels), "p.h5ad: obs/x: row 3: found -1. Store a whole number of pixels");
    pixels = two_images();
    pixels.height[2] = 2;
    EXPECT_EQ(error(pixels),
              "p.h5ad: picture 'a': found the sizes 2 x 1 and 2 x 2. Name the columns of obs that "
              "tell pictures apart with --population");
}

TEST_F(PopulationImage, IsRefusedWithValuesThatAreNotFinite) {
    Pixels pixels = two_images();
    pixels.x[4] = std::numeric_limits<float>::quiet_NaN();
    const image::PopulationImages images = open(pixels);
    EXPECT_EQ(error_of([&] { (void)images.read(1); }),
              "p.h5ad: X: picture 'b', pixel x = 0, y = 0: found nan, which is no finite number");
}
