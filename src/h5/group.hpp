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
/// Rejects data outside the file: external links, virtual datasets and external storage.
/// Creates objects without time stamps, so that equal contents give equal bytes.
class Group : public Object {
  public:
    using Object::Object;

    /// Whether an object of this name exists. False for a dangling link.
    /// @throws core::DataError for a link into another file
    bool contains(const std::string& name) const;
    bool contains_group(const std::string& name) const;
    bool contains_dataset(const std::string& name) const;
    /// Returns the names of the members, sorted.
    std::vector<std::string> names() const;

    /// Opens a group. @throws core::DataError if it does not exist or is not a group
    Group open_group(const std::string& name) const;
    /// Opens a dataset. Its chunk cache holds a row of chunks (up to 64 MB), so that reading rows in order
    /// decompresses each chunk once. @throws core::DataError if it does not exist or is not a dataset
    Dataset open_dataset(const std::string& name) const;

    /// Creates an empty group. @throws core::DataError if the name exists
    Group create_group(const std::string& name);

    /// Writes a whole array. The product of `shape` must be values.size().
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
    /// Writes a scalar: one variable-length UTF-8 string.
    Dataset write_string(const std::string& name, const std::string& value);
    /// Writes a 1-D array of variable-length UTF-8 strings.
    Dataset write_strings(const std::string& name, std::span<const std::string> values,
                          const Storage& storage = {});
    /// Writes a 1-D array of h5py's boolean enumeration. @param values  0 or 1
    Dataset write_bools(const std::string& name, std::span<const std::uint8_t> values,
                        const Storage& storage = {});

    /// Creates an array of zeros. Dataset::write_rows() fills it.
    Dataset create_dataset(const std::string& name, Element element, const std::vector<std::size_t>& shape,
                           const Storage& storage = {});
    /// Creates an array of empty strings. Dataset::write_strings() fills it.
    Dataset create_strings(const std::string& name, std::size_t rows);
    /// Creates an array of FALSE. Dataset::write_bools() fills it.
    Dataset create_bools(const std::string& name, std::size_t rows);
    /// Creates a contiguous array of little-endian elements. Allocates its storage immediately, and HDF5
    /// never writes to it. After the file has been closed, processes may write to the file from
    /// Dataset::file_offset() on.
    Dataset create_contiguous(const std::string& name, Element element,
                              const std::vector<std::size_t>& shape);
    /// Like create_contiguous(), but in chunks of whole rows. Processes write from Dataset::chunk_offset()
    /// on.
    Dataset create_allocated_chunks(const std::string& name, Element element,
                                    const std::vector<std::size_t>& shape, std::size_t chunk_rows);
    /// Like create_contiguous(), for strings of at most `length` bytes. Each is padded with zeros to that
    /// length.
    Dataset create_contiguous_strings(const std::string& name, std::size_t length, std::size_t rows);

  private:
    Handle open_object(const std::string& name) const;
    Handle create_raw(const std::string& name, std::int64_t type, std::int64_t space,
                      std::int64_t properties);
    std::string child_path(const std::string& name) const;
};

}  // namespace popflow::h5
