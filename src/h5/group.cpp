// SPDX-License-Identifier: MIT
#include "h5/group.hpp"

#include <hdf5.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "core/error.hpp"
#include "h5/hardening/object_header.hpp"

namespace popflow::h5 {

namespace {

// Callback of an external link: stores the name of its file and stops.
extern "C" herr_t stop_at_external_link(const char*, const char*, const char* other_file, const char*,
                                        unsigned*, hid_t, void* target) {
    *static_cast<std::string*>(target) = other_file;
    return -1;
}

// Access properties that stop at a link into another file and store the name of that file in `other_file`.
Handle guarded_access(std::string& other_file) {
    Handle access(H5Pcreate(H5P_LINK_ACCESS));
    H5Pset_elink_cb(access.id(), stop_at_external_link, &other_file);
    return access;
}

// Throws if a link into another file was found.
void report_external(const std::string& other_file, const std::string& file, const std::string& path) {
    if (other_file.empty()) return;
    clear_errors();
    throw core::DataError(file, path,
                          "found a link to the file " + other_file + ". Copy its data into this file");
}

extern "C" herr_t add_name(hid_t, const char* name, const H5L_info_t*, void* names) {
    static_cast<std::vector<std::string>*>(names)->emplace_back(name);
    return 0;
}

// Access properties whose cache holds a row of chunks. Empty if the default cache suffices: the dataset is
// contiguous or its row of chunks is small.
Handle wide_cache(const Dataset& dataset) {
    constexpr std::size_t default_bytes = std::size_t{1} << 20;
    constexpr std::size_t max_bytes = std::size_t{64} << 20;
    if (dataset.chunk_rows() == 0) return {};
    const std::size_t bytes = dataset.chunk_rows() * dataset.row_size() * dataset.type().bytes;
    if (bytes <= default_bytes) return {};
    Handle access(H5Pcreate(H5P_DATASET_ACCESS));
    H5Pset_chunk_cache(access.id(), 12421, std::min(2 * bytes, max_bytes), 1.0);
    return access;
}

// Creation properties without time stamps.
Handle plain_properties(std::int64_t object_class) {
    Handle properties(H5Pcreate(object_class));
    H5Pset_obj_track_times(properties.id(), false);
    return properties;
}

Handle space_of(const std::vector<std::size_t>& shape) {
    const std::vector<hsize_t> dims(shape.begin(), shape.end());
    return Handle(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr));
}

std::size_t size_of(const std::vector<std::size_t>& shape) {
    return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
}

// Creation properties of a dataset. @param bytes  size of an element
Handle storage_properties(const std::vector<std::size_t>& shape, std::size_t bytes, const Storage& storage) {
    Handle properties = plain_properties(H5P_DATASET_CREATE);
    if (size_of(shape) == 0 || (storage.chunk_rows == 0 && storage.deflate == 0)) return properties;
    const std::size_t row_bytes = bytes * size_of(shape) / shape.front();
    const std::size_t default_rows = std::max<std::size_t>(1, (std::size_t{64} << 10) / row_bytes);
    std::vector<hsize_t> chunk(shape.begin(), shape.end());
    chunk[0] = std::min(shape.front(), storage.chunk_rows > 0 ? storage.chunk_rows : default_rows);
    H5Pset_chunk(properties.id(), static_cast<int>(chunk.size()), chunk.data());
    if (storage.deflate > 0) {
        if (storage.shuffle) H5Pset_shuffle(properties.id());
        H5Pset_deflate(properties.id(), static_cast<unsigned>(storage.deflate));
    }
    return properties;
}

// Creation properties with storage that is allocated on creation and never filled. The layout is contiguous
// unless the caller changes it.
Handle early_properties() {
    Handle properties = plain_properties(H5P_DATASET_CREATE);
    H5Pset_layout(properties.id(), H5D_CONTIGUOUS);
    H5Pset_alloc_time(properties.id(), H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(properties.id(), H5D_FILL_TIME_NEVER);
    return properties;
}

}  // namespace

std::string Group::child_path(const std::string& name) const {
    return path() == "/" ? name : path() + "/" + name;
}

bool Group::contains(const std::string& name) const {
    std::string other_file;
    const Handle access = guarded_access(other_file);
    // HDF5 requires every part of a path to exist before it can look up the next one.
    for (std::size_t end = name.find('/'); true; end = name.find('/', end + 1)) {
        const std::string step = name.substr(0, end);
        const bool found = H5Lexists(id(), step.c_str(), access.id()) > 0 &&
                           H5Oexists_by_name(id(), step.c_str(), access.id()) > 0;
        report_external(other_file, file(), child_path(step));
        clear_errors();
        if (!found) return false;
        if (end == std::string::npos) return true;
    }
}

Handle Group::open_object(const std::string& name) const {
    if (!contains(name)) throw core::DataError(file(), child_path(name), "is missing");
    Handle object = own(H5Oopen(id(), name.c_str(), H5P_DEFAULT), file(), child_path(name), "cannot open");
    check_attributes(object.id(), file(), child_path(name));
    return object;
}

bool Group::contains_group(const std::string& name) const {
    return contains(name) && H5Iget_type(open_object(name).id()) == H5I_GROUP;
}

bool Group::contains_dataset(const std::string& name) const {
    return contains(name) && H5Iget_type(open_object(name).id()) == H5I_DATASET;
}

std::vector<std::string> Group::names() const {
    std::vector<std::string> names;
    check(H5Literate(id(), H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, add_name, &names), file(), path(),
          "cannot list members");
    std::sort(names.begin(), names.end());
    return names;
}

Group Group::open_group(const std::string& name) const {
    Handle object = open_object(name);
    if (H5Iget_type(object.id()) != H5I_GROUP) {
        throw core::DataError(file(), child_path(name), "found a dataset, but it must be a group");
    }
    return Group(std::move(object), file(), child_path(name));
}

Dataset Group::open_dataset(const std::string& name) const {
    Handle object = open_object(name);
    if (H5Iget_type(object.id()) != H5I_DATASET) {
        throw core::DataError(file(), child_path(name), "found a group, but it must be a dataset");
    }
    Dataset dataset(std::move(object), file(), child_path(name));
    const Handle access = wide_cache(dataset);
    if (!access) return dataset;
    // An open dataset keeps its cache, so it has to be closed before it is opened with another one.
    { const Dataset closing = std::move(dataset); }
    return Dataset(own(H5Dopen2(id(), name.c_str(), access.id()), file(), child_path(name), "cannot open"),
                   file(), child_path(name));
}

Handle Group::create_raw(const std::string& name, std::int64_t type, std::int64_t space,
                         std::int64_t properties) {
    return own(H5Dcreate2(id(), name.c_str(), type, space, H5P_DEFAULT, properties, H5P_DEFAULT), file(),
               child_path(name), "cannot create");
}

Group Group::create_group(const std::string& name) {
    const Handle properties = plain_properties(H5P_GROUP_CREATE);
    return Group(own(H5Gcreate2(id(), name.c_str(), H5P_DEFAULT, properties.id(), H5P_DEFAULT), file(),
                     child_path(name), "cannot create"),
                 file(), child_path(name));
}

Dataset Group::create_dataset(const std::string& name, Element element, const std::vector<std::size_t>& shape,
                              const Storage& storage) {
    const std::int64_t type = file_type(element);
    const Handle properties = storage_properties(shape, H5Tget_size(type), storage);
    return Dataset(create_raw(name, type, space_of(shape).id(), properties.id()), file(), child_path(name));
}

Dataset Group::write_string(const std::string& name, const std::string& value) {
    const Handle space(H5Screate(H5S_SCALAR));
    const Handle properties = plain_properties(H5P_DATASET_CREATE);
    Dataset dataset(create_raw(name, string_type().id(), space.id(), properties.id()), file(),
                    child_path(name));
    dataset.write_strings(0, {&value, 1});
    return dataset;
}

Dataset Group::create_strings(const std::string& name, std::size_t rows) {
    const Handle properties = plain_properties(H5P_DATASET_CREATE);
    return Dataset(create_raw(name, string_type().id(), space_of({rows}).id(), properties.id()), file(),
                   child_path(name));
}

Dataset Group::create_bools(const std::string& name, std::size_t rows) {
    const Handle properties = plain_properties(H5P_DATASET_CREATE);
    return Dataset(create_raw(name, bool_type().id(), space_of({rows}).id(), properties.id()), file(),
                   child_path(name));
}

Dataset Group::write_strings(const std::string& name, std::span<const std::string> values,
                             const Storage& storage) {
    const Handle type = string_type();
    const Handle properties = storage_properties({values.size()}, H5Tget_size(type.id()), storage);
    Dataset dataset(create_raw(name, type.id(), space_of({values.size()}).id(), properties.id()), file(),
                    child_path(name));
    dataset.write_strings(0, values);
    return dataset;
}

Dataset Group::write_bools(const std::string& name, std::span<const std::uint8_t> values,
                           const Storage& storage) {
    const Handle type = bool_type();
    const Handle properties = storage_properties({values.size()}, 1, storage);
    Dataset dataset(create_raw(name, type.id(), space_of({values.size()}).id(), properties.id()), file(),
                    child_path(name));
    dataset.write_bools(0, values);
    return dataset;
}

Dataset Group::create_contiguous(const std::string& name, Element element,
                                 const std::vector<std::size_t>& shape) {
    return Dataset(create_raw(name, file_type(element), space_of(shape).id(), early_properties().id()),
                   file(), child_path(name));
}

Dataset Group::create_allocated_chunks(const std::string& name, Element element,
                                       const std::vector<std::size_t>& shape, std::size_t chunk_rows) {
    const Handle properties = early_properties();
    std::vector<hsize_t> chunk(shape.begin(), shape.end());
    chunk.at(0) = std::min(chunk.at(0), static_cast<hsize_t>(std::max<std::size_t>(1, chunk_rows)));
    H5Pset_chunk(properties.id(), static_cast<int>(chunk.size()), chunk.data());
    return Dataset(create_raw(name, file_type(element), space_of(shape).id(), properties.id()), file(),
                   child_path(name));
}

Dataset Group::create_contiguous_strings(const std::string& name, std::size_t length, std::size_t rows) {
    const Handle type(H5Tcopy(H5T_C_S1));
    H5Tset_size(type.id(), length);
    H5Tset_strpad(type.id(), H5T_STR_NULLPAD);
    H5Tset_cset(type.id(), H5T_CSET_UTF8);
    return Dataset(create_raw(name, type.id(), space_of({rows}).id(), early_properties().id()), file(),
                   child_path(name));
}

}  // namespace popflow::h5
