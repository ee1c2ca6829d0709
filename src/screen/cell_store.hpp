// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "screen/population.hpp"

namespace popflow::screen {

/// Storage for the cells of many populations, in memory or in a memory-mapped file.
///
/// The file serves a shard that does not fit into memory. The operating system keeps the pages in use in
/// memory and writes the others back. The file is unlinked, so it disappears with the process. Its blocks are
/// allocated up front, so a full disk fails in the constructor. The cells have the same values in both cases.
class CellStore {
  public:
    CellStore() = default;
    /// @param sizes  number of cells of each population
    /// @param folder  folder of the file, on a disk of this host; empty to store the cells in memory
    /// @throws core::DataError if no file can be created in the folder
    /// @throws core::WriteError if the disk is too small
    /// @throws std::bad_alloc if memory cannot be mapped
    CellStore(std::span<const std::size_t> sizes, std::size_t markers, const std::string& folder);
    CellStore(CellStore&& other) noexcept { *this = std::move(other); }
    CellStore& operator=(CellStore&& other) noexcept;
    CellStore(const CellStore&) = delete;
    CellStore& operator=(const CellStore&) = delete;
    ~CellStore();

    /// Number of populations.
    std::size_t size() const { return extents_.size(); }
    bool on_disk() const { return on_disk_; }
    /// Returns the destination span of population `i`, to fill in its cells.
    CellsSpan destination(std::size_t i);
    /// Returns a view of the cells of population `i`.
    CellsView cells(std::size_t i) const;
    /// Evicts the cells of population `i` from memory if they are on disk. The next access reads them back.
    void evict(std::size_t i) const;

  private:
    /// Location of one population in the mapping.
    struct Extent {
        std::size_t begin = 0;  ///< byte offset of the first cell; the cell types follow the cells
        std::size_t cells = 0;
        std::size_t bytes = 0;  ///< size, rounded up to whole pages
    };
    std::byte* base_ = nullptr;
    std::size_t bytes_ = 0;
    std::size_t markers_ = 0;
    bool on_disk_ = false;
    std::vector<Extent> extents_;
};

/// Starts an asynchronous read of the cells from disk. Does nothing for cells in memory.
void prefetch(const CellsView& cells);
/// Evicts cells of an on-disk store from memory. The next access reads them back. Does nothing for other
/// cells.
void evict(const CellsView& cells);

}  // namespace popflow::screen
