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

// What data/README.md says of the file that comes with popflow.
TEST(EgfSample, IsAScreenOfNinetyFivePairs) {
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

TEST(EgfSample, StimulationMovesItsMarkers) {
    const Screen screen = open_screen(POPFLOW_SAMPLE_DATA "/egf_sample.h5ad", ScreenOptions());
    const auto marker =
        std::find(screen.markers.begin(), screen.markers.end(), "pERK") - screen.markers.begin();

    // EGF phosphorylates ERK within minutes.
    std::size_t risen = 0;
    std::size_t pairs = 0;
    for (const PopulationPair& pair : screen.pairs) {
        if (screen.populations[pair.treated].treatment != "EGF_5min") continue;
        const std::vector<std::size_t> both{pair.control, pair.treated};
        const std::vector<Cells> cells = read_populations(screen, both);
        const Moments control = moments(cells[0].x);
        const Moments treated = moments(cells[1].x);
        ++pairs;
        if (treated.mean[marker] > control.mean[marker]) ++risen;
    }
    EXPECT_EQ(pairs, 23U);
    EXPECT_GE(risen, 20U);
}
