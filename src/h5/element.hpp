// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <type_traits>

#include "h5/handle.hpp"

namespace popflow::h5 {

/// Number types of buffers in memory.
enum class Element { int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64 };

/// Arithmetic types that correspond to an Element.
template <class T>
concept Number = std::is_arithmetic_v<T> && !std::is_same_v<T, bool> && sizeof(T) <= 8;

/// Returns the Element of a C++ number type.
template <Number T>
constexpr Element element_of() {
    if constexpr (std::is_floating_point_v<T>) return sizeof(T) == 4 ? Element::float32 : Element::float64;
    const int log_bytes = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3;
    return static_cast<Element>(log_bytes + (std::is_signed_v<T> ? 0 : 4));
}

/// Kind of the elements of a stored dataset.
enum class Kind { integer, floating, string, boolean, enumeration, compound, reference, other };

/// Type of the elements of a stored dataset.
struct StoredType {
    Kind kind = Kind::other;
    std::size_t bytes = 0;  ///< size of an element
    bool is_signed = false;
    /// Returns `float32`, `uint16`, `string`, `bool`, ...
    std::string text() const;
};

/// Returns the identifier of HDF5's native type. The caller does not own it.
std::int64_t native_type(Element element);
/// Returns the little-endian type that is used in files, the same on every machine. The caller does not own
/// it.
std::int64_t file_type(Element element);
/// Returns the type of variable-length UTF-8 strings.
Handle string_type();
/// Returns the enumeration {FALSE = 0, TRUE = 1} over int8 that h5py writes for bool.
Handle bool_type();
/// Describes an HDF5 type. A number type with bits outside its bytes, as in damaged files, is Kind::other.
StoredType describe_type(std::int64_t type);

}  // namespace popflow::h5
