// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "anndata/anndata.hpp"
#include "anndata/stored_table.hpp"
#include "h5/group.hpp"

namespace popflow::anndata {

/// Rows of a table, in any order and also more than once, that go to consecutive rows of another.
struct RowSegment {
    std::span<const std::uint64_t> rows;
    std::size_t first = 0;  ///< where the first of them goes
};

/// Copies rows of obs or var of an AnnData file into a new one, every column with its type: strings, numbers
/// of any width, bools, categoricals with all their categories and order, and nullable columns.
///
/// Reads blocks that hold wanted rows, each once a call; memory is a block and one column of the rows of a
/// call. What anndata 0.7 and earlier stored in their own ways is written in the encodings of anndata 0.8;
/// half precision becomes float32.
class TableCopy {
  public:
    /// @param data  must outlive the copy
    /// @throws core::DataError for a column of a kind unknown or of another length
    TableCopy(const AnnData& data, const std::string& table);

    /// In the order of the table.
    std::vector<std::string> columns() const;
    /// Makes the columns with so many rows, and writes what does not depend on rows.
    void create(h5::Group& table, std::size_t rows) const;
    void write(h5::Group& table, std::span<const RowSegment> segments) const;
    /// Names of cells, segment after segment.
    std::vector<std::string> obs_names(std::span<const RowSegment> segments) const;

  private:
    const AnnData& data_;
    std::vector<std::pair<std::string, StoredColumn>> columns_;
};

}  // namespace popflow::anndata
