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

/// Consecutive rows of X and where their values go.
struct RowRun {
    std::size_t first = 0;
    std::size_t count = 0;
    float* out = nullptr;  ///< [count, number of columns asked for], row-major; overwritten
};

/// The matrix X of an AnnData file: dense, CSR or CSC, of any number type, read in blocks of about
/// 16 MB, or of one chunk of up to 128 MB.
///
/// Shapes:  X [n cells, d markers].
/// Source:  AnnData on-disk specification, `array`, `csr_matrix`, `csc_matrix`, and the older
/// `h5sparse_format`.
class Expression {
  public:
    /// @throws core::DataError if X is missing, of an unknown encoding or not consistent
    explicit Expression(const h5::Group& root);

    std::size_t rows() const { return rows_; }
    std::size_t cols() const { return cols_; }
    /// As in `dense float32`, `csr int32`.
    std::string text() const;

    /// Reads the given columns of the rows of `runs`; blocks that hold no wanted row are not read.
    ///
    /// Rows of a CSC matrix are found by reading the wanted columns whole, in blocks.
    /// @param runs  ascending and without overlap
    /// @throws core::DataError for sparse indices out of range
    void read(std::span<const RowRun> runs, std::span<const std::size_t> columns) const;

    /// Takes stored numbers from a few dozen places into a digest, evenly spread and with both ends: rows of
    /// a dense matrix, stretches of the stored entries of a sparse one.
    void add_sample(core::Digest& digest) const;

  private:
    enum class Encoding { dense, csr, csc };
    void open_dense(const h5::Group& root);
    void open_sparse(const h5::Group& group);
    void read_dense(std::span<const RowRun> runs, std::span<const std::size_t> columns) const;
    void read_csr(std::span<const RowRun> runs, std::span<const std::size_t> columns) const;
    void read_csc(std::span<const RowRun> runs, std::span<const std::size_t> columns) const;
    std::vector<std::int64_t> read_offsets(std::size_t first, std::size_t count) const;
    [[noreturn]] void bad_index(const char* what, std::int64_t found, std::int64_t least,
                                std::size_t most) const;

    Encoding encoding_ = Encoding::dense;
    std::size_t rows_ = 0;
    std::size_t cols_ = 0;
    std::optional<h5::Dataset> values_;   ///< X itself, or the stored entries
    std::optional<h5::Dataset> indices_;  ///< column (CSR) or row (CSC) of each entry
    std::optional<h5::Dataset> offsets_;  ///< first entry of each row (CSR) or column (CSC), and the end
};

}  // namespace popflow::anndata
