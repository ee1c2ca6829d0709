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
    h5::Dataset values;                     ///< or the codes of a categorical
    std::optional<h5::Dataset> categories;  ///< of a categorical
    std::optional<h5::Dataset> mask;        ///< of a nullable column: true where a value is missing
    bool ordered = false;                   ///< of a categorical
    std::string encoding;                   ///< `encoding-type` of a nullable column
};

/// obs or var of an AnnData file: a group of columns, or the compound dataset of older versions.
///
/// Source: AnnData on-disk specification; nothing but the table and the old categories in uns is looked at.
class StoredTable {
  public:
    /// @param root  of the file; must outlive the table
    /// @param name  `obs` or `var` @throws core::DataError if it is missing
    StoredTable(const h5::Group& root, std::string name);

    /// Columns in the table's own order where it has one, else sorted; without the row names.
    std::vector<std::string> columns() const;
    /// @throws core::DataError for a kind of column that is not known
    StoredColumn column(const std::string& name) const;
    StoredColumn row_names() const { return column(index_); }
    const std::string& file() const { return root_.file(); }
    const std::string& name() const { return name_; }

  private:
    std::vector<std::string> member_names() const;

    const h5::Group& root_;
    std::string name_;
    bool compound_;
    std::string index_;  ///< the column that names the rows
};

}  // namespace popflow::anndata
