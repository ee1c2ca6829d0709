// SPDX-License-Identifier: MIT
#include "screen/row_keys.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "core/error.hpp"
#include "h5/dataframe.hpp"
#include "h5/file.hpp"
#include "support/temporary_folder.hpp"

namespace core = popflow::core;
namespace h5 = popflow::h5;
using popflow::anndata::AnnData;
using popflow::screen::RowKeys;
using popflow::support::TemporaryFolder;
using Strings = std::vector<std::string>;
using Keys = std::vector<std::uint32_t>;

namespace {

/// Writes an AnnData file with one marker and the given obs.
void write(const std::string& path, const h5::DataFrame& obs) {
    h5::DataFrame var;
    var.set_row_names({"pERK"});
    h5::AtomicFile file(path);
    h5::Group root = file.root();
    h5::write_encoding(root, "anndata", "0.1.0");
    h5::write_dataframe(root, "obs", obs);
    h5::write_dataframe(root, "var", var);
    h5::Dataset x = root.write("X", std::span<const float>(std::vector<float>(obs.rows())), {obs.rows(), 1});
    h5::write_encoding(x, "array", "0.2.0");
    file.commit();
}

/// Tests of a file with six rows. The columns are categorical strings, numbers with a missing value, and
/// plain strings.
class RowKeysOfAFile : public testing::Test {
  protected:
    RowKeysOfAFile() {
        const double nan = std::numeric_limits<double>::quiet_NaN();
        h5::DataFrame obs;
        obs.add_categorical("drug", {"SN-38", "DMSO", "DMSO", "SN-38", "DMSO", "SN-38"});
        obs.add("dose", h5::DataFrame::Doubles{5, nan, nan, 5, 0, 10});
        obs.add("well", Strings{"B", "A", "A", "B", "A", "B"});
        write(path_, obs);
    }
    RowKeys keys(const Strings& columns) const { return RowKeys(AnnData(path_), columns); }
    const std::string& path() const { return path_; }

  private:
    TemporaryFolder folder_;
    std::string path_ = folder_.file("screen.h5ad");
};

Keys read(RowKeys& keys, std::size_t first, std::size_t count) {
    const auto block = keys.read(first, count);
    return {block.begin(), block.end()};
}

}  // namespace

TEST_F(RowKeysOfAFile, NumbersTheKeysInTheOrderOfTheirFirstRow) {
    RowKeys drugs = keys({"drug"});
    EXPECT_EQ(drugs.size(), 0U);
    EXPECT_EQ(read(drugs, 0, 6), (Keys{0, 1, 1, 0, 1, 0}));
    EXPECT_EQ(drugs.size(), 2U);
    EXPECT_EQ(drugs.label(0, 0), "SN-38");
    EXPECT_EQ(drugs.label(1, 0), "DMSO");
}

TEST_F(RowKeysOfAFile, DistinguishesRowsThatDifferInAnyColumn) {
    RowKeys all = keys({"drug", "dose", "well"});
    EXPECT_EQ(read(all, 0, 6), (Keys{0, 1, 1, 0, 2, 3}));
    ASSERT_EQ(all.size(), 4U);
    EXPECT_EQ(all.label(3, 0), "SN-38");
    EXPECT_EQ(all.label(3, 1), "10");
    EXPECT_EQ(all.label(3, 2), "B");
}

TEST_F(RowKeysOfAFile, FollowsTheOrderOfTheRequestedColumns) {
    RowKeys all = keys({"well", "drug"});
    read(all, 0, 6);
    EXPECT_EQ(all.label(0, 0), "B");
    EXPECT_EQ(all.label(0, 1), "SN-38");
}

TEST_F(RowKeysOfAFile, KeepsTheNumbersOfTheKeysOverBlocks) {
    RowKeys whole = keys({"drug", "dose"});
    const Keys expected = read(whole, 0, 6);
    for (std::size_t block = 1; block <= 6; ++block) {
        RowKeys parts = keys({"drug", "dose"});
        Keys found;
        for (std::size_t first = 0; first < 6; first += block) {
            const Keys part = read(parts, first, std::min<std::size_t>(block, 6 - first));
            found.insert(found.end(), part.begin(), part.end());
        }
        EXPECT_EQ(found, expected) << "blocks of " << block << " rows";
        EXPECT_EQ(parts.size(), whole.size());
    }
}

