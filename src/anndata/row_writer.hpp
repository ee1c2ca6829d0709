// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "h5/group.hpp"
#include "linalg/matrix.hpp"

namespace popflow::anndata {

/// Overwrites bytes at given places of a file that exists. Processes may do so side by side in disjoint
/// places.
class RowWriter {
  public:
    /// @param reported  the name that errors call the file by
    /// @throws core::DataError if the file cannot be opened for writing
    RowWriter(const std::string& file, std::string reported);
    RowWriter(const RowWriter&) = delete;
    RowWriter& operator=(const RowWriter&) = delete;
    ~RowWriter();

    /// @throws core::WriteError
    void write(const void* bytes, std::size_t count, std::uint64_t offset);
    /// Waits until all is on disk; a full one may only tell now. @throws core::WriteError
    void sync();

  private:
    [[noreturn]] void fail() const;

    std::string reported_;
    int fd_;
};

/// Where the rows of a matrix are in a file.
struct RowChunks {
    std::size_t rows = 0;                ///< of a chunk
    std::vector<std::uint64_t> offsets;  ///< of each chunk; one, if the matrix is contiguous
};

/// @throws core::DataError
RowChunks find_chunks(const h5::Dataset& matrix);

/// Rows of a matrix from `row` on, which may lie in several chunks.
void write_matrix_rows(RowWriter& writer, const RowChunks& chunks, const linalg::Matrix<float>& x,
                       std::size_t row);

/// Where the codes of a categorical column of obs are in a file, and what they mean.
struct CodeColumn {
    std::uint64_t offset = 0;
    std::size_t width = 0;  ///< bytes of a code
    std::vector<std::string> categories;
};

/// @throws core::DataError
CodeColumn find_codes(const h5::Group& root, const std::string& column);

/// The code of one value in rows [row, row + count).
void write_codes(RowWriter& writer, const CodeColumn& column, const std::string& value, std::size_t row,
                 std::size_t count);

/// The names of rows [row, row + count): their numbers, each in `length` bytes.
/// @param offset  of the first name of the file
void write_row_names(RowWriter& writer, std::uint64_t offset, std::size_t length, std::size_t row,
                     std::size_t count);

}  // namespace popflow::anndata
