// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "h5/handle.hpp"
#include "h5/hardening/raw_file.hpp"

namespace popflow::h5 {

/// Text of variable length, read from where a file has it: its global heap.
///
/// A stored string is its length, the address of a collection of the heap and its number in it. libhdf5 looks
/// a number up in a table in memory without asking how long the table is, so that a damaged file crashes it;
/// here each reference is checked against the file. Collections are parsed once while a read needs them;
/// those that are kept have no more bytes together than the file.
///
/// Source: HDF5 File Format Specification 3.0, III.E (Global Heap). The file lies on a disk.
class TextHeap {
  public:
    /// @param id  any object of the file
    /// @throws core::DataError{file, path} if the bytes of the file cannot be had
    TextHeap(std::int64_t id, std::string file, std::string path);

    /// What a string is in the file: an opaque memory type for H5Dread and H5Aread.
    const Handle& reference_type() const { return type_; }
    std::size_t reference_bytes() const { return 8 + raw_.address_bytes(); }

    /// The strings of `references`, each of reference_bytes(), up to a terminating zero.
    ///
    /// Strings may share their place, so that a small file could give endless text: all together have at most
    /// the bytes of the file and 1 MB.
    /// @throws core::DataError{file, path} for a place that the file does not have, and for endless text
    std::vector<std::string> read(std::span<const std::uint8_t> references);

  private:
    struct Place {
        std::size_t begin = 0;  ///< in `bytes`
        std::size_t size = 0;
    };
    struct Collection {
        std::uint64_t address = 0;
        std::vector<std::uint8_t> bytes;
        std::vector<Place> objects;  ///< by number
    };

    const Collection& collection(std::uint64_t address);
    std::uint64_t size_at(std::uint64_t address) const;
    void parse(Collection& collection) const;

    RawFile raw_;
    Handle type_;
    std::vector<Collection> recent_;  ///< the last ones read, together at most as long as the file
};

}  // namespace popflow::h5
