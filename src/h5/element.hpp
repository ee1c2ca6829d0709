// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <type_traits>

#include "h5/handle.hpp"

namespace popflow::h5 {

/// The number types of buffers in memory.
enum class Element { int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64 };

template <class T>
concept Number = std::is_arithmetic_v<T> && !std::is_same_v<T, bool> && sizeof(T) <= 8;

/// The Element of a C++ number type.
template <Number T>
constexpr Element element_of() {
    if constexpr (std::is_floating_point_v<T>) return sizeof(T) == 4 ? Element::float32 : Element::float64;
    const int log_bytes = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3;
    return static_cast<Element>(log_bytes + (std::is_signed_v<T> ? 0 : 4));
}

/// What the elements of a stored dataset are.
enum class Kind { integer, floating, string, boolean, enumeration, compound, reference, other };

/// The type of the elements of a stored dataset.
struct StoredType {
    Kind kind = Kind::other;
    std::size_t bytes = 0;
    bool is_signed = false;
    /// Reads `float32`, `uint16`, `string`, `bool`, ...
    std::string text() const;
};

/// Identifier of HDF5's native type; not owned by the caller.
std::int64_t native_type(Element element);
/// Little-endian type that files are written in, the same on every machine.
std::int64_t file_type(Element element);
/// A variable-length UTF-8 string.
Handle string_type();
/// The enumeration {FALSE = 0, TRUE = 1} over int8 that h5py writes for bool.
Handle bool_type();
StoredType describe_type(std::int64_t type);

}  // namespace popflow::h5
