// SPDX-License-Identifier: MIT
#include "train/training_table.hpp"

#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"

using popflow::train::read_training_table;
using popflow::train::TrainingRow;

TEST(TrainingTable, ReadsRowsUpToTheGivenStep) {
    const popflow::support::TemporaryFolder folder;
    const std::string path = folder.file("training.h5");
    std::vector<TrainingRow> rows;
    for (std::uint64_t s = 1; s <= 5; ++s)
        rows.push_back({.step = 10 * s, .loss = 1.0 / static_cast<double>(s)});

    popflow::train::write_training_table(path, rows);
    const auto back = read_training_table(path, 30);

    ASSERT_EQ(back.size(), 3U);
    EXPECT_EQ(back[2].step, 30U);
    EXPECT_EQ(back[2].loss, 1.0 / 3);
    EXPECT_TRUE(read_training_table(folder.file("nothing.h5"), 30).empty());
}
