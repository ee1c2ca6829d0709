// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace popflow::data {

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

    /// @throws core::DataError
    void write(const void* bytes, std::size_t count, std::uint64_t offset);
    /// Waits until all is on disk; a full one may only tell now. @throws core::DataError
    void sync();

  private:
    [[noreturn]] void fail() const;

    std::string reported_;
    int fd_;
};

}  // namespace popflow::data
