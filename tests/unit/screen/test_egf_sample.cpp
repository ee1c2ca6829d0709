// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>

#include "inspect/inspection_json.hpp"
#include "inspect/inspection_text.hpp"
#include "screen/normalisation.hpp"
#include "screen/read_populations.hpp"
#include "screen/screen.hpp"
#include "screen/splits.hpp"

using namespace popflow::inspect;
using namespace popflow::screen;

// Checks the numbers that data/README.md states for the sample file.
TEST(EgfSample, HasNinetyFivePairs) {
    const Screen screen = open_screen(POPFLOW_SAMPLE_DATA "/egf_sample.h5ad", ScreenOptions());

    EXPECT_EQ(screen.n_obs, 119000U);
    EXPECT_EQ(screen.markers.size(), 36U);
    EXPECT_EQ(screen.experiments.size(), 24U);
    EXPECT_EQ(screen.populations.size(), 119U);
    EXPECT_EQ(screen.pairs.size(), 95U);
    EXPECT_TRUE(screen.dropped.empty());
    const Split split = make_split(screen, "patient:SRC", 1);
    EXPECT_EQ(split.pairs(Part::test).size(), 8U);
    EXPECT_NE(inspection_text(screen, &split).find("GFP-fusion  SRC           0           0     8"),
              std::string::npos);
}

TEST(EgfSample, EgfRaisesPhosphorylatedErk) {
    const Screen screen = open_screen(POPFLOW_SAMPLE_DATA "/egf_sample.h5ad", ScreenOptions());
    const auto marker =
        std::find(screen.markers.begin(), screen.markers.end(), "pERK") - screen.markers.begin();

    // EGF phosphorylates ERK within minutes.
    std::size_t n_raised = 0;
    std::size_t n_pairs = 0;
    for (const PopulationPair& pair : screen.pairs) {
        if (screen.populations[pair.treated].treatment != "EGF_5min") continue;
        const std::vector<std::size_t> both{pair.control, pair.treated};
        const std::vector<Cells> cells = read_populations(screen, both);
        const Moments control = moments(cells[0].x);
        const Moments treated = moments(cells[1].x);
        ++n_pairs;
        if (treated.mean[marker] > control.mean[marker]) ++n_raised;
    }
    EXPECT_EQ(n_pairs, 23U);
    EXPECT_GE(n_raised, 20U);
}
