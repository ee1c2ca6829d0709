// SPDX-License-Identifier: MIT
#include "screen/value_notes.hpp"

#include <gtest/gtest.h>

#include "h5/file.hpp"
#include "support/screen_file.hpp"
#include "support/temporary_folder.hpp"

using namespace popflow::screen;
using popflow::support::ScreenFile;
using popflow::support::TemporaryFolder;
using Strings = std::vector<std::string>;

namespace {

constexpr std::size_t n_genes = 80;

// Counts of 80 genes for two patients. Treated cells of patient 2 have `factor` times the counts.
ScreenFile counts(float factor) {
    ScreenFile file;
    file.markers.clear();
    for (std::size_t j = 0; j < n_genes; ++j) file.markers.push_back("g" + std::to_string(j));
    for (const char* patient : {"1", "2"}) {
        for (const char* treatment : {"DMSO", "S"}) {
            file.add(40, {.patient = patient, .treatment = treatment, .concentration = ""});
            const bool is_deep = *patient == '2' && *treatment == 'S';
            for (std::size_t i = 0; i < 40 * n_genes; ++i)
                file.x.push_back(i % 3 == 0 ? (is_deep ? factor : 1) * static_cast<float>(i % 4) : 0);
        }
    }
    return file;
}

Strings notes(const ScreenFile& file, const std::string& transform, const std::string& size_factor,
              const char* mark = nullptr) {
    const TemporaryFolder folder;
    const std::string path = folder.file("s.h5ad");
    file.write(path);
    if (mark != nullptr) {
        popflow::h5::WritableFile stored(path, path);
        stored.root().create_group("uns").create_group(mark);
        stored.close();
    }
    ScreenOptions options;
    options.min_cells = 1;
    options.transform = Transform::parse(transform);
    options.size_factor = SizeFactor::parse(size_factor);
    return value_notes(open_screen(path, options));
}

}  // namespace

TEST(ValueNotes, AdviseTheOptionsForCounts) {
    EXPECT_EQ(
        notes(counts(1), "arcsinh:5", "none"),
        Strings{"X holds whole numbers of 0 or more, as counts do, and is read with --transform arcsinh:5 "
                "--size-factor none. For counts use --transform log1p --size-factor total"});
    EXPECT_EQ(notes(counts(1), "log1p", "none").size(), 1U);
    EXPECT_EQ(notes(counts(1), "none", "total").size(), 1U);
    EXPECT_EQ(notes(counts(1), "log1p", "total"), Strings{});
}

TEST(ValueNotes, NameThePairThatDiffersMostInDepth) {
    const Strings found = notes(counts(4), "log1p", "none");
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[1],
              "control and treated cells differ in depth, most in 2 / PDO / 1 / A / S: the median of the "
              "totals of a "
              "cell is 40 in the control and 160 in the treated population, a factor of 4.0 (about 1 of 2 "
              "pairs exceed "
              "1.5). Such a difference looks like an effect of the treatment. Use --size-factor total");
    EXPECT_EQ(notes(counts(4), "log1p", "total"), Strings{});
    EXPECT_EQ(notes(counts(1.25), "log1p", "none"), Strings{})
        << "1.25 is below the limit, and no whole number";
}

TEST(ValueNotes, WarnOfASecondLogarithm) {
    ScreenFile file = counts(1);
    for (float& value : file.x) value *= 0.37F;
    EXPECT_EQ(notes(file, "log1p", "none"), Strings{});
    EXPECT_EQ(
        notes(file, "log1p", "none", "log1p"),
        Strings{
            "uns[\"log1p\"] says that X is log-transformed already, and --transform log1p --size-factor none "
            "would transform it again. Use --transform none --size-factor none, or a layer with the counts "
            "(--layer)"});
    EXPECT_EQ(notes(file, "none", "none", "log1p"), Strings{});
    EXPECT_EQ(notes(file, "none", "total", "log1p").size(), 1U);
}

TEST(ValueNotes, AreSilentForCytometry) {
    ScreenFile panel;
    panel.add(40, {.patient = "1", .treatment = "DMSO", .concentration = ""});
    panel.add(40, {.patient = "1", .treatment = "S", .concentration = ""});
    EXPECT_EQ(notes(panel, "arcsinh:5", "none"), Strings{}) << "whole numbers, but large and few columns";
    EXPECT_EQ(notes(counts(4), "arcsinh:5", "none", "import"), Strings{}) << "a file of popflow import";
    ScreenFile negative = counts(4);
    negative.x[0] = -1;
    EXPECT_EQ(notes(negative, "arcsinh:5", "none"), Strings{});
}
