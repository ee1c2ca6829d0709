// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "h5/handle.hpp"

namespace popflow::h5 {

class Dataset;

/// A group or dataset with its attributes. One thread at a time.
class Object {
  public:
    Object(Handle handle, std::string file, std::string path)
        : handle_(std::move(handle)), file_(std::move(file)), path_(std::move(path)) {}

    const std::string& file() const { return file_; }
    /// As in `obs/patient`; `/` for the root.
    const std::string& path() const { return path_; }
    std::int64_t id() const { return handle_.id(); }

    bool has_attribute(const std::string& name) const;
    /// Strings may be of fixed or variable length. @throws core::DataError if it is missing or not a string
    std::string string_attribute(const std::string& name) const;
    /// string_attribute(), or `otherwise` if there is none of this name or it is not a string.
    std::string string_attribute_or(const std::string& name, const std::string& otherwise) const;
    std::int64_t int_attribute(const std::string& name) const;
    double double_attribute(const std::string& name) const;
    bool bool_attribute(const std::string& name) const;
    std::vector<std::string> strings_attribute(const std::string& name) const;
    std::vector<std::int64_t> ints_attribute(const std::string& name) const;
    /// Whether the attribute is an object reference.
    bool is_reference_attribute(const std::string& name) const;
    /// The dataset that an object reference points at.
    Dataset referenced_dataset(const std::string& name) const;

    // Writing replaces an attribute of that name.
    void write_attribute(const std::string& name, std::string_view value);
    void write_attribute(const std::string& name, const std::vector<std::string>& values);
    void write_attribute(const std::string& name, const std::vector<std::int64_t>& values);
    template <class T>
    requires std::is_arithmetic_v<T>
    void write_attribute(const std::string& name, T value) {
        if constexpr (std::is_same_v<T, bool>) {
            write_bool(name, value);
        } else if constexpr (std::is_integral_v<T>) {
            write_int(name, static_cast<std::int64_t>(value));
        } else {
            write_double(name, value);
        }
    }

  private:
    Handle open_attribute(const std::string& name) const;
    std::size_t attribute_size(std::int64_t attribute, const std::string& name) const;
    void read_numbers(const Handle& attribute, const std::string& name, std::int64_t type,
                      void* values) const;
    void read_number(const std::string& name, std::int64_t type, void* value) const;
    void write_int(const std::string& name, std::int64_t value);
    void write_double(const std::string& name, double value);
    void write_bool(const std::string& name, bool value);
    void write_raw(const std::string& name, std::int64_t stored, std::int64_t memory, std::int64_t space,
                   const void* value);

    Handle handle_;
    std::string file_;
    std::string path_;
};

}  // namespace popflow::h5