TEST_F(RowKeysOfAFile, FindsKnownKeysAgainIfABlockIsReadTwice) {
    RowKeys all = keys({"drug", "dose"});
    EXPECT_EQ(read(all, 4, 2), (Keys{0, 1}));
    EXPECT_EQ(read(all, 0, 6), (Keys{2, 3, 3, 2, 0, 1}));
    EXPECT_EQ(read(all, 0, 6), (Keys{2, 3, 3, 2, 0, 1}));
    EXPECT_EQ(all.size(), 4U);
}

TEST_F(RowKeysOfAFile, MarksMissingValues) {
    RowKeys all = keys({"drug", "dose"});
    const Keys rows = read(all, 0, 6);
    EXPECT_TRUE(all.is_missing(rows[1], 1));
    EXPECT_EQ(all.label(rows[1], 1), "");
    EXPECT_FALSE(all.is_missing(rows[1], 0));
    EXPECT_FALSE(all.is_missing(rows[4], 1)) << "a dose of 0 is a value";
    EXPECT_EQ(all.label(rows[4], 1), "0");
}

TEST_F(RowKeysOfAFile, TreatsAColumnWithoutANameAsOneEmptyLabel) {
    RowKeys all = keys({"", "drug"});
    EXPECT_EQ(read(all, 0, 6), (Keys{0, 1, 1, 0, 1, 0}));
    EXPECT_EQ(all.label(0, 0), "");
    EXPECT_FALSE(all.is_missing(0, 0));
    EXPECT_EQ(all.label(0, 1), "SN-38");
    RowKeys none = keys({""});
    EXPECT_EQ(read(none, 0, 6), (Keys(6, 0)));
    EXPECT_EQ(none.size(), 1U);
}

TEST_F(RowKeysOfAFile, HasOneKeyWithoutColumns) {
    RowKeys none = keys({});
    EXPECT_EQ(read(none, 0, 3), (Keys{0, 0, 0}));
    EXPECT_EQ(none.size(), 1U);
}

TEST_F(RowKeysOfAFile, ReadsAnEmptyBlock) {
    RowKeys all = keys({"drug"});
    EXPECT_TRUE(all.read(6, 0).empty());
    EXPECT_EQ(all.size(), 0U);
}

TEST_F(RowKeysOfAFile, RefusesAColumnThatTheFileLacks) {
    try {
        keys({"drug", "wel"});
        FAIL() << "no error";
    } catch (const core::DataError& error) {
        EXPECT_EQ(error.file, path());
        EXPECT_EQ(error.field, "obs/wel");
    }
}

TEST_F(RowKeysOfAFile, RefusesRowsThatDoNotExist) {
    RowKeys all = keys({"drug"});
    EXPECT_THROW(all.read(4, 3), core::DataError);
}

TEST(RowKeys, SeparatesManyCombinationsOfLabels) {
    // Row i has the labels (i / 40, i % 40), so all 1600 keys differ although each column has 40 labels.
    constexpr std::int64_t n = 40;
    h5::DataFrame::Ints high;
    h5::DataFrame::Ints low;
    for (std::int64_t i = 0; i < n * n; ++i) {
        high.push_back(i / n);
        low.push_back(i % n);
    }
    const TemporaryFolder folder;
    h5::DataFrame obs;
    obs.add("high", high);
    obs.add("low", low);
    write(folder.file("screen.h5ad"), obs);
    RowKeys keys(AnnData(folder.file("screen.h5ad")), {"high", "low"});
    const Keys rows = read(keys, 0, n * n);
    EXPECT_EQ(std::set<std::uint32_t>(rows.begin(), rows.end()).size(), rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        ASSERT_EQ(rows[i], i);
        ASSERT_EQ(keys.label(i, 0), std::to_string(high[i]));
        ASSERT_EQ(keys.label(i, 1), std::to_string(low[i]));
    }
}
