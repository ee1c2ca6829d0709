// SPDX-License-Identifier: MIT
#include "inspect/advice.hpp"

#include <gtest/gtest.h>

using namespace popflow::inspect;
using namespace popflow::screen;

namespace {

// Returns a screen with a control and one treated population for each patient and treatment.
Screen screen_of(std::size_t patients, std::size_t treatments, std::size_t cells) {
    Screen screen;
    for (std::size_t t = 0; t < treatments; ++t) screen.treatments.push_back("T" + std::to_string(t));
    for (std::size_t k = 0; k < patients; ++k) {
        const std::size_t control = screen.populations.size();
        for (std::size_t t = 0; t <= treatments; ++t) {
            Population p;
            p.experiment = k;
            p.patient = "P" + std::to_string(k);
            p.culture = "PDO";
            p.plate = k % 2 == 0 ? "1" : "2";
            p.control = t == 0;
            p.treatment = t == 0 ? "DMSO" : screen.treatments[t - 1];
            p.n_cells = cells;
            screen.populations.push_back(p);
            if (t > 0) screen.pairs.push_back({control, control + t});
        }
    }
    return screen;
}

std::string line(const Screen& screen, const std::string& topic) {
    for (const Advice& advice : advise(screen, summarise(screen, nullptr), nullptr)) {
        if (advice.topic == topic) return advice.text;
    }
    return "";
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST(Advice, FollowsTheNumberOfPairsAndPopulations) {
    EXPECT_TRUE(contains(line(screen_of(2, 3, 1000), "method"), "--method mean-shift."));
    EXPECT_TRUE(contains(line(screen_of(7, 3, 1000), "method"), "--method auto."));
    EXPECT_TRUE(contains(line(screen_of(4, 60, 1000), "method"), "--method auto."));
    EXPECT_TRUE(contains(line(screen_of(20, 10, 1000), "method"), "--method mfm."));
    EXPECT_EQ(line(screen_of(7, 3, 1000), "data"), "21 pairs of 7 patients, 7 for each treatment.");
    EXPECT_TRUE(contains(line(screen_of(7, 3, 1000), "settings"), "--coupling ot"));
    EXPECT_FALSE(contains(line(screen_of(20, 10, 1000), "settings"), "--coupling ot"));
}

TEST(Advice, RecommendsComponentsForManyMarkers) {
    Screen screen = screen_of(7, 3, 1000);
    screen.markers.resize(299);
    EXPECT_EQ(line(screen, "markers"), "");
    screen.markers.resize(2000);
    EXPECT_EQ(line(screen, "markers"),
              "--latent pca:50 trains in principal components instead of 2000 markers.");
}

TEST(Advice, NamesTheSplitsAndTheLimits) {
    const std::string splits = line(screen_of(5, 2, 1000), "splits");
    EXPECT_TRUE(contains(splits, "--split patient:P0 holds out one patient.")) << splits;
    EXPECT_TRUE(contains(splits, "--split each:patient holds out each in turn")) << splits;
    EXPECT_FALSE(contains(line(screen_of(30, 2, 1000), "splits"), "each:")) << "30 models take long";
    EXPECT_TRUE(contains(splits, "Other columns: plate (2).")) << splits;
    EXPECT_TRUE(contains(splits, "--treatment-vectors")) << splits;
    EXPECT_TRUE(contains(line(screen_of(5, 2, 1000), "limits"), "needs 6 patients"));
    EXPECT_TRUE(contains(line(screen_of(6, 2, 1000), "limits"),
                         "Hold out each patient in turn (--split each:patient)"));
    EXPECT_TRUE(contains(line(screen_of(6, 2, 80), "limits"), "With 80 cells a population"));
    EXPECT_TRUE(contains(line(screen_of(1, 2, 1000), "splits"), "none: "));
    EXPECT_TRUE(advise(Screen{}, summarise(Screen{}, nullptr), nullptr).empty());
}

TEST(Advice, CountsTheColumnOfTheSplit) {
    Screen screen = screen_of(6, 1, 1000);
    for (Population& p : screen.populations) p.split_values = {p.patient == "P0" ? "old" : "new"};
    screen.options.split_column = "batch";
    const Split split{
        "batch:old", {Part::test, Part::train, Part::train, Part::train, Part::train, Part::train}, "batch"};
    const auto lines = advise(screen, summarise(screen, &split), &split);
    ASSERT_EQ(lines.size(), 5U);
    EXPECT_EQ(lines[0].text, "6 pairs of 2 values of batch, 2 for each treatment.");
}

TEST(Advice, ForNewTreatmentsNamesTheirVectors) {
    const Screen screen = screen_of(3, 4, 1000);
    const Split split = make_split(screen, "treatment:T1", 1);
    const auto lines = advise(screen, summarise(screen, &split), &split);
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_EQ(lines[0].text, "9 pairs of 3 treatments to train on, 3 pairs of others to test.");
    EXPECT_TRUE(contains(lines[1].text, "--method mfm or fm with --treatment-vectors")) << lines[1].text;
}

TEST(Advice, ComparesNoMethodsIfOneValueIsLeftToTrainOn) {
    Screen screen = screen_of(8, 1, 1000);
    for (std::size_t k = 0; k < screen.populations.size(); ++k)
        screen.populations[k].culture = k < screen.populations.size() / 2 ? "PDO" : "F";
    screen.options.split_column = "culture";
    for (Population& p : screen.populations) p.split_values = {p.culture};
    const Split split = make_split(screen, "culture:F", 1);
    for (const Advice& advice : advise(screen, summarise(screen, &split), &split)) {
        if (advice.topic != "method") continue;
        EXPECT_TRUE(contains(advice.text, "--method mean-shift")) << advice.text;
    }
}
