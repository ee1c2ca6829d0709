// SPDX-License-Identifier: MIT
#include "inspect/inspection_json.hpp"
#include "inspect/inspection_text.hpp"

#include <gtest/gtest.h>

using namespace popflow::inspect;
using namespace popflow::screen;

namespace {

/// Returns a screen of two patients, each with a control and two doses. Pairs use the higher dose.
Screen small_screen() {
    Screen screen;
    screen.file = "a \"b\".h5ad";
    screen.n_obs = 24756030;
    screen.n_vars = 44;
    screen.x_text = "dense float32";
    screen.markers = {"pERK", "CD90"};
    screen.cell_types = {"PDOs"};
    screen.treatments = {"S"};
    screen.experiments_found = 3;
    screen.populations_found = 20;
    screen.fingerprint = "0123456789abcdef";
    for (const char* patient : {"11", "5"}) {
        const std::size_t first = screen.populations.size();
        screen.experiments.push_back({std::string(patient) + " / PDO", {}, {first, first + 1, first + 2}});
        for (const char* dose : {"0", "1", "10"}) {
            Population p;
            p.experiment = screen.experiments.size() - 1;
            p.patient = patient;
            p.culture = "PDO";
            p.control = dose[0] == '0';
            p.treatment = p.control ? "DMSO" : "S";
            p.concentration = dose;
            p.concentration_value = std::stod(dose);
            p.n_cells = 1000 + screen.populations.size();
            screen.populations.push_back(p);
        }
        screen.pairs.push_back({first, first + 2});
    }
    screen.dropped.push_back({Dropped::Kind::rows, "rows", 17, "no value of treatment"});
    for (int k = 0; k < 12; ++k) {
        screen.dropped.push_back(
            {Dropped::Kind::population, "21 / F: S at " + std::to_string(k), 100, "fewer than 1000 cells"});
    }
    screen.dropped.push_back({Dropped::Kind::experiment, "21 / F", 1200, "no control of 1000 cells or more"});
    return screen;
}

}  // namespace

TEST(Inspection, TextIsAlignedAndShortensLongLists) {
    const Screen screen = small_screen();
    const Split split{"patient:5", {Part::train, Part::test}};

    EXPECT_EQ(inspection_text(screen, &split), R"(File          a "b".h5ad (fingerprint 0123456789abcdef)
Cells         24,756,030 x 44 columns, dense float32
Markers       2: pERK, CD90
Transform     arcsinh:5
Patients      2: 5, 11
Cultures      1: PDO
Plates        (no such column: counted as one)
Replicates    (no such column: counted as one)
Cell types    1: PDOs
Experiments   3 found, 2 kept (one patient, culture, plate, replicate each)
Populations   20 found, 6 kept; 1,000 to 1,005 cells, median 1,002
Pairs         2 (highest dose of each treatment)

Treatments
  treatment       dose  populations  cells  smallest  median  largest  pairs
  DMSO (control)  0               2  2,003     1,000   1,000    1,003      2
  S               1               2  2,005     1,001   1,001    1,004      0
  S               10              2  2,007     1,002   1,002    1,005      2

Pairs of the split patient:5
  culture  patient  train  validation  test
  all                   1           0     1
  PDO      11           1           0     0
  PDO      5            0           0     1

Dropped
  12 populations with 1,200 cells: fewer than 1000 cells
    21 / F: S at 0 (100 cells)
    21 / F: S at 1 (100 cells)
    21 / F: S at 2 (100 cells)
    21 / F: S at 3 (100 cells)
    21 / F: S at 4 (100 cells)
    21 / F: S at 5 (100 cells)
    21 / F: S at 6 (100 cells)
    21 / F: S at 7 (100 cells)
    ... and 4 more
  1 experiment with 1,200 cells: no control of 1000 cells or more
    21 / F (1,200 cells)
  17 rows: no value of treatment

Advice (docs/choosing.md)
  data        2 pairs of 2 patients, 2 for each treatment.
  splits      --split patient:5 holds out one patient. --split each:patient holds out each in turn,
              with one model for each.
  method      --method mean-shift. A treatment has 2 patients, but 3 are needed to learn how
              responses differ between them.
  settings    The defaults of fm, cgfm and mfm are those of screens with fewer than 100 pairs: a
              small network, few steps, --coupling ot.
  limits      A test of one model against another needs 6 patients held out in turn for p < 0.05,
              and there are 2.
)");
}

TEST(Inspection, TextLeavesOutTheSplitAndStatesThatNothingWasDropped) {
    Screen screen = small_screen();
    screen.dropped.clear();

    const std::string text = inspection_text(screen, nullptr);

    EXPECT_EQ(text.find("Pairs of the split"), std::string::npos);
    EXPECT_NE(text.find("\nNothing was dropped.\n"), std::string::npos);
}

TEST(Inspection, JsonListsAllDroppedPopulationsAndTheSplit) {
    const Screen screen = small_screen();
    const Split split{"patient:5", {Part::train, Part::test}};

    const std::string json = inspection_json(screen, &split);

    EXPECT_NE(json.find("\"file\": \"a \\\"b\\\".h5ad\""), std::string::npos);
    EXPECT_NE(json.find("21 / F: S at 11"), std::string::npos);
    EXPECT_NE(json.find("\"part\": \"test\""), std::string::npos);
    EXPECT_NE(json.find("\"spec\": \"patient:5\""), std::string::npos);
}

TEST(Inspection, JsonReplacesInvalidUtf8) {
    Screen screen = small_screen();
    screen.file = "Z\xfcrich";  // Latin-1
    EXPECT_NE(inspection_json(screen, nullptr).find("\"file\": \"Z\xef\xbf\xbdrich\""), std::string::npos);
}

TEST(Inspection, JsonIsIndentedAndHasMembersInOrder) {
    const std::string json = inspection_json(small_screen(), nullptr);
    EXPECT_TRUE(json.starts_with("{\n  \"file\": ")) << json;
    EXPECT_LT(json.find("\"doses\": ["), json.find("\"populations\": [\n"));
    EXPECT_TRUE(json.ends_with("}\n")) << json;
}
