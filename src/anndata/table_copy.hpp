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

/// Source rows that are copied to consecutive rows of another table. They may be in any order and repeat.
struct RowSegment {
    std::span<const std::uint64_t> rows;
    std::size_t first = 0;  ///< destination of the first of `rows`
};

/// Copies rows of obs or var of an AnnData file into a new file. Every column keeps its type: strings,
/// numbers of any width, bools, categoricals with all their categories and order, and nullable columns.
///
/// Reads each block that holds selected rows once per call. Memory use is one block and one column of the
/// rows of a call. Layouts of anndata 0.7 and earlier are written in the encodings of anndata 0.8. Half
/// precision becomes float32.
class TableCopy {
  public:
    /// Opens the columns and reads the first row of each. Leaves out the columns that cannot be copied.
    /// @param data  must outlive the copy
    /// @param table  `obs` or `var`. A matrix without a var table has no columns
    /// @throws core::DataError if the table is missing
    TableCopy(const AnnData& data, const std::string& table);

    /// Returns a line for each column that is left out: its name and the reason.
    const std::vector<std::string>& left_out() const { return left_out_; }
    /// Returns the names of the columns, in the order of the table.
    std::vector<std::string> columns() const;
    /// Creates the columns with `rows` rows, and writes the parts that do not depend on rows.
    void create(h5::Group& table, std::size_t rows) const;
    /// Copies the rows of all segments.
    void write(h5::Group& table, std::span<const RowSegment> segments) const;
    /// Reads the names of the cells, segment after segment.
    std::vector<std::string> obs_names(std::span<const RowSegment> segments) const;

  private:
    const AnnData& data_;
    std::vector<std::pair<std::string, StoredColumn>> columns_;
    std::vector<std::string> left_out_;
};

}  // namespace popflow::anndata
