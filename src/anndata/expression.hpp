// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/digest.hpp"
#include "h5/group.hpp"

namespace popflow::anndata {

/// Consecutive rows of X and the destination of their values.
struct RowRun {
    std::size_t first = 0;
    std::size_t count = 0;
    float* out = nullptr;  ///< [count, number of selected columns], row-major; overwritten
};

/// The matrix X of an AnnData file: dense, CSR or CSC, with any number type.
///
/// Reads blocks of about 16 MB, or of one chunk if a chunk is larger (up to 128 MB).
///
/// Shapes:  X [n cells, d markers].
/// Source:  AnnData on-disk specification, `array`, `csr_matrix`, `csc_matrix`, and the older
/// `h5sparse_format`.
class Expression {
  public:
    /// @throws core::DataError if X is missing, has an unknown encoding or is inconsistent
    explicit Expression(const h5::Group& root);

    std::size_t rows() const { return rows_; }
    std::size_t cols() const { return cols_; }
    /// Returns encoding and type, for example `dense float32` or `csr int32`.
    std::string text() const;

    /// Reads the given columns of the rows of `runs`. Skips blocks without selected rows.
    ///
    /// For a CSC matrix, reads all entries of the selected columns in blocks and picks the rows from them.
    /// @param runs  ascending and without overlap
    /// @throws core::DataError for sparse indices out of range
    void read(std::span<const RowRun> runs, std::span<const std::size_t> columns) const;

    /// Adds a sample of the stored numbers to a digest. The sample is up to 32 evenly spaced positions that
    /// include both ends: rows of a dense matrix, ranges of the stored entries of a sparse matrix.
    void add_sample(core::Digest& digest) const;

  private:
    enum class Encoding { dense, csr, csc };
    void open_dense(const h5::Group& root);
    void open_sparse(const h5::Group& group);
    void read_dense(std::span<const RowRun> runs, std::span<const std::size_t> columns) const;
    void read_csr(std::span<const RowRun> runs, std::span<const std::size_t> columns) const;
    void read_csc(std::span<const RowRun> runs, std::span<const std::size_t> columns) const;
    std::vector<std::int64_t> read_offsets(std::size_t first, std::size_t count) const;
    [[noreturn]] void fail_index(const char* what, std::int64_t found, std::int64_t min,
                                 std::size_t max) const;

    Encoding encoding_ = Encoding::dense;
    std::size_t rows_ = 0;
    std::size_t cols_ = 0;
    std::optional<h5::Dataset> values_;   ///< X itself, or the stored entries of a sparse X
    std::optional<h5::Dataset> indices_;  ///< column (CSR) or row (CSC) of each entry
    std::optional<h5::Dataset> offsets_;  ///< first entry of each row (CSR) or column (CSC), then the end
};

}  // namespace popflow::anndata
