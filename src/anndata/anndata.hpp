// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "anndata/expression.hpp"
#include "anndata/label_column.hpp"
#include "anndata/stored_table.hpp"
#include "h5/group.hpp"

namespace popflow::anndata {

/// Reader of an AnnData file: cells are rows of X and obs, markers are columns of X and rows of var.
///
/// Reads the layouts of anndata 0.7 (categories in `__categories`) and of 0.8 or later, and obs and var as
/// the compound datasets of older versions. Reads only X, obs, var and the old categories in uns.
///
/// Source: AnnData on-disk specification.
class AnnData {
  public:
    /// @throws core::DataError if the file is not HDF5, lacks X, obs or var, or their sizes do not match
    explicit AnnData(const std::string& file);

    const std::string& file() const { return root_.file(); }
    std::size_t n_obs() const { return x_.rows(); }
    std::size_t n_vars() const { return x_.cols(); }
    const std::vector<std::string>& var_names() const { return var_names_; }
    const Expression& x() const { return x_; }

    /// Returns `obs` or `var` as it is stored. The AnnData must outlive the table.
    StoredTable table(const std::string& name) const { return {root_, name}; }
    /// Reads the names of the cells [first, first + count).
    std::vector<std::string> obs_names(std::size_t first, std::size_t count) const;
    /// Returns the names of the columns of obs, sorted.
    std::vector<std::string> obs_columns() const;
    /// Returns whether obs has a column.
    bool has_obs(const std::string& column) const;
    /// Opens a column of obs.
    /// @throws core::DataError if the column is missing (the message suggests the nearest name), of an
    ///         unknown kind or of the wrong length
    LabelColumn obs(const std::string& column) const;

  private:
    h5::Group root_;
    Expression x_;
    std::vector<std::string> var_names_;
};

}  // namespace popflow::anndata
