// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "h5/handle.hpp"

namespace popflow::h5 {

/// The number that bytes stand for, the lowest first.
std::uint64_t little_endian(std::span<const std::uint8_t> bytes);

/// The bytes of an open HDF5 file as they lie on the disk, for what libhdf5 reads without looking where it
/// ends.
class RawFile {
  public:
    /// @param id  any object of the file
    /// @throws core::DataError{file, path} if the bytes of the file cannot be had
    RawFile(std::int64_t id, std::string file, std::string path);

    std::uint64_t size() const { return size_; }
    /// Bytes of an address and of a length in this file.
    std::size_t address_bytes() const { return address_bytes_; }
    std::size_t length_bytes() const { return length_bytes_; }
    /// Bytes behind an address, up to the end of the file.
    std::uint64_t left_from(std::uint64_t address) const;
    /// Fills `out` from an address.
    /// @param what  what should be there, for the error
    /// @throws core::DataError if the file ends before
    void read(std::uint64_t address, std::span<std::uint8_t> out, const char* what) const;
    /// @throws core::DataError{file, path}: "is damaged: `what`"
    [[noreturn]] void damaged(const std::string& what) const;

  private:
    std::string file_;
    std::string path_;
    Handle open_file_;
    int descriptor_ = -1;
    std::uint64_t size_ = 0;
    std::uint64_t base_ = 0;  ///< of addresses
    std::size_t address_bytes_ = 8;
    std::size_t length_bytes_ = 8;
};

}  // namespace popflow::h5
