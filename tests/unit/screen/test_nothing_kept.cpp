// SPDX-License-Identifier: MIT
#include "screen/nothing_kept.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "support/screen_file.hpp"
#include "support/temporary_folder.hpp"

using namespace popflow::screen;
using popflow::support::ScreenFile;
using popflow::support::TemporaryFolder;

namespace {

class NothingKept : public testing::Test {
  protected:
    Screen survey(const ScreenFile& file, const ScreenOptions& options = {}) {
        file.write(path_);
        return survey_screen(path_, options);
    }
    TemporaryFolder folder_;
    std::string path_ = folder_.file("screen.h5ad");
};

// Control and treatment of a patient are on different plates, and have fewer cells than the default minimum.
ScreenFile different_plates() {
    ScreenFile file;
    for (const char* patient : {"P1", "P2"}) {
        file.add(5, {.patient = patient, .treatment = "DMSO", .concentration = "0", .plate = "1"});
        file.add(4, {.patient = patient, .treatment = "S", .concentration = "1", .plate = "2"});
    }
    file.add(2, {.patient = "P2", .treatment = "V", .concentration = "1", .plate = "2"});
    return file;
}

}  // namespace

TEST_F(NothingKept, GivesAllReasonsAndTheOptionsThatKeepSomething) {
    const Screen screen = survey(different_plates());

    EXPECT_TRUE(screen.experiments.empty());
    EXPECT_EQ(screen.experiments_found, 4U);
    EXPECT_EQ(screen.nothing_kept_at, "obs");
    EXPECT_EQ(
        screen.nothing_kept,
        "none of 4 experiments (patient, culture, plate, replicate) keeps a control and a treatment of at "
        "least 1000 cells. The largest population has 5 cells. 2 experiments have no control, 2 experiments "
        "have no treatment: plate differs between controls and treated cells. Use --pair-by "
        "patient,culture,replicate --min-cells 4, which keeps 2 pairs, or --pair-by "
        "patient,culture,replicate --min-cells 2, which keeps 3 pairs");
    EXPECT_THROW(open_screen(path_, {}), popflow::core::DataError);
}

TEST_F(NothingKept, TheOptionsKeepWhatTheySay) {
    ScreenOptions options;
    options.pair_by = {"patient", "culture", "replicate"};
    options.min_cells = 4;
    EXPECT_EQ(survey(different_plates(), options).pairs.size(), 2U);
    options.min_cells = 2;
    EXPECT_EQ(survey(different_plates(), options).pairs.size(), 3U);
}

TEST_F(NothingKept, ASmallerMinimumIsEnoughIfTheKeysFit) {
    ScreenFile file;
    file.add(5, {.patient = "P1", .treatment = "DMSO", .concentration = "0"});
    file.add(3, {.patient = "P1", .treatment = "S", .concentration = "1"});
    const std::string text = survey(file).nothing_kept;
    EXPECT_TRUE(text.ends_with("The largest population has 5 cells. Use --min-cells 3, which keeps 1 pair"))
        << text;
}

TEST_F(NothingKept, ARoleThatIsTheOnlyKeyIsSwitchedOff) {
    ScreenFile file;
    file.columns = {"treatment", "concentration", "plate"};
    file.add(3, {.patient = "", .treatment = "DMSO", .concentration = "0", .plate = "1"});
    file.add(3, {.patient = "", .treatment = "S", .concentration = "1", .plate = "2"});
    ScreenOptions options;
    options.min_cells = 2;
    const std::string text = survey(file, options).nothing_kept;
    EXPECT_TRUE(text.ends_with("Use --column plate=, which keeps 1 pair")) << text;
    options.columns = {{"plate", ""}};
    EXPECT_EQ(survey(file, options).pairs.size(), 1U);
}

TEST_F(NothingKept, NamesTheTreatmentsIfThereIsNoControl) {
    ScreenFile file;
    file.add(3, {.patient = "P1", .treatment = "S", .concentration = "1"});
    const Screen screen = survey(file);
    EXPECT_EQ(screen.nothing_kept_at, "obs/treatment");
    EXPECT_TRUE(screen.nothing_kept.starts_with("found no control among S")) << screen.nothing_kept;
}
