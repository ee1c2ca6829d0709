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

/// An AnnData file: cells in rows of X and obs, markers in columns of X and rows of var.
///
/// Reads the layouts of anndata 0.7 (categories in `__categories`) and 0.8 or later, and obs and var as the
/// compound datasets of older versions. Source: AnnData on-disk specification; nothing but X, obs, var and
/// the old categories in uns is looked at.
class AnnData {
  public:
    /// @throws core::DataError if it is not HDF5, has no X, obs or var, or their sizes do not agree
    explicit AnnData(const std::string& file);

    const std::string& file() const { return root_.file(); }
    std::size_t n_obs() const { return x_.rows(); }
    std::size_t n_vars() const { return x_.cols(); }
    const std::vector<std::string>& var_names() const { return var_names_; }
    const Expression& x() const { return x_; }

    /// `obs` or `var` as it is stored; the AnnData must outlive it.
    StoredTable table(const std::string& name) const { return {root_, name}; }
    /// Names of `count` cells from row `first` on.
    std::vector<std::string> obs_names(std::size_t first, std::size_t count) const;
    /// Sorted.
    std::vector<std::string> obs_columns() const;
    bool has_obs(const std::string& column) const;
    /// @throws core::DataError if it is missing (with the nearest name), of a kind unknown, or of another
    /// length
    LabelColumn obs(const std::string& column) const;

  private:
    h5::Group root_;
    Expression x_;
    std::vector<std::string> var_names_;
};

}  // namespace popflow::anndata
