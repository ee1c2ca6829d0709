// SPDX-License-Identifier: MIT
#include "simulate/letters.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <numbers>
#include <numeric>

#include "core/error.hpp"
#include "screen/read_populations.hpp"
#include "screen/screen.hpp"
#include "screen/splits.hpp"
#include "support/file_bytes.hpp"
#include "support/temporary_folder.hpp"

namespace screen = popflow::screen;
namespace simulate = popflow::simulate;
using popflow::linalg::Matrix;
using popflow::support::TemporaryFolder;
using simulate::Letters;
using simulate::LettersOptions;
using simulate::plan_letters;

namespace {

// Number of non-zero pixels of each letter, drawn by Pillow 9.4 with FreeType 2.12 in Liberation Sans 2.1 at
// 100 pixels.
const std::map<std::string, std::size_t> pillow_points{
    {"A", 1631}, {"B", 2081}, {"C", 1596}, {"D", 1896}, {"E", 1714}, {"F", 1314}, {"G", 1932},
    {"H", 1737}, {"I", 690},  {"J", 1102}, {"K", 1622}, {"L", 970},  {"M", 2440}, {"N", 1963},
    {"O", 1958}, {"P", 1593}, {"Q", 2274}, {"R", 1954}, {"S", 1795}, {"T", 1127}, {"U", 1647},
    {"V", 1397}, {"W", 2557}, {"X", 1509}, {"Y", 1158}, {"Z", 1459}};

const std::string box_font = POPFLOW_TEST_DATA "/letters/box.ttf";

struct Box {
    float low[2] = {1e9F, 1e9F};
    float high[2] = {-1e9F, -1e9F};
};

Box bounding_box(const Matrix<float>& x) {
    Box box;
    for (std::size_t i = 0; i < x.rows(); ++i) {
        for (std::size_t j = 0; j < 2; ++j) {
            box.low[j] = std::min(box.low[j], x(i, j));
            box.high[j] = std::max(box.high[j], x(i, j));
        }
    }
    return box;
}

std::vector<std::size_t> all_experiments(const Letters& letters) {
    std::vector<std::size_t> all(letters.experiments.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    return all;
}

std::string write_file(const Letters& letters, const std::string& path) {
    const auto file = simulate::create_letters_file(letters, path);
    simulate::write_letters(letters, path, all_experiments(letters));
    file->commit();
    return path;
}

std::string error_message(const LettersOptions& options) {
    try {
        plan_letters(options);
    } catch (const popflow::core::UserError& error) {
        return error.what();
    }
    return "no error";
}

screen::ScreenOptions letters_options() {
    screen::ScreenOptions options;
    options.pair_by = {"patient", "replicate"};
    options.min_cells = 1;
    options.transform = screen::Transform::parse("none");
    options.split_column = screen::split_column("letters");
    return options;
}

}  // namespace

TEST(Letters, HaveAsManyPointsAsPillowDraws) {
    const Letters letters = plan_letters({});
    ASSERT_EQ(letters.alphabet.clouds.size(), 26U);
    double sum = 0;
    for (const auto& [letter, cloud] : letters.alphabet.clouds) {
        // Another version of the font or of FreeType may move an edge.
        const auto expected = static_cast<double>(pillow_points.at(letter));
        EXPECT_NEAR(static_cast<double>(cloud.rows()), expected, 0.02 * expected) << letter;
        if (letter != "X" && letter != "Y") sum += static_cast<double>(cloud.rows());
    }
    EXPECT_NEAR(sum / 24, 1685.4, 17);
}

TEST(Letters, ABoxGlyphGivesAGridOfPixels) {
    // The letter A is half an em wide and one em high. At size 40 it fills 20 x 40 pixels, 6 / 39 apart.
    const Letters letters =
        plan_letters({.font = box_font, .letters = {"A"}, .test_letters = {}, .rotations = 1, .size = 40});
    EXPECT_EQ(letters.alphabet.family, "Box");
    const Matrix<float>& box = letters.alphabet.clouds.at("A");
    ASSERT_EQ(box.rows(), 800U);
    for (std::size_t i = 0; i < 800; ++i) {
        const double pixel = 6.0 / 39;
        ASSERT_NEAR(box(i, 0), (static_cast<double>(i % 20) - 9.5) * pixel, 1e-6);
        ASSERT_NEAR(box(i, 1), (19.5 - std::floor(static_cast<double>(i) / 20)) * pixel, 1e-6);
    }
}

TEST(Letters, FillTheSquareAndKeepTheirAspectRatio) {
    const Letters letters = plan_letters({});
    for (const auto& [letter, cloud] : letters.alphabet.clouds) {
        const Box box = bounding_box(cloud);
        float longer = 0;
        for (std::size_t j = 0; j < 2; ++j) {
            EXPECT_NEAR(box.low[j], -box.high[j], 1e-5) << letter;
            longer = std::max(longer, box.high[j]);
        }
        EXPECT_NEAR(longer, 3, 1e-5) << letter;
    }
    // The letter I is a full rectangle of pixels: n = rows x columns. The pixel spacing is 6 / (rows - 1).
    const Matrix<float>& bar = letters.alphabet.clouds.at("I");
    const Box box = bounding_box(bar);
    EXPECT_NEAR(box.high[1], 3, 1e-5);
    std::size_t columns = 0;
    while (columns < bar.rows() && bar(columns, 1) == bar(0, 1)) ++columns;
    const std::size_t rows = bar.rows() / columns;
    EXPECT_EQ(rows * columns, bar.rows());
    EXPECT_NEAR(box.high[0] - box.low[0],
                6 * static_cast<double>(columns - 1) / static_cast<double>(rows - 1), 1e-5);
    // y points upwards: the bar of a T is at the top, that of an L at the bottom.
    const auto mean_y = [&](const char* letter) {
        const Matrix<float>& x = letters.alphabet.clouds.at(letter);
        double sum = 0;
        for (std::size_t i = 0; i < x.rows(); ++i) sum += static_cast<double>(x(i, 1));
        return sum / static_cast<double>(x.rows());
    };
    EXPECT_GT(mean_y("T"), 0.5);
    EXPECT_LT(mean_y("L"), -0.5);
}

TEST(Letters, SourceAndTargetRowsBelongToTheSamePoint) {
    const Letters letters = plan_letters({.seed = 3, .noise = 0.5, .jitter = 0.05});
    const simulate::RotatedLetter& e = letters.experiments.at(7);
    const simulate::LetterPoints points = simulate::letter_points(letters, e);
    const Matrix<float>& cloud = letters.alphabet.clouds.at(e.letter);
    ASSERT_EQ(points.source.rows(), cloud.rows());

    double noise = 0;
    double jitter = 0;
    for (std::size_t i = 0; i < cloud.rows(); ++i) {
        for (std::size_t j = 0; j < 2; ++j)
            noise += std::pow(static_cast<double>(points.source(i, j) - points.target(i, j)), 2);
        // Rotates the target back onto the drawing.
        const double x = std::cos(e.angle) * static_cast<double>(points.target(i, 0)) +
                         std::sin(e.angle) * static_cast<double>(points.target(i, 1));
        const double y = -std::sin(e.angle) * static_cast<double>(points.target(i, 0)) +
                         std::cos(e.angle) * static_cast<double>(points.target(i, 1));
        jitter += std::pow(x - static_cast<double>(cloud(i, 0)), 2) +
                  std::pow(y - static_cast<double>(cloud(i, 1)), 2);
    }
    const double n = 2.0 * static_cast<double>(cloud.rows());
    // The tolerance is five standard errors. The relative standard error of the standard deviation of n
    // normal numbers is 1 / sqrt(2 n).
    const double tolerance = 5 / std::sqrt(2 * n);
    EXPECT_NEAR(std::sqrt(noise / n) / 0.5, 1, tolerance);
    EXPECT_NEAR(std::sqrt(jitter / n) / 0.05, 1, tolerance);
}

TEST(Letters, AnglesDependOnlyOnSeedLetterAndRotation) {
    const Letters all = plan_letters({.seed = 1});
    const Letters some = plan_letters({.seed = 1, .letters = {"Q"}, .test_letters = {"B"}, .rotations = 3});
    const Letters other = plan_letters({.seed = 2, .letters = {"Q"}, .test_letters = {"B"}, .rotations = 3});
    ASSERT_EQ(all.experiments.size(), 260U);
    ASSERT_EQ(some.experiments.size(), 6U);
    for (std::size_t k = 0; k < 6; ++k) {
        const auto same = std::ranges::find_if(all.experiments, [&](const simulate::RotatedLetter& e) {
            return e.letter == some.experiments[k].letter && e.rotation == some.experiments[k].rotation;
        });
        EXPECT_EQ(same->angle, some.experiments[k].angle);
        EXPECT_TRUE(std::ranges::equal(simulate::letter_points(all, *same).source.values(),
                                       simulate::letter_points(some, some.experiments[k]).source.values()));
        EXPECT_NE(same->angle, other.experiments[k].angle);
    }
    double sum = 0;
    for (const simulate::RotatedLetter& e : all.experiments) {
        ASSERT_TRUE(e.angle >= 0 && e.angle < 2 * std::numbers::pi);
        sum += e.angle;
    }
    // The tolerance is five standard errors. That of the mean of 260 uniform angles is 2 pi / sqrt(12 * 260).
    EXPECT_NEAR(sum / 260, std::numbers::pi, 5 * 2 * std::numbers::pi / std::sqrt(12 * 260.0));
}

TEST(LettersFile, OpensAsAScreenOfPairsWithCellsInRowOrder) {
    const TemporaryFolder folder;
    const Letters letters =
        plan_letters({.letters = {"I", "L"}, .test_letters = {"X", "Y"}, .rotations = 2, .size = 40});
    const screen::Screen screen =
        screen::open_screen(write_file(letters, folder.file("l.h5ad")), letters_options());

    ASSERT_EQ(screen.pairs.size(), 8U);
    EXPECT_EQ(screen.n_obs, letters.n_points());
    EXPECT_EQ(screen.markers, (std::vector<std::string>{"x", "y"}));
    EXPECT_TRUE(screen.dropped.empty());
    const screen::Split split = screen::make_split(screen, "letters", 0);
    EXPECT_EQ(split.pairs(screen::Part::train).size(), 4U);
    for (std::size_t p = 0; p < 8; ++p) {
        const std::size_t ids[] = {screen.pairs[p].control, screen.pairs[p].treated};
        const screen::Population& treated = screen.populations[ids[1]];
        const bool test = treated.patient == "X" || treated.patient == "Y";
        EXPECT_EQ(split.parts[p], test ? screen::Part::test : screen::Part::train);
        EXPECT_EQ(treated.culture, test ? treated.patient : "train");
        EXPECT_EQ(treated.end_row - treated.first_row, treated.n_cells);
        const auto e = std::ranges::find_if(letters.experiments, [&](const simulate::RotatedLetter& r) {
            return r.letter == treated.patient && std::to_string(r.rotation) == treated.replicate;
        });
        const simulate::LetterPoints points = simulate::letter_points(letters, *e);
        const std::vector<screen::Cells> cells = screen::read_populations(screen, ids);
        EXPECT_TRUE(std::ranges::equal(cells[0].x.values(), points.source.values()));
        EXPECT_TRUE(std::ranges::equal(cells[1].x.values(), points.target.values()));
    }
}

TEST(LettersFile, HasTheSameBytesInAnyWriteOrder) {
    const TemporaryFolder folder;
    const Letters letters = plan_letters({.letters = {"A", "I"}, .rotations = 2, .size = 30});
    const std::string expected = popflow::support::file_bytes(write_file(letters, folder.file("one.h5ad")));

    const std::string path = folder.file("many.h5ad");
    const auto file = simulate::create_letters_file(letters, path);
    std::vector<std::size_t> reversed = all_experiments(letters);
    std::ranges::reverse(reversed);
    for (const std::size_t e : reversed) simulate::write_letters(letters, path, std::span(&e, 1));
    file->commit();

    EXPECT_TRUE(expected == popflow::support::file_bytes(path));
}

TEST(LettersFile, ThrowsIfItsLayoutIsForAnotherDrawing) {
    const TemporaryFolder folder;
    const LettersOptions small{.letters = {"A"}, .test_letters = {}, .rotations = 1, .size = 30};
    LettersOptions large = small;
    large.size = 31;
    const std::string path = folder.file("l.h5ad");
    const auto file = simulate::create_letters_file(plan_letters(small), path);
    EXPECT_THROW(simulate::write_letters(plan_letters(large), path, std::vector<std::size_t>{0}),
                 popflow::core::DataError);
}

TEST(Letters, ReportsInvalidFontsAndOptions) {
    const TemporaryFolder folder;
    std::ofstream(folder.file("text.ttf")) << "no font";
    EXPECT_NE(error_message({.font = folder.file("none.ttf")}).find("No such file"), std::string::npos);
    EXPECT_NE(error_message({.font = folder.path().string()}).find("is a folder. Give a font file"),
              std::string::npos);
    EXPECT_NE(error_message({.font = folder.file("text.ttf")}).find("cannot be read as a font"),
              std::string::npos);
    EXPECT_NE(error_message({.font = box_font, .letters = {"B"}})
                  .find("letter B: has 0 points at this size, but needs 2"),
              std::string::npos);
    EXPECT_NE(error_message({.font = box_font, .letters = {"A"}}).find("letter X: missing in this font"),
              std::string::npos);
    EXPECT_EQ(error_message({.letters = {"ab"}}),
              "letters: found 'ab'. Give single capitals A to Z, separated by commas");
    EXPECT_EQ(error_message({.letters = {"a"}}),
              "letters: found 'a'. Give single capitals A to Z, separated by commas");
    EXPECT_EQ(error_message({.letters = {"A", "A"}}),
              "letters: found 'A' twice. Give each letter once, for training or for the test");
    EXPECT_EQ(error_message({.letters = {"X"}}),
              "letters: found 'X' twice. Give each letter once, for training or for the test");
    EXPECT_EQ(error_message({.test_letters = {"1"}}),
              "test-letters: found '1'. Give single capitals A to Z, separated by commas");
    EXPECT_EQ(error_message({.rotations = 0}), "rotations: found '0'. Give 1 or more");
}
