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

/// Reads variable-length strings directly from the global heap of a file.
///
/// A stored string is a reference: its length, the address of a heap collection and the index of an object in
/// the collection. libhdf5 looks up the index in a table without a bounds check, so that a damaged file
/// crashes it. This class checks each reference against the file. It caches the last collections that it has
/// parsed. Together they have at most as many bytes as the file. The file must be on disk.
///
/// Source: HDF5 File Format Specification 3.0, III.E (Global Heap).
class TextHeap {
  public:
    /// @param id  identifier of any object of the file
    /// @param file, path  names of the file and of the object in errors
    /// @throws core::DataError{file, path} if the file is not on disk
    TextHeap(std::int64_t id, std::string file, std::string path);

    /// Memory type for H5Dread and H5Aread that reads the references themselves: an opaque type.
    const Handle& reference_type() const { return type_; }
    /// Size of a reference.
    std::size_t reference_bytes() const { return 8 + raw_.address_bytes(); }

    /// Reads the strings of `references`, each of reference_bytes() bytes. A string ends at its first null
    /// byte.
    ///
    /// Strings may share a heap object, so a small file could yield an enormous amount of text. All strings
    /// of a call together may have at most the size of the file plus 1 MB.
    /// @throws core::DataError{file, path} for an invalid reference, or if the text exceeds this limit
    std::vector<std::string> read(std::span<const std::uint8_t> references);

  private:
    struct HeapObject {
        std::size_t begin = 0;  ///< offset in Collection::bytes, 0 if there is no such object
        std::size_t size = 0;
    };
    struct Collection {
        std::uint64_t address = 0;
        std::vector<std::uint8_t> bytes;
        std::vector<HeapObject> objects;  ///< by index
    };

    const Collection& collection(std::uint64_t address);
    std::uint64_t collection_size(std::uint64_t address) const;
    void parse(Collection& collection) const;

    RawFile raw_;
    Handle type_;
    std::vector<Collection> cache_;  ///< last collections read, together at most as long as the file
};

}  // namespace popflow::h5
