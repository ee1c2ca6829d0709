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

/// A group or dataset with its attributes. Not thread-safe, because HDF5 is not.
class Object {
  public:
    /// Takes ownership of an open object. @param file, path  names of the file and of the object in errors
    Object(Handle handle, std::string file, std::string path)
        : handle_(std::move(handle)), file_(std::move(file)), path_(std::move(path)) {}

    const std::string& file() const { return file_; }
    /// Path in the file, e.g. `obs/patient`, or `/` for the root.
    const std::string& path() const { return path_; }
    std::int64_t id() const { return handle_.id(); }

    bool has_attribute(const std::string& name) const;

    // Read an attribute. The methods throw core::DataError if it is missing, has another type or cannot be
    // read.

    /// Reads one string, of fixed or variable length.
    std::string string_attribute(const std::string& name) const;
    /// Reads one string. Returns `fallback` if the attribute does not exist or is not a string.
    std::string string_attribute_or(const std::string& name, const std::string& fallback) const;
    std::int64_t int_attribute(const std::string& name) const;
    double double_attribute(const std::string& name) const;
    bool bool_attribute(const std::string& name) const;
    std::vector<std::string> strings_attribute(const std::string& name) const;
    std::vector<std::int64_t> ints_attribute(const std::string& name) const;
    /// Whether the attribute is an object reference.
    bool is_reference_attribute(const std::string& name) const;
    /// Opens the dataset that an object reference points to.
    Dataset referenced_dataset(const std::string& name) const;

    // Writes an attribute. Replaces an existing attribute of that name.
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
