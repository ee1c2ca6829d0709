// SPDX-License-Identifier: MIT
#include "screen/cell_store.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>

#include "core/error.hpp"
#include "support/temporary_folder.hpp"

using popflow::screen::CellStore;
using popflow::support::TemporaryFolder;

namespace {

constexpr std::size_t d = 3;
const std::vector<std::size_t> sizes{5, 0, 4000, 1};

void fill(CellStore& store) {
    for (std::size_t i = 0; i < store.size(); ++i) {
        const auto destination = store.destination(i);
        std::iota(destination.x.data, destination.x.data + destination.x.rows * d,
                  static_cast<float>(1000 * i));
        std::fill(destination.cell_type.begin(), destination.cell_type.end(), static_cast<std::uint8_t>(i));
        store.evict(i);
    }
}

void expect_filled(const CellStore& store) {
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        const auto cells = store.cells(i);
        ASSERT_EQ(cells.x.rows, sizes[i]);
        ASSERT_EQ(cells.x.cols, d);
        for (std::size_t k = 0; k < sizes[i]; ++k) {
            EXPECT_EQ(cells.x(k, 2), static_cast<float>(1000 * i + k * d + 2));
            EXPECT_EQ(cells.cell_type[k], i);
        }
    }
}

}  // namespace

TEST(CellStore, KeepsCellsInMemory) {
    CellStore store(sizes, d, "");
    fill(store);
    EXPECT_FALSE(store.on_disk());
    expect_filled(store);
    EXPECT_FALSE(store.cells(0).on_disk);
}

TEST(CellStore, KeepsCellsInAFileThatIsDeletedWithTheStore) {
    const TemporaryFolder folder;
    CellStore moved;
    {
        CellStore store(sizes, d, folder.file(""));
        fill(store);
        moved = std::move(store);
    }
    EXPECT_TRUE(moved.on_disk());
    popflow::screen::prefetch(moved.cells(2));
    expect_filled(moved);
    popflow::screen::evict(moved.cells(2));
    expect_filled(moved);
    EXPECT_TRUE(std::filesystem::is_empty(folder.file("")));
}

TEST(CellStore, ThrowsIfTheFolderDoesNotExist) {
    EXPECT_THROW(CellStore(sizes, d, "/no/such/folder"), popflow::core::DataError);
}

TEST(CellStore, MayBeEmpty) {
    const TemporaryFolder folder;
    EXPECT_EQ(CellStore(std::vector<std::size_t>{}, d, folder.file("")).size(), 0U);
    EXPECT_EQ(CellStore(std::vector<std::size_t>{0}, d, folder.file("")).cells(0).x.rows, 0U);
}
