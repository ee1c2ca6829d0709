// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "h5/group.hpp"

namespace popflow::anndata {

/// One column of obs or var as it is stored.
struct StoredColumn {
    h5::Dataset values;                     ///< values, or the codes of a categorical column
    std::optional<h5::Dataset> categories;  ///< labels; only for a categorical column
    std::optional<h5::Dataset> mask;        ///< true where a value is missing; only for a nullable column
    bool ordered = false;                   ///< whether the categories of a categorical column are ordered
    std::string encoding;                   ///< `encoding-type` of a nullable column
};

/// obs or var of an AnnData file: a group of columns, or the compound dataset of older versions.
///
/// Reads only the table and the old categories in uns.
///
/// Source: AnnData on-disk specification.
class StoredTable {
  public:
    /// @param root  root group of the file; must outlive the table
    /// @param name  `obs` or `var`
    /// @throws core::DataError if the table is missing
    StoredTable(const h5::Group& root, std::string name);

    /// Returns the columns without the row names, in the column order of the table if it has one, else
    /// sorted.
    std::vector<std::string> columns() const;
    /// Returns the names with `/` in the column order, which are paths to datasets in groups of the table.
    std::vector<std::string> nested_columns() const;
    /// Name of the column that names the rows. It may be a path to a dataset in a group of the table.
    const std::string& index() const { return index_; }
    /// Opens a column. @throws core::DataError for a column of an unknown kind
    StoredColumn column(const std::string& name) const;
    /// Opens the column that names the rows.
    StoredColumn row_names() const { return column(index_); }
    const std::string& file() const { return root_.file(); }
    const std::string& name() const { return name_; }

  private:
    std::vector<std::string> member_names() const;

    const h5::Group& root_;
    std::string name_;
    bool compound_;
    std::string index_;  ///< name of the column that names the rows
};

}  // namespace popflow::anndata
