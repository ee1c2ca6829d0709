// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "h5/group.hpp"

namespace popflow::problems {

/// Rows of a matrix of an HDF5 file as weights in double: a dense array, or CSR or CSC in AnnData's encoding.
///
/// Shapes:  [rows, columns].
/// Source:  AnnData on-disk specification.
class WeightRows {
  public:
    /// @param path  path of the matrix in the file
    /// @throws core::DataError if there is no such matrix, or its arrays are inconsistent
    WeightRows(const h5::Group& root, const std::string& path);

    std::size_t rows() const { return rows_; }
    std::size_t cols() const { return cols_; }

    /// Passes each of the given rows to `use`, in their order. Reads blocks of bounded size, but for a CSC
    /// matrix all of it.
    /// @param rows  ascending
    /// @throws core::DataError for sparse indices out of range
    void read(std::span<const std::size_t> rows,
              const std::function<void(std::size_t k, std::span<const double> row)>& use) const;

  private:
    enum class Encoding { dense, csr, csc };
    void read_dense(std::span<const std::size_t> rows,
                    const std::function<void(std::size_t, std::span<const double>)>& use) const;
    void read_csr(std::span<const std::size_t> rows,
                  const std::function<void(std::size_t, std::span<const double>)>& use) const;
    void read_csc(std::span<const std::size_t> rows,
                  const std::function<void(std::size_t, std::span<const double>)>& use) const;
    std::vector<std::int64_t> read_index(const h5::Dataset& dataset, std::int64_t first,
                                         std::int64_t end) const;
    [[noreturn]] void fail_index(std::int64_t found, std::size_t size) const;

    Encoding encoding_ = Encoding::dense;
    std::string file_;
    std::string path_;
    std::size_t rows_ = 0;
    std::size_t cols_ = 0;
    std::vector<h5::Dataset> datasets_;  // values, and for a sparse matrix the indices
    std::vector<std::int64_t> offsets_;  // of a sparse matrix
};

}  // namespace popflow::problems
