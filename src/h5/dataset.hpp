// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "h5/element.hpp"
#include "h5/handle.hpp"
#include "h5/object.hpp"

namespace popflow::h5 {

/// Layout of a new dataset in its file.
struct Storage {
    std::size_t chunk_rows = 0;  ///< rows of a chunk. 0: contiguous, or chunks of about 64 KiB if compressed
    int deflate = 0;             ///< gzip level, 0 (off) to 9
    bool shuffle = true;         ///< whether to shuffle bytes before deflate. Ignored without deflate
};

/// A filter of the pipeline that the values of a dataset pass through when they are written.
struct Filter {
    int id;                       ///< identifier in The HDF Group's registry of filters
    std::string name;             ///< name in the file, may be empty
    std::size_t first_parameter;  ///< shuffle: bytes of an element. 0 if the filter has no parameters
};

/// A stored array. Rows are along the first dimension. A row consists of all elements of the other
/// dimensions.
class Dataset : public Object {
  public:
    /// Takes ownership of an open dataset.
    /// @param file, path  names of the file and of the dataset in errors
    /// @throws core::DataError if its values are stored in another file, or if it claims more values than the
    /// file can hold
    Dataset(Handle handle, std::string file, std::string path);

    /// Returns a view of one member of compound elements. The view shares the HDF5 identifier.
    /// @throws core::DataError if there is no such member or the file is damaged
    Dataset member(const std::string& name) const;
    /// Returns the names of the members of compound elements. Empty for other elements.
    std::vector<std::string> members() const;

    const std::vector<std::size_t>& shape() const { return shape_; }
    /// Number of dimensions.
    std::size_t rank() const { return shape_.size(); }
    /// Number of rows. A scalar has one row.
    std::size_t rows() const { return shape_.empty() ? 1 : shape_.front(); }
    /// Number of elements of a row.
    std::size_t row_size() const;
    /// Number of elements.
    std::size_t size() const { return rows() * row_size(); }
    const StoredType& type() const { return type_; }
    /// Number of rows of a chunk, 0 if the dataset is contiguous.
    std::size_t chunk_rows() const { return chunk_.empty() ? 0 : chunk_.front(); }
    /// Number of bytes of a chunk in memory, 0 if the dataset is contiguous.
    std::size_t chunk_bytes() const;
    /// Shape of a chunk in elements, empty if the dataset is contiguous.
    const std::vector<std::size_t>& chunk_shape() const { return chunk_; }
    /// Filters in the order in which they are applied when writing.
    const std::vector<Filter>& filters() const { return filters_; }
    /// Returns `contiguous`, or `chunked` followed by the names of the filters.
    std::string layout_text() const;

    /// Reads all elements, converted to T.
    /// @throws core::DataError if they are not numbers or the file is damaged
    template <Number T>
    std::vector<T> read() const {
        std::vector<T> values(size());
        read_raw(element_of<T>(), 0, rows(), values.data());
        return values;
    }
    /// Reads rows [first, first + count), converted to T.
    /// @param out  count * row_size() elements
    /// @throws core::ShapeMismatch if `out` has another size
    /// @throws core::DataError if the rows do not exist, are not numbers or the file is damaged
    template <Number T>
    void read_rows(std::size_t first, std::size_t count, std::span<T> out) const {
        check_span(count, out.size());
        read_raw(element_of<T>(), first, count, out.data());
    }
    /// Checks the size of a buffer. @throws core::ShapeMismatch if `size` elements are not `count` rows
    void check_span(std::size_t count, std::size_t size) const;
    /// Reads all strings.
    std::vector<std::string> read_strings() const { return read_strings(0, rows()); }
    /// Reads the strings of rows [first, first + count), of fixed or variable length.
    /// @throws core::DataError if the rows do not exist, are not strings or the file is damaged
    std::vector<std::string> read_strings(std::size_t first, std::size_t count) const;

    /// Overwrites rows [first, first + values.size() / row_size()).
    /// @throws core::ShapeMismatch if the values are not whole rows, core::WriteError if writing fails
    template <Number T>
    void write_rows(std::size_t first, std::span<const T> values) {
        write_raw(element_of<T>(), first, values.size(), values.data());
    }
    /// Overwrites the rows of a dataset of variable-length strings, from row `first` on.
    void write_strings(std::size_t first, std::span<const std::string> values);
    /// Overwrites the rows of a dataset of bools, from row `first` on. @param values  0 or 1
    void write_bools(std::size_t first, std::span<const std::uint8_t> values);
    /// Returns the offset in bytes of a contiguous dataset in its file.
    /// @throws core::DataError if its storage is not allocated yet
    std::uint64_t file_offset() const;
    /// Returns the offset in bytes of the chunk that begins with row `first`. Chunks must consist of whole
    /// rows.
    /// @throws core::DataError if its storage is not allocated yet
    std::uint64_t chunk_offset(std::size_t first) const;

  private:
    void check_storage_is_local() const;
    void read_layout();
    void check_member(const std::string& name) const;
    void check_read(std::int64_t result, const char* action) const;
    void check_chunks(std::size_t first, std::size_t count) const;
    void read_raw(Element element, std::size_t first, std::size_t count, void* out) const;
    void write_raw(Element element, std::size_t first, std::size_t n_values, const void* values);
    Handle select(std::size_t first, std::size_t count) const;
    Handle memory_space(std::size_t count) const;
    Handle stored_type() const;
    std::size_t count_rows(std::size_t n_values) const;

    std::vector<std::size_t> shape_;
    std::vector<std::size_t> chunk_;
    std::vector<Filter> filters_;
    std::string unavailable_filter_;  ///< text of a filter that HDF5 cannot load, empty if there is none
    StoredType type_;
    std::string member_;  ///< member of compound elements that this is a view of, empty for whole elements
    mutable std::vector<bool> checked_chunk_rows_;  ///< see check_chunk_rows()
};

/// Returns a compound memory type with a single member of the given name and type.
Handle member_type(const std::string& name, std::int64_t type);

}  // namespace popflow::h5
