// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "anndata/stored_table.hpp"
#include "core/digest.hpp"
#include "h5/group.hpp"

namespace popflow::anndata {

/// Consecutive rows of a matrix and the destination of their values.
struct RowRun {
    std::size_t first = 0;
    std::size_t count = 0;
    float* out = nullptr;  ///< [count, number of selected columns], row-major; overwritten
    /// [count], overwritten with the sum of each row over all columns of the matrix. Minus infinity if a
    /// value is negative. Null if not wanted, for all runs of a call or for none.
    double* totals = nullptr;
};

/// A matrix of an AnnData file: dense, CSR or CSC, or a dataframe, with any number type.
///
/// Reads blocks of about 16 MB, or of one chunk if a chunk is larger (up to 128 MB).
///
/// Shapes:  X [n cells, d markers].
/// Source:  AnnData on-disk specification, `array`, `csr_matrix`, `csc_matrix`, and the older
/// `h5sparse_format`.
class Expression {
  public:
    /// Opens the member `name` of a group.
    /// @throws core::DataError if it is missing, has an unknown encoding or is inconsistent
    explicit Expression(const h5::Group& parent, const std::string& name = "X");
    /// Takes the columns of a dataframe.
    /// @param path  path of the dataframe, for error messages
    /// @throws core::DataError if the columns differ in length, or there are none
    Expression(std::vector<StoredColumn> columns, const h5::Group& root, std::string path);

    std::size_t rows() const { return rows_; }
    std::size_t cols() const { return cols_; }
    /// Returns encoding and type, for example `dense float32` or `csr int32`.
    std::string text() const;
    bool is_dataframe() const { return encoding_ == Encoding::dataframe; }
    /// Path in the file, for example `X` or `layers/counts`.
    const std::string& path() const { return path_; }
    /// Checks that columns hold numbers. Only columns of a dataframe may hold anything else.
    /// @throws core::DataError for the first one that does not
    void check_columns(std::span<const std::size_t> columns) const;

    /// Reads the given columns of the rows of `runs`. Skips blocks without selected rows.
    ///
    /// For a CSC matrix, reads all entries of the selected columns in blocks and picks the rows from them.
    /// With totals it reads the entries of all columns.
    /// @param runs  ascending and without overlap
    /// @throws core::DataError for sparse indices out of range
    void read(std::span<const RowRun> runs, std::span<const std::size_t> columns) const;

    /// Adds a sample of the stored numbers to a digest. The sample is up to 32 evenly spaced positions that
    /// include both ends: rows of a dense matrix, ranges of the stored entries of a sparse matrix.
    void add_sample(core::Digest& digest) const;
    /// Reads the stored numbers of that sample. Includes the zeros of a dense matrix, but not those of a
    /// sparse one.
    std::vector<float> sample() const;
    /// Fraction of the elements that are not stored, 0 for a dense matrix.
    double unstored_fraction() const;

  private:
    enum class Encoding { dense, csr, csc, dataframe };
    struct Sample {
        std::size_t places = 0;
        std::size_t width = 0;              ///< numbers of a place
        std::vector<float> values;          ///< [places, width]
        std::vector<std::int64_t> indices;  ///< as values, empty unless sparse
    };
    Sample read_sample() const;
    void read_dataframe(std::span<const RowRun> runs, std::span<const std::size_t> columns) const;
    std::vector<float> read_column(std::size_t column, std::size_t first, std::size_t count) const;
    void open_dense(const h5::Group& parent, const std::string& name);
    void open_sparse(const h5::Group& group);
    void read_dense(std::span<const RowRun> runs, std::span<const std::size_t> columns) const;
    void read_csr(std::span<const RowRun> runs, std::span<const std::size_t> columns) const;
    void read_csc(std::span<const RowRun> runs, std::span<const std::size_t> columns) const;
    std::vector<std::int64_t> read_offsets(std::size_t first, std::size_t count) const;
    [[noreturn]] void fail_index(const char* what, std::int64_t found, std::int64_t min,
                                 std::size_t max) const;

    Encoding encoding_ = Encoding::dense;
    std::string file_;
    std::string path_;
    std::size_t rows_ = 0;
    std::size_t cols_ = 0;
    std::vector<StoredColumn> columns_;   ///< columns of a dataframe
    std::optional<h5::Dataset> values_;   ///< the matrix itself, or the stored entries of a sparse one
    std::optional<h5::Dataset> indices_;  ///< column (CSR) or row (CSC) of each entry
    std::optional<h5::Dataset> offsets_;  ///< first entry of each row (CSR) or column (CSC), then the end
};

}  // namespace popflow::anndata
