// SPDX-License-Identifier: MIT
#include "h5/dataframe.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "h5/file.hpp"
#include "support/temporary_folder.hpp"

namespace h5 = popflow::h5;
using Strings = std::vector<std::string>;

TEST(DataFrame, IsReadBackUnchanged) {
    const popflow::support::TemporaryFolder folder;
    h5::DataFrame table;
    table.add("step", h5::DataFrame::Ints{1, 2, 3});
    table.add("loss", h5::DataFrame::Doubles{0.5, 0.25, 0.1});
    table.add_bools("ok", {1, 1, 0});
    table.add("message", Strings{"", "", "Zürich"});
    table.add_categorical("part", {"train", "test", "train"});
    table.set_row_names({"a", "b", "c"});

    h5::AtomicFile file(folder.file("t.h5"));
    h5::Group root = file.root();
    h5::write_dataframe(root, "pairs", table);
    file.commit();
    const h5::DataFrame read = h5::read_dataframe(h5::open_file(folder.file("t.h5")), "pairs");

    EXPECT_EQ(read.rows(), 3U);
    EXPECT_EQ(read.row_names(), (Strings{"a", "b", "c"}));
    EXPECT_EQ(read.ints("step"), table.ints("step"));
    EXPECT_EQ(read.doubles("loss"), table.doubles("loss"));
    EXPECT_EQ(read.bools("ok"), table.bools("ok"));
    EXPECT_EQ(read.strings("message"), table.strings("message"));
    EXPECT_EQ(read.strings("part"), table.strings("part"));
    EXPECT_TRUE(read.columns().back().categorical);
}

TEST(DataFrame, UsesWiderCodesForManyCategories) {
    const popflow::support::TemporaryFolder folder;
    Strings values;
    for (int i = 0; i < 300; ++i) values.push_back(std::to_string(i));
    h5::DataFrame table;
    table.add_categorical("v", values);

    h5::AtomicFile file(folder.file("t.h5"));
    h5::Group root = file.root();
    h5::write_dataframe(root, "t", table);
    file.commit();

    const h5::Group read = h5::open_file(folder.file("t.h5"));
    EXPECT_EQ(read.open_dataset("t/v/codes").type().text(), "int16");
    EXPECT_EQ(h5::read_dataframe(read, "t").strings("v"), values);
}

TEST(DataFrame, RefusesColumnsThatDoNotFit) {
    h5::DataFrame table;
    table.add("a", h5::DataFrame::Ints{1, 2});

    EXPECT_THROW(table.add("b", h5::DataFrame::Ints{1}), popflow::core::Error);
    EXPECT_THROW(table.add("a", h5::DataFrame::Ints{1, 2}), popflow::core::Error);
    EXPECT_THROW(table.doubles("a"), popflow::core::Error);
    EXPECT_THROW(table.ints("c"), popflow::core::Error);
}
