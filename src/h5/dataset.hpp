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

/// How a new dataset is laid out in its file.
struct Storage {
    std::size_t chunk_rows = 0;  ///< 0: contiguous, or about 64 KiB a chunk if compressed
    int deflate = 0;             ///< 0 (off) to 9
    bool shuffle = true;         ///< bytes of like weight together before deflate; nothing without it
};

/// What the values of a dataset pass through on their way into the file.
struct Filter {
    int number;               ///< of The HDF Group's registry
    std::string name;         ///< as the file has it; empty if it has none
    std::size_t first_value;  ///< of those it was set up with, of shuffle the bytes of an element; 0 if none
};

/// A stored array. Rows are along the first dimension; a row is all elements of the other dimensions.
class Dataset : public Object {
  public:
    /// Takes an open dataset and refuses one whose values lie in another file. @throws core::DataError
    Dataset(Handle handle, std::string file, std::string path);

    /// The dataset seen through one member of its compound elements. @throws core::DataError
    Dataset member(const std::string& name) const;
    /// Names of the members of compound elements.
    std::vector<std::string> members() const;

    const std::vector<std::size_t>& shape() const { return shape_; }
    std::size_t rank() const { return shape_.size(); }
    /// A scalar has one row.
    std::size_t rows() const { return shape_.empty() ? 1 : shape_.front(); }
    std::size_t row_size() const;
    std::size_t size() const { return rows() * row_size(); }
    const StoredType& type() const { return type_; }
    /// 0 if the dataset is contiguous.
    std::size_t chunk_rows() const { return chunk_.empty() ? 0 : chunk_.front(); }
    /// Of one chunk in memory; 0 if the dataset is contiguous.
    std::size_t chunk_bytes() const;
    /// Of one chunk, in elements; empty if the dataset is contiguous.
    const std::vector<std::size_t>& chunk_shape() const { return chunk_; }
    /// In the order of writing.
    const std::vector<Filter>& filters() const { return filters_; }
    /// `contiguous`, or `chunked` with the names of the filters.
    std::string layout_text() const;

    /// All elements, converted. @throws core::DataError if they are not numbers or the file is damaged
    template <Number T>
    std::vector<T> read() const {
        std::vector<T> values(size());
        read_raw(element_of<T>(), 0, rows(), values.data());
        return values;
    }
    /// Rows [first, first + count), converted; `out` holds count * row_size() elements.
    template <Number T>
    void read_rows(std::size_t first, std::size_t count, std::span<T> out) const {
        check_span(count, out.size());
        read_raw(element_of<T>(), first, count, out.data());
    }
    /// @throws core::ShapeMismatch if `size` elements are not `count` rows
    void check_span(std::size_t count, std::size_t size) const;
    std::vector<std::string> read_strings() const { return read_strings(0, rows()); }
    /// Strings of rows [first, first + count), of fixed or variable length.
    std::vector<std::string> read_strings(std::size_t first, std::size_t count) const;

    /// Overwrites rows [first, first + values.size() / row_size()).
    template <Number T>
    void write_rows(std::size_t first, std::span<const T> values) {
        write_raw(element_of<T>(), first, values.size(), values.data());
    }
    void write_strings(std::size_t first, std::span<const std::string> values);
    /// Of a dataset of bools; values are 0 or 1.
    void write_bools(std::size_t first, std::span<const std::uint8_t> values);
    /// Byte at which a contiguous, already allocated dataset begins in its file.
    std::uint64_t file_offset() const;
    /// Byte at which the chunk of whole rows that begins with row `first` is stored.
    std::uint64_t chunk_offset(std::size_t first) const;

  private:
    void refuse_foreign_storage() const;
    void read_layout();
    void check_member(const std::string& name) const;
    void check_read(std::int64_t result, const char* action) const;
    void read_raw(Element element, std::size_t first, std::size_t count, void* out) const;
    void write_raw(Element element, std::size_t first, std::size_t n_values, const void* values);
    Handle select(std::size_t first, std::size_t count) const;
    Handle memory_of(std::size_t count) const;
    Handle stored_type() const;
    std::size_t rows_of(std::size_t n_values) const;

    std::vector<std::size_t> shape_;
    std::vector<std::size_t> chunk_;
    std::vector<Filter> filters_;
    std::string missing_filter_;  ///< its number and name; empty: none
    StoredType type_;
    std::string member_;  ///< empty: whole elements
};

/// A compound memory type with one member of the given type.
Handle member_type(const std::string& name, std::int64_t type);

}  // namespace popflow::h5
