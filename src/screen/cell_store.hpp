// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "screen/population.hpp"

namespace popflow::screen {

/// The cells of many populations, in memory or in a file that is mapped into it.
///
/// A file is for a shard that does not fit into memory: the system keeps what is in use and writes the rest
/// back. It has no name, so that it goes with the process, and its room on the disk is taken at once, so that
/// a full disk is an error of the constructor. Cells are the same either way.
class CellStore {
  public:
    CellStore() = default;
    /// @param sizes  cells of each population
    /// @param folder  for the file, on a disk of this host; empty for memory
    /// @throws core::DataError if no file can be made there; core::WriteError if the disk is too small;
    /// std::bad_alloc
    CellStore(std::span<const std::size_t> sizes, std::size_t markers, const std::string& folder);
    CellStore(CellStore&& other) noexcept { *this = std::move(other); }
    CellStore& operator=(CellStore&& other) noexcept;
    CellStore(const CellStore&) = delete;
    CellStore& operator=(const CellStore&) = delete;
    ~CellStore();

    std::size_t size() const { return places_.size(); }
    bool on_disk() const { return on_disk_; }
    CellsSpan destination(std::size_t i);
    CellsView cells(std::size_t i) const;
    /// Lets the cells of a population leave memory until they are looked at again, if they are on a disk.
    void release(std::size_t i) const;

  private:
    struct Place {
        std::size_t begin = 0;  ///< byte of the first cell; the types follow the cells
        std::size_t cells = 0;
        std::size_t bytes = 0;  ///< whole pages
    };
    std::byte* base_ = nullptr;
    std::size_t bytes_ = 0;
    std::size_t markers_ = 0;
    bool on_disk_ = false;
    std::vector<Place> places_;
};

/// Asks the system to fetch the cells from their disk, without waiting for it. Cells in memory stay as they
/// are.
void prefetch(const CellsView& cells);
/// Lets cells leave memory until they are looked at again. Only for cells of a store on a disk.
void evict(const CellsView& cells);

}  // namespace popflow::screen
