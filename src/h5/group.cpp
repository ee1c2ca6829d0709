// SPDX-License-Identifier: MIT
#include "h5/group.hpp"

#include <hdf5.h>

#include <algorithm>

#include "core/error.hpp"
#include "h5/object_header.hpp"

namespace popflow::h5 {

namespace {

extern "C" herr_t refuse_external(const char*, const char*, const char* other_file, const char*, unsigned*,
                                  hid_t, void* target) {
    *static_cast<std::string*>(target) = other_file;
    return -1;
}

/// Access properties that stop at a link into another file and remember that file's name.
Handle guarded_access(std::string& other_file) {
    Handle access(H5Pcreate(H5P_LINK_ACCESS));
    H5Pset_elink_cb(access.id(), refuse_external, &other_file);
    return access;
}

void report_external(const std::string& other_file, const std::string& file, const std::string& path) {
    if (other_file.empty()) return;
    clear_errors();
    throw core::DataError(file, path,
                          "found a link to the file " + other_file + ", allowed data inside this file");
}

extern "C" herr_t add_name(hid_t, const char* name, const H5L_info_t*, void* names) {
    static_cast<std::vector<std::string>*>(names)->emplace_back(name);
    return 0;
}

/// Access properties whose cache holds a row of chunks; no chunked dataset or a small one: nothing.
Handle wide_cache(const Dataset& dataset) {
    constexpr std::size_t usual_bytes = std::size_t{1} << 20;
    constexpr std::size_t most_bytes = std::size_t{64} << 20;
    if (dataset.chunk_rows() == 0) return {};
    const std::size_t bytes = dataset.chunk_rows() * dataset.row_size() * dataset.type().bytes;
    if (bytes <= usual_bytes) return {};
    Handle access(H5Pcreate(H5P_DATASET_ACCESS));
    H5Pset_chunk_cache(access.id(), 12421, std::min(2 * bytes, most_bytes), 1.0);
    return access;
}

}  // namespace

std::string Group::child_path(const std::string& name) const {
    return path() == "/" ? name : path() + "/" + name;
}

bool Group::contains(const std::string& name) const {
    std::string other_file;
    const Handle access = guarded_access(other_file);
    // Every step of a path must exist before the next one may be asked for.
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
        throw core::DataError(file(), child_path(name), "found a dataset, allowed a group");
    }
    return Group(std::move(object), file(), child_path(name));
}

Dataset Group::open_dataset(const std::string& name) const {
    Handle object = open_object(name);
    if (H5Iget_type(object.id()) != H5I_DATASET) {
        throw core::DataError(file(), child_path(name), "found a group, allowed a dataset");
    }
    Dataset dataset(std::move(object), file(), child_path(name));
    const Handle access = wide_cache(dataset);
    if (!access) return dataset;
    // A dataset that is open already keeps its cache: close before opening again.
    { const Dataset closing = std::move(dataset); }
    return Dataset(own(H5Dopen2(id(), name.c_str(), access.id()), file(), child_path(name), "cannot open"),
                   file(), child_path(name));
}

}  // namespace popflow::h5
