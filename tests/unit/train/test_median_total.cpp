// SPDX-License-Identifier: MIT
#include "train/median_total.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "support/mpi_session.hpp"
#include "support/screen_file.hpp"
#include "support/temporary_folder.hpp"

using popflow::mpi::Communicator;
using namespace popflow;

namespace {

class MedianTotal : public support::WithMpi {
  protected:
    // Returns the median of a file whose second pair is held out.
    double median_of(const support::ScreenFile& file) {
        const support::TemporaryFolder folder;
        file.write(folder.file("s.h5ad"));
        screen::ScreenOptions options;
        options.min_cells = 1;
        const screen::Screen screen = screen::open_screen(folder.file("s.h5ad"), options);
        screen::Split split;
        split.parts.assign(screen.pairs.size(), screen::Part::train);
        split.parts.back() = screen::Part::test;
        return train::median_total(screen, split, Communicator::world());
    }
};

// Two patients with a control of two cells and a treated population of two cells each.
support::ScreenFile small_file(std::vector<float> x) {
    support::ScreenFile file;
    for (const char* patient : {"1", "2"}) {
        file.add(2, {.patient = patient, .treatment = "DMSO", .concentration = ""});
        file.add(2, {.patient = patient, .treatment = "S", .concentration = ""});
    }
    file.x = std::move(x);
    return file;
}

}  // namespace

TEST_F(MedianTotal, IsTheMiddleValue) {
    const Communicator comm = Communicator::world();
    const auto median = [&](const std::vector<double>& values) { return train::exact_median(values, comm); };
    EXPECT_EQ(median({}), 0);
    EXPECT_EQ(median({7}), 7);
    EXPECT_EQ(median({3, 1}), 2);
    EXPECT_EQ(median({5, 1e-3, 1e9}), 5);
    EXPECT_EQ(median({4, 4, 0.5, 4, 1e300, 4}), 4);
}

TEST_F(MedianTotal, CoversTheCellsOfTrainingPairsWithCounts) {
    // Totals 3, 0, 5 and 11 of the training pair: the median of 3, 5 and 11.
    EXPECT_EQ(median_of(small_file({1, 2, 0, 0, 5, 0, 10, 1, 100, 0, 200, 0, 300, 0, 400, 0})), 5);
}

TEST_F(MedianTotal, NeedsCounts) {
    EXPECT_THROW(median_of(small_file({1, -2, 0, 0, 5, 0, 10, 1, 1, 0, 2, 0, 3, 0, 4, 0})), core::UserError);
    EXPECT_THROW(median_of(small_file({0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 3, 0, 4, 0})), core::UserError);
}
