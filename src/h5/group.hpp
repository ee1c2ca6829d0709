// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "h5/dataset.hpp"
#include "h5/object.hpp"

namespace popflow::h5 {

/// A group of an HDF5 file. Names may be paths such as `obs/patient/codes`.
///
/// What leaves the file (external links, virtual datasets, external storage) is refused.
/// Objects are made without time stamps, so that equal content gives equal bytes.
class Group : public Object {
  public:
    using Object::Object;

    /// False also for a link that points nowhere. @throws core::DataError for a link into another file
    bool contains(const std::string& name) const;
    bool contains_group(const std::string& name) const;
    bool contains_dataset(const std::string& name) const;
    /// Names of the members, sorted.
    std::vector<std::string> names() const;

    /// @throws core::DataError if there is none, or it is not a group
    Group open_group(const std::string& name) const;
    /// The chunk cache holds a row of chunks (up to 64 MB), so that reading rows in order inflates each chunk
    /// once.
    Dataset open_dataset(const std::string& name) const;

    Group create_group(const std::string& name);

    /// Writes a whole array; the product of `shape` is values.size().
    template <Number T>
    Dataset write(const std::string& name, std::span<const T> values, const std::vector<std::size_t>& shape,
                  const Storage& storage = {}) {
        Dataset dataset = create_dataset(name, element_of<T>(), shape, storage);
        dataset.write_rows(0, values);
        return dataset;
    }
    /// Writes a 1-D array.
    template <Number T>
    Dataset write(const std::string& name, const std::vector<T>& values, const Storage& storage = {}) {
        return write(name, std::span<const T>(values), {values.size()}, storage);
    }
    /// One variable-length UTF-8 string, a scalar.
    Dataset write_string(const std::string& name, const std::string& value);
    Dataset write_strings(const std::string& name, std::span<const std::string> values,
                          const Storage& storage = {});
    /// h5py's enumeration of bool; values are 0 or 1.
    Dataset write_bools(const std::string& name, std::span<const std::uint8_t> values,
                        const Storage& storage = {});

    /// An array of zeros, to be filled with write_rows().
    Dataset create_dataset(const std::string& name, Element element, const std::vector<std::size_t>& shape,
                           const Storage& storage = {});
    /// An array of empty strings, to be filled with write_strings().
    Dataset create_strings(const std::string& name, std::size_t rows);
    /// An array of FALSE, to be filled with write_bools().
    Dataset create_bools(const std::string& name, std::size_t rows);
    /// A contiguous array whose space is taken at once and never written by HDF5: processes may write to
    /// Dataset::file_offset() on once the file has been closed. Elements are little-endian.
    Dataset create_contiguous(const std::string& name, Element element,
                              const std::vector<std::size_t>& shape);
    /// The same in chunks of whole rows; processes write to Dataset::chunk_offset() on.
    Dataset create_allocated_chunks(const std::string& name, Element element,
                                    const std::vector<std::size_t>& shape, std::size_t chunk_rows);
    /// The same for strings of at most `length` bytes, each padded with zeros to that length.
    Dataset create_contiguous_strings(const std::string& name, std::size_t length, std::size_t rows);

  private:
    Handle open_object(const std::string& name) const;
    Handle create_raw(const std::string& name, std::int64_t type, std::int64_t space,
                      std::int64_t properties);
    std::string child_path(const std::string& name) const;
};

}  // namespace popflow::h5
