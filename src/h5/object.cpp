// SPDX-License-Identifier: MIT
#include "h5/object.hpp"

#include <fmt/format.h>
#include <hdf5.h>

#include "core/error.hpp"
#include "h5/dataset.hpp"
#include "h5/element.hpp"
#include "h5/hardening/object_header.hpp"
#include "h5/hardening/stored_size.hpp"
#include "h5/strings.hpp"

namespace popflow::h5 {

bool Object::has_attribute(const std::string& name) const {
    return H5Aexists(id(), name.c_str()) > 0;
}

Handle Object::open_attribute(const std::string& name) const {
    if (!has_attribute(name)) throw core::DataError(file_, path_, "attribute `" + name + "` is missing");
    return own(H5Aopen(id(), name.c_str(), H5P_DEFAULT), file_, path_, "cannot open an attribute");
}

// Returns the number of elements. Throws if it is more than the file can hold.
std::size_t Object::attribute_size(std::int64_t attribute, const std::string& name) const {
    const Handle space(H5Aget_space(attribute));
    const Handle type(H5Aget_type(attribute));
    const auto count = static_cast<std::size_t>(
        check(H5Sget_simple_extent_npoints(space.id()), file_, path_, "cannot read an attribute's size"));
    if (bounded_product({count}, H5Tget_size(type.id())) > file_bytes(id())) {
        throw core::DataError(
            file_, path_,
            fmt::format("attribute `{}`: found {} elements, more than the file can hold", name, count));
    }
    return count;
}

std::vector<std::string> Object::strings_attribute(const std::string& name) const {
    const Handle attribute = open_attribute(name);
    const Handle type(H5Aget_type(attribute.id()));
    if (describe_type(type.id()).kind == Kind::floating) {
        // pandas writes the empty list of column names as an empty float array.
        const Handle space(H5Aget_space(attribute.id()));
        if (H5Sget_simple_extent_npoints(space.id()) == 0) return {};
    }
    if (describe_type(type.id()).kind != Kind::string) {
        throw core::DataError(file_, path_,
                              "attribute `" + name + "`: found " + describe_type(type.id()).text() +
                                  ", but it must be a string");
    }
    const std::size_t count = attribute_size(attribute.id(), name);
    return read_string_elements(
        {id(), file_, path_, type.id()}, count, [&](std::int64_t memory, void* buffer) {
            check(H5Aread(attribute.id(), memory, buffer), file_, path_, "cannot read an attribute");
        });
}

std::string Object::string_attribute(const std::string& name) const {
    const std::vector<std::string> all = strings_attribute(name);
    if (all.size() != 1) {
        throw core::DataError(
            file_, path_,
            fmt::format("attribute `{}`: found {} strings, but it must be one", name, all.size()));
    }
    return all.front();
}

std::string Object::string_attribute_or(const std::string& name, const std::string& fallback) const {
    if (!has_attribute(name)) return fallback;
    const Handle attribute = open_attribute(name);
    const Handle type(H5Aget_type(attribute.id()));
    return describe_type(type.id()).kind == Kind::string ? string_attribute(name) : fallback;
}

void Object::read_numbers(const Handle& attribute, const std::string& name, std::int64_t type,
                          void* values) const {
    const Handle stored(H5Aget_type(attribute.id()));
    const StoredType found = describe_type(stored.id());
    if (found.kind == Kind::other)
        throw core::DataError(file_, path_, "attribute `" + name + "`: found " + found.text());
    check(H5Aread(attribute.id(), type, values), file_, path_, ("attribute `" + name + "`").c_str());
}

void Object::read_number(const std::string& name, std::int64_t type, void* value) const {
    const Handle attribute = open_attribute(name);
    const Handle space(H5Aget_space(attribute.id()));
    if (H5Sget_simple_extent_npoints(space.id()) != 1) {
        throw core::DataError(file_, path_,
                              "attribute `" + name + "`: found an array, but it must be one number");
    }
    read_numbers(attribute, name, type, value);
}

std::int64_t Object::int_attribute(const std::string& name) const {
    std::int64_t value = 0;
    read_number(name, H5T_NATIVE_INT64, &value);
    return value;
}

double Object::double_attribute(const std::string& name) const {
    double value = 0;
    read_number(name, H5T_NATIVE_DOUBLE, &value);
    return value;
}

bool Object::bool_attribute(const std::string& name) const {
    return int_attribute(name) != 0;
}

std::vector<std::int64_t> Object::ints_attribute(const std::string& name) const {
    const Handle attribute = open_attribute(name);
    std::vector<std::int64_t> values(attribute_size(attribute.id(), name));
    read_numbers(attribute, name, H5T_NATIVE_INT64, values.data());
    return values;
}

bool Object::is_reference_attribute(const std::string& name) const {
    if (!has_attribute(name)) return false;
    const Handle attribute = open_attribute(name);
    const Handle type(H5Aget_type(attribute.id()));
    return H5Tequal(type.id(), H5T_STD_REF_OBJ) > 0;
}

Dataset Object::referenced_dataset(const std::string& name) const {
    if (!is_reference_attribute(name)) {
        throw core::DataError(file_, path_, "attribute `" + name + "` is not an object reference");
    }
    const Handle attribute = open_attribute(name);
    const Handle space(H5Aget_space(attribute.id()));
    if (H5Sget_simple_extent_npoints(space.id()) != 1) {
        throw core::DataError(file_, path_,
                              "attribute `" + name + "`: found an array, but it must be one reference");
    }
    hobj_ref_t reference{};
    check(H5Aread(attribute.id(), H5T_STD_REF_OBJ, &reference), file_, path_, "cannot read a reference");
    Handle target = own(H5Rdereference2(id(), H5P_DEFAULT, H5R_OBJECT, &reference), file_, path_,
                        ("attribute `" + name + "`").c_str());
    if (H5Iget_type(target.id()) != H5I_DATASET) {
        throw core::DataError(file_, path_, "attribute `" + name + "` does not point to a dataset");
    }
    check_attributes(target.id(), file_, path_ + "@" + name);
    return Dataset(std::move(target), file_, path_ + "@" + name);
}

void Object::write_raw(const std::string& name, std::int64_t stored, std::int64_t memory, std::int64_t space,
                       const void* value) {
    if (has_attribute(name))
        check(H5Adelete(id(), name.c_str()), file_, path_, "cannot replace an attribute");
    const Handle attribute = own(H5Acreate2(id(), name.c_str(), stored, space, H5P_DEFAULT, H5P_DEFAULT),
                                 file_, path_, ("cannot create attribute `" + name + "`").c_str());
    check(H5Awrite(attribute.id(), memory, value), file_, path_,
          ("cannot write attribute `" + name + "`").c_str());
}

void Object::write_attribute(const std::string& name, std::string_view value) {
    const Handle type = string_type();
    const Handle space(H5Screate(H5S_SCALAR));
    const std::string text(value);
    const char* pointer = text.c_str();
    write_raw(name, type.id(), type.id(), space.id(), &pointer);
}

void Object::write_attribute(const std::string& name, const std::vector<std::string>& values) {
    const Handle type = string_type();
    const hsize_t count = values.size();
    const Handle space(H5Screate_simple(1, &count, nullptr));
    std::vector<const char*> pointers;
    pointers.reserve(values.size() + 1);
    for (const std::string& value : values) pointers.push_back(value.c_str());
    pointers.push_back(nullptr);  // an empty list needs a valid address too
    write_raw(name, type.id(), type.id(), space.id(), pointers.data());
}

void Object::write_attribute(const std::string& name, const std::vector<std::int64_t>& values) {
    const hsize_t count = values.size();
    const Handle space(H5Screate_simple(1, &count, nullptr));
    const std::int64_t unused = 0;  // an empty list needs a valid address too
    write_raw(name, H5T_STD_I64LE, H5T_NATIVE_INT64, space.id(), values.empty() ? &unused : values.data());
}

void Object::write_int(const std::string& name, std::int64_t value) {
    const Handle space(H5Screate(H5S_SCALAR));
    write_raw(name, H5T_STD_I64LE, H5T_NATIVE_INT64, space.id(), &value);
}

void Object::write_double(const std::string& name, double value) {
    const Handle space(H5Screate(H5S_SCALAR));
    write_raw(name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, space.id(), &value);
}

void Object::write_bool(const std::string& name, bool value) {
    const Handle type = bool_type();
    const Handle space(H5Screate(H5S_SCALAR));
    const std::int8_t byte = value ? 1 : 0;
    write_raw(name, type.id(), type.id(), space.id(), &byte);
}

}  // namespace popflow::h5
