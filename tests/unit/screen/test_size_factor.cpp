// SPDX-License-Identifier: MIT
#include "screen/size_factor.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "screen/read_populations.hpp"
#include "support/screen_file.hpp"
#include "support/temporary_folder.hpp"

using namespace popflow::screen;
using popflow::support::ScreenFile;
using popflow::support::TemporaryFolder;

namespace {

// Counts of four markers. The third cell has none.
ScreenFile counts() {
    ScreenFile file;
    file.markers = {"a", "b", "c", "d"};
    file.add(3, {.patient = "1", .treatment = "DMSO", .concentration = ""});
    file.add(2, {.patient = "1", .treatment = "S", .concentration = ""});
    file.x = {1, 2, 3, 4, 0, 5, 0, 0, 0, 0, 0, 0, 7, 0, 1, 2, 1, 1, 1, 1};
    return file;
}

ScreenOptions options_of(const std::string& size_factor, const std::string& transform) {
    ScreenOptions options;
    options.min_cells = 1;
    options.markers = {"d", "b"};
    options.size_factor = SizeFactor::parse(size_factor);
    options.transform = Transform::parse(transform);
    return options;
}

std::vector<float> values(const Cells& cells) {
    return {cells.x.values().begin(), cells.x.values().end()};
}

std::string message(const ScreenFile& file, const ScreenOptions& options) {
    const TemporaryFolder folder;
    file.write(folder.file("s.h5ad"));
    try {
        const std::vector<std::size_t> all{0, 1};
        read_populations(open_screen(folder.file("s.h5ad"), options), all);
    } catch (const popflow::core::UserError& error) {
        const std::string text = error.what();
        return text.substr(text.find("h5ad: ") == std::string::npos ? 0 : text.find("h5ad: ") + 6);
    }
    return "no error";
}

}  // namespace

TEST(SizeFactor, HasTheTextThatItReads) {
    for (const char* text : {"none", "total", "median", "total:500", "median:1234.5"})
        EXPECT_EQ(SizeFactor::parse(text).text(), text);
    EXPECT_EQ(SizeFactor::parse("total:1e4").text(), "total");
    for (const char* text : {"", "mean", "total:", "total:0", "total:-1", "total:x", "none:1", "median:nan"})
        EXPECT_THROW(SizeFactor::parse(text), popflow::core::ConfigError) << text;
}

TEST(SizeFactor, DividesByTheTotalOfAllColumns) {
    const TemporaryFolder folder;
    counts().write(folder.file("s.h5ad"));
    const Screen screen = open_screen(folder.file("s.h5ad"), options_of("total", "none"));
    const std::vector<std::size_t> both{0, 1};

    const std::vector<Cells> cells = read_populations(screen, both);

    // Columns d and b of the cells with totals 10, 5 and 0, then 10 and 4.
    EXPECT_EQ(values(cells[0]), (std::vector<float>{4000, 2000, 0, 10000, 0, 0}));
    EXPECT_EQ(values(cells[1]), (std::vector<float>{2000, 0, 2500, 2500}));
}

TEST(SizeFactor, IsAppliedBeforeTheTransform) {
    const TemporaryFolder folder;
    counts().write(folder.file("s.h5ad"));
    const std::string path = folder.file("s.h5ad");
    const Screen screen = open_screen(path, options_of("total:100", "log1p"));
    const std::vector<std::size_t> treated{1};

    const Cells cells = read_populations(screen, treated).front();

    EXPECT_FLOAT_EQ(cells.x(0, 0), static_cast<float>(std::log1p(20.0)));
    EXPECT_FLOAT_EQ(cells.x(1, 1), static_cast<float>(std::log1p(25.0)));
    const AllCells all = read_all_cells(path, options_of("total:100", "log1p"));
    EXPECT_EQ(all.x(3, 0), cells.x(0, 0));
}

TEST(SizeFactor, NeedsValuesThatAreCounts) {
    ScreenFile file = counts();
    file.x[12] = -1;  // column a of cell 3, which is not used
    EXPECT_EQ(message(file, options_of("total", "none")),
              "X: row 3: found a negative value: --size-factor total needs counts, all of them finite and 0 "
              "or more");
    EXPECT_EQ(message(file, options_of("none", "none")), "no error");
    file.x[12] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(message(file, options_of("total", "none")),
              "X: row 3: the sum over all columns is NaN: --size-factor total needs counts, all of them "
              "finite and 0 or "
              "more");
    EXPECT_EQ(message(counts(), options_of("median", "none")).substr(0, 31),
              "size-factor: found median, whic");
}

TEST(SizeFactor, HasTotalsOfSampledCells) {
    const TemporaryFolder folder;
    ScreenFile file;
    file.add(210, {.patient = "1", .treatment = "DMSO", .concentration = ""});
    file.add(30, {.patient = "1", .treatment = "S", .concentration = ""});
    file.write(folder.file("s.h5ad"));
    ScreenOptions options;
    options.min_cells = 1;
    const Screen screen = open_screen(folder.file("s.h5ad"), options);
    const std::vector<std::size_t> both{0, 1};

    const auto totals = read_totals(screen, both, 50);

    // Cell i has the values i and i + 100. Two runs of 25 cells, from 0 and from 105 on.
    ASSERT_EQ(totals[0].size(), 50U);
    for (std::size_t k = 0; k < 25; ++k) {
        EXPECT_EQ(totals[0][k], 2.0 * static_cast<double>(k) + 100);
        EXPECT_EQ(totals[0][25 + k], 2.0 * static_cast<double>(105 + k) + 100);
    }
    ASSERT_EQ(totals[1].size(), 30U);
    EXPECT_EQ(totals[1].front(), 520);
    EXPECT_EQ(read_totals(screen, both)[0].size(), 210U);
}
