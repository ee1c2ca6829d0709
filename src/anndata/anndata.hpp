// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "anndata/expression.hpp"
#include "anndata/label_column.hpp"
#include "anndata/matrix_source.hpp"
#include "anndata/stored_table.hpp"
#include "h5/group.hpp"

namespace popflow::anndata {

/// Reader of an AnnData file: cells are rows of a matrix and of obs, markers are columns of the matrix.
///
/// The matrix is X, a layer, the X of `raw`, or a member of obsm. The markers of X and of a layer are the
/// rows of var, those of `raw` are the rows of raw/var. A member of obsm that is a dataframe names its
/// columns. The columns of any other are KEY_1, KEY_2, ...
///
/// Reads the layouts of anndata 0.7 (categories in `__categories`) and of 0.8 or later, and obs and var as
/// the compound datasets of older versions. Reads only the matrix, obs, var, the old categories in uns, and
/// whether uns says that X is log-transformed.
///
/// Source: AnnData on-disk specification.
class AnnData {
  public:
    /// @throws core::DataError if the file is not HDF5, lacks the matrix, obs or var, or their sizes do not
    ///         match. The message lists the matrices of the file and the options that read them
    explicit AnnData(const std::string& file, const MatrixSource& source = {});

    const std::string& file() const { return root_.file(); }
    std::size_t n_obs() const { return x_.rows(); }
    std::size_t n_vars() const { return x_.cols(); }
    const std::vector<std::string>& var_names() const { return var_names_; }
    const Expression& x() const { return x_; }

    const MatrixSource& source() const { return source_; }
    /// Returns `obs` or `var` as it is stored, for `raw` its own var. The AnnData must outlive the table.
    StoredTable table(const std::string& name) const;
    /// Whether the markers have a table. Those of a member of obsm do not.
    bool has_var_table() const { return source_.kind != MatrixSource::Kind::obsm; }
    /// Whether uns["log1p"] exists, with which scanpy marks log-transformed values.
    bool has_log1p_mark() const { return root_.contains("uns/log1p"); }
    /// Whether `popflow import` wrote the file.
    bool is_imported() const { return root_.contains("uns/import"); }
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
    MatrixSource source_;
    Expression x_;
    std::vector<std::string> var_names_;
};

}  // namespace popflow::anndata
