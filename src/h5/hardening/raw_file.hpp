// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "h5/handle.hpp"

namespace popflow::h5 {

/// Decodes an unsigned little-endian integer of at most 8 bytes.
std::uint64_t little_endian(std::span<const std::uint8_t> bytes);

/// Bounds-checked access to the bytes of an open HDF5 file on disk. It serves to check structures that
/// libhdf5 reads without a check of their bounds.
class RawFile {
  public:
    /// @param id  identifier of any object of the file
    /// @param file, path  names of the file and of the object in errors
    /// @throws core::DataError{file, path} if the file is not on disk
    RawFile(std::int64_t id, std::string file, std::string path);

    /// Size of the file in bytes.
    std::uint64_t size() const { return size_; }
    /// Number of bytes of an address in this file.
    std::size_t address_bytes() const { return address_bytes_; }
    /// Number of bytes of a length in this file.
    std::size_t length_bytes() const { return length_bytes_; }
    /// Number of bytes from an address to the end of the file.
    std::uint64_t bytes_from(std::uint64_t address) const;
    /// Reads bytes at an address.
    /// @param address  relative to the base address of the file
    /// @param what     name of the structure in errors
    /// @throws core::DataError if the range extends beyond the end of the file or cannot be read
    void read(std::uint64_t address, std::span<std::uint8_t> out, const char* what) const;
    /// Throws core::DataError{file, path} with the message "is damaged: `what`".
    [[noreturn]] void throw_damaged(const std::string& what) const;

  private:
    std::string file_;
    std::string path_;
    Handle open_file_;
    int descriptor_ = -1;
    std::uint64_t size_ = 0;
    std::uint64_t base_ = 0;  ///< base address: offset of address 0 in the file (size of the user block)
    std::size_t address_bytes_ = 8;
    std::size_t length_bytes_ = 8;
};

}  // namespace popflow::h5
