// SPDX-License-Identifier: MIT
#include "anndata/table_copy.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "anndata/anndata_write.hpp"
#include "core/error.hpp"
#include "h5/file.hpp"
#include "support/screen_file.hpp"
#include "support/temporary_folder.hpp"

using popflow::anndata::AnnData;
using popflow::anndata::RowSegment;
using popflow::anndata::TableCopy;
using popflow::support::TemporaryFolder;
namespace h5 = popflow::h5;
using Strings = std::vector<std::string>;
using Rows = std::vector<std::uint64_t>;

namespace {

std::string golden(const std::string& name) {
    return std::string(POPFLOW_TEST_DATA) + "/anndata/" + name;
}

// Copies the obs rows `later` and `earlier` of a file as two segments into a new AnnData file, `earlier`
// first. X has no columns. Returns the path of the new file.
std::string copy_obs(const TemporaryFolder& folder, const std::string& source, const Rows& later,
                     const Rows& earlier) {
    const AnnData data(source);
    const TableCopy table(data, "obs");
    const std::string path = folder.file("copy.h5ad");
    const std::size_t n = later.size() + earlier.size();
    const std::vector<RowSegment> segments{{later, earlier.size()}, {earlier, 0}};
    h5::AtomicFile file(path);
    {
        h5::Group root = file.root();
        h5::write_encoding(root, "anndata", "0.1.0");
        popflow::anndata::write_empty_groups(root);
        h5::write_dataframe(root, "var", {});
        h5::Dataset x = root.create_dataset("X", h5::Element::float32, {n, 0});
        h5::write_encoding(x, "array", "0.2.0");
        h5::Group obs = root.create_group("obs");
        h5::write_encoding(obs, "dataframe", "0.2.0");
        obs.write_attribute("_index", "_index");
        obs.write_attribute("column-order", table.columns());
        h5::Dataset index = obs.create_strings("_index", n);
        const Strings names = table.obs_names(segments);
        index.write_strings(earlier.size(), std::span(names).first(later.size()));
        index.write_strings(0, std::span(names).subspan(later.size()));
        table.create(obs, n);
        table.write(obs, segments);
    }
    file.commit();
    return path;
}

class TableCopyLayout : public testing::TestWithParam<const char*> {};

}  // namespace

TEST_P(TableCopyLayout, KeepsEveryLabel) {
    const TemporaryFolder folder;
    const Rows later{5, 3, 40};
    const Rows earlier{47, 0, 5};
    const std::string path = copy_obs(folder, golden(GetParam()), later, earlier);

    const AnnData before(golden(GetParam()));
    const AnnData after(path);
    EXPECT_EQ(after.table("obs").columns(), before.table("obs").columns());
    const Rows rows{47, 0, 5, 5, 3, 40};
    for (const std::string& column : before.obs_columns()) {
        const Strings labels = before.obs(column).read_labels();
        const Strings found = after.obs(column).read_labels();
        for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(found[i], labels[rows[i]]) << column << i;
    }
    for (std::size_t i = 0; i < rows.size(); ++i)
        EXPECT_EQ(after.obs_names(i, 1), before.obs_names(rows[i], 1));
}

INSTANTIATE_TEST_SUITE_P(Layouts, TableCopyLayout,
                         testing::Values("obs_typed.h5ad", "obs_strings.h5ad", "layout_0_7.h5ad",
                                         "layout_0_6.h5ad"));

TEST(TableCopy, KeepsStoredTypes) {
    const TemporaryFolder folder;
    const std::string path = copy_obs(folder, golden("obs_typed.h5ad"), {3, 5}, {1});
    const h5::Group obs = h5::open_file(path).open_group("obs");
    EXPECT_EQ(obs.open_dataset("patient").type().text(), "int16");
    EXPECT_EQ(obs.open_dataset("replicate").type().text(), "bool");
    EXPECT_EQ(obs.open_dataset("concentration/categories").type().text(), "float64");
    EXPECT_EQ(obs.open_group("plate").string_attribute("encoding-type"), "nullable-integer");
    EXPECT_EQ(obs.open_dataset("plate/mask").read<std::uint8_t>(), (std::vector<std::uint8_t>{0, 1, 0}));
    EXPECT_EQ(obs.open_dataset("treatment/codes").read<int>()[2], -1);
}

TEST(TableCopy, LeavesOutColumnsThatCannotBeCopied) {
    const TemporaryFolder folder;
    popflow::support::ScreenFile screen;
    screen.add(4, {"P1", "DMSO", "0"});
    screen.write(folder.file("s.h5ad"));
    {
        h5::WritableFile file(folder.file("s.h5ad"), "s.h5ad");
        h5::Group obs = file.root().open_group("obs");
        obs.write("short", std::vector<double>{1, 2});
        h5::Group nested = obs.create_group("IC50");
        nested.write("uM", std::vector<double>{1, 2, 3, 4});
        h5::Group future = obs.create_group("future");
        future.write_attribute("encoding-type", "sparse-column");
        obs.write("_index2", std::vector<double>{1, 2, 3, 4});
        file.close();
    }
    const AnnData data(folder.file("s.h5ad"));
    const TableCopy table(data, "obs");
    EXPECT_EQ(
        table.left_out(),
        (Strings{"obs/IC50: found encoding (none), which popflow cannot read. It reads array, string-array, "
                 "categorical, nullable-integer and nullable-boolean",
                 "obs/future: found encoding sparse-column, which popflow cannot read. It reads array, "
                 "string-array, "
                 "categorical, nullable-integer and nullable-boolean",
                 "obs/short: found 2 rows in 1 dimensions, but the table has 4 in 1"}));
    const Strings kept = table.columns();
    EXPECT_EQ(std::ranges::count(kept, "_index2"), 1);
    EXPECT_EQ(std::ranges::count(kept, "patient"), 1);
    EXPECT_EQ(kept.size(), screen.columns.size() + 1);
}
