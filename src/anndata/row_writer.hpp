// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "h5/group.hpp"
#include "linalg/matrix.hpp"

namespace popflow::anndata {

/// Overwrites bytes at given offsets of an existing file. Several processes may write to disjoint ranges at
/// the same time.
class RowWriter {
  public:
    /// @param reported  name of the file in error messages
    /// @throws core::DataError if the file cannot be opened for writing
    RowWriter(const std::string& file, std::string reported);
    RowWriter(const RowWriter&) = delete;
    RowWriter& operator=(const RowWriter&) = delete;
    ~RowWriter();

    /// Writes `count` bytes at `offset`. @throws core::WriteError
    void write(const void* bytes, std::size_t count, std::uint64_t offset);
    /// Waits until all data is on disk. A full disk may be reported only here. @throws core::WriteError
    void sync();

  private:
    [[noreturn]] void fail() const;

    std::string reported_;
    int fd_;
};

/// File offsets of the rows of a matrix.
struct RowChunks {
    std::size_t rows = 0;                ///< number of rows of a chunk
    std::vector<std::uint64_t> offsets;  ///< byte offset of each chunk; a contiguous matrix has one chunk
};

/// Looks up the file offsets of a matrix. @throws core::DataError
RowChunks find_chunks(const h5::Dataset& matrix);

/// Writes the rows of `x` to the rows of a matrix from `row` on. They may span several chunks.
void write_matrix_rows(RowWriter& writer, const RowChunks& chunks, const linalg::Matrix<float>& x,
                       std::size_t row);

/// File offset and meaning of the codes of a categorical column of obs.
struct CodeColumn {
    std::uint64_t offset = 0;
    std::size_t width = 0;  ///< bytes per code
    std::vector<std::string> categories;
};

/// Looks up the codes of a categorical column of obs. @throws core::DataError
CodeColumn find_codes(const h5::Group& root, const std::string& column);

/// Writes the code of one value to rows [row, row + count).
void write_codes(RowWriter& writer, const CodeColumn& column, const std::string& value, std::size_t row,
                 std::size_t count);
/// Writes a code to rows [row, row + count). Does not use the categories of the column.
void write_codes(RowWriter& writer, const CodeColumn& column, std::int32_t code, std::size_t row,
                 std::size_t count);

/// Writes the names of rows [row, row + count), which are the row numbers, each in `length` bytes.
/// @param offset  byte offset of the name of row 0
void write_row_names(RowWriter& writer, std::uint64_t offset, std::size_t length, std::size_t row,
                     std::size_t count);
/// Writes the given names of rows from `row` on. An empty name is replaced by the row number.
void write_row_names(RowWriter& writer, std::uint64_t offset, std::size_t length, std::size_t row,
                     const std::vector<std::string>& names);

}  // namespace popflow::anndata
