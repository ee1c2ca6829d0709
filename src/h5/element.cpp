// SPDX-License-Identifier: MIT
#include "h5/element.hpp"

#include <hdf5.h>

#include <array>
#include <cstdint>

namespace popflow::h5 {

std::int64_t native_type(Element element) {
    const std::array<hid_t, 10> types{
        H5T_NATIVE_INT8,   H5T_NATIVE_INT16,  H5T_NATIVE_INT32,  H5T_NATIVE_INT64, H5T_NATIVE_UINT8,
        H5T_NATIVE_UINT16, H5T_NATIVE_UINT32, H5T_NATIVE_UINT64, H5T_NATIVE_FLOAT, H5T_NATIVE_DOUBLE};
    return types.at(static_cast<std::size_t>(element));
}

std::int64_t file_type(Element element) {
    const std::array<hid_t, 10> types{H5T_STD_I8LE,   H5T_STD_I16LE, H5T_STD_I32LE, H5T_STD_I64LE,
                                      H5T_STD_U8LE,   H5T_STD_U16LE, H5T_STD_U32LE, H5T_STD_U64LE,
                                      H5T_IEEE_F32LE, H5T_IEEE_F64LE};
    return types.at(static_cast<std::size_t>(element));
}

Handle string_type() {
    Handle type(H5Tcopy(H5T_C_S1));
    H5Tset_size(type.id(), H5T_VARIABLE);
    H5Tset_cset(type.id(), H5T_CSET_UTF8);
    return type;
}

Handle bool_type() {
    Handle type(H5Tenum_create(H5T_STD_I8LE));
    const std::int8_t no = 0;
    const std::int8_t yes = 1;
    H5Tenum_insert(type.id(), "FALSE", &no);
    H5Tenum_insert(type.id(), "TRUE", &yes);
    return type;
}

namespace {

bool has_member(std::int64_t type, const char* name) {
    return H5Tget_member_index(type, name) >= 0;
}

// Whether bits of a number lie outside its bytes. HDF5 trusts the positions in the file and would read out of
// bounds.
bool has_bits_outside(std::int64_t type) {
    const H5T_class_t kind = H5Tget_class(type);
    if (kind != H5T_INTEGER && kind != H5T_FLOAT && kind != H5T_ENUM) return false;
    const std::size_t bits = 8 * H5Tget_size(type);
    const int offset = H5Tget_offset(type);
    if (offset < 0 || static_cast<std::size_t>(offset) + H5Tget_precision(type) > bits) return true;
    if (kind != H5T_FLOAT) return false;
    std::size_t sign = 0;
    std::array<std::size_t, 2> exponent{};  // begin and length
    std::array<std::size_t, 2> mantissa{};
    if (H5Tget_fields(type, &sign, &exponent[0], &exponent[1], &mantissa[0], &mantissa[1]) < 0) return true;
    return sign >= bits || exponent[0] + exponent[1] > bits || mantissa[0] + mantissa[1] > bits;
}

Kind kind_of(std::int64_t type) {
    if (has_bits_outside(type)) return Kind::other;
    switch (H5Tget_class(type)) {
        case H5T_INTEGER:
            return Kind::integer;
        case H5T_FLOAT:
            return Kind::floating;
        case H5T_STRING:
            return Kind::string;
        case H5T_COMPOUND:
            return Kind::compound;
        case H5T_REFERENCE:
            return Kind::reference;
        case H5T_ENUM:
            return H5Tget_nmembers(type) == 2 && has_member(type, "FALSE") && has_member(type, "TRUE")
                       ? Kind::boolean
                       : Kind::enumeration;
        default:
            return Kind::other;
    }
}

}  // namespace

StoredType describe_type(std::int64_t type) {
    StoredType stored;
    stored.kind = kind_of(type);
    stored.bytes = H5Tget_size(type);
    stored.is_signed = stored.kind == Kind::integer && H5Tget_sign(type) == H5T_SGN_2;
    clear_errors();
    return stored;
}

std::string StoredType::text() const {
    switch (kind) {
        case Kind::integer:
            return (is_signed ? "int" : "uint") + std::to_string(8 * bytes);
        case Kind::floating:
            return "float" + std::to_string(8 * bytes);
        case Kind::string:
            return "string";
        case Kind::boolean:
            return "bool";
        case Kind::enumeration:
            return "enumeration";
        case Kind::compound:
            return "compound";
        case Kind::reference:
            return "reference";
        case Kind::other:
            break;
    }
    return "an unsupported type";
}

}  // namespace popflow::h5
