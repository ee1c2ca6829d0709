// SPDX-License-Identifier: MIT
#include "h5/dataset.hpp"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "core/error.hpp"
#include "h5/hardening/chunk_sizes.hpp"
#include "h5/hardening/file_guard.hpp"
#include "h5/hardening/stored_size.hpp"
#include "h5/strings.hpp"

namespace popflow::h5 {

namespace {

// Returns identifier and registered name of a filter. A file contains the name of a filter only if the filter
// was available when the file was written.
std::string filter_text(H5Z_filter_t filter) {
    const std::pair<H5Z_filter_t, const char*> known[] = {{307, "bzip2"},
                                                          {32001, "blosc"},
                                                          {32004, "lz4"},
                                                          {32008, "bitshuffle"},
                                                          {32013, "zfp"},
                                                          {32015, "zstd"},
                                                          {32026, "blosc2"},
                                                          {H5Z_FILTER_SZIP, "szip"},
                                                          {H5Z_FILTER_DEFLATE, "gzip"}};
    std::string text = std::to_string(filter);
    for (const auto& [number, name] : known) {
        if (number == filter) text += std::string(" (") + name + ")";
    }
    return text;
}

}  // namespace

Handle member_type(const std::string& name, std::int64_t type) {
    Handle compound(H5Tcreate(H5T_COMPOUND, H5Tget_size(type)));
    H5Tinsert(compound.id(), name.c_str(), 0, type);
    return compound;
}

Dataset::Dataset(Handle handle, std::string file, std::string path)
    : Object(std::move(handle), std::move(file), std::move(path)) {
    check_storage_is_local();
    read_layout();
    type_ = describe_type(stored_type().id());
    const Handle whole = own(H5Dget_type(id()), this->file(), this->path(), "cannot read the type");
    check_claimed_size(id(), this->file(), this->path(), shape_, chunk_, H5Tget_size(whole.id()));
}

void Dataset::check_storage_is_local() const {
    const Handle properties = own(H5Dget_create_plist(id()), this->file(), this->path(), "cannot open");
    if (H5Pget_external_count(properties.id()) > 0 || H5Pget_layout(properties.id()) == H5D_VIRTUAL) {
        throw core::DataError(this->file(), this->path(),
                              "found values that are stored in another file. Copy them into this file");
    }
}

void Dataset::read_layout() {
    const Handle space = own(H5Dget_space(id()), file(), path(), "cannot read the shape");
    const auto rank = static_cast<std::size_t>(
        check(H5Sget_simple_extent_ndims(space.id()), file(), path(), "cannot read the shape"));
    std::vector<hsize_t> dims(rank);
    check(H5Sget_simple_extent_dims(space.id(), dims.data(), nullptr), file(), path(),
          "cannot read the shape");
    shape_.assign(dims.begin(), dims.end());
    const Handle properties(H5Dget_create_plist(id()));
    if (H5Pget_layout(properties.id()) == H5D_CHUNKED) {
        H5Pget_chunk(properties.id(), static_cast<int>(rank), dims.data());
        chunk_.assign(dims.begin(), dims.end());
    }
    const int filters = H5Pget_nfilters(properties.id());
    for (int k = 0; k < filters; ++k) {
        unsigned value = 0;
        std::size_t n_values = 1;
        unsigned flags = 0;
        char name[64] = "";
        const H5Z_filter_t filter = H5Pget_filter2(properties.id(), static_cast<unsigned>(k), &flags,
                                                   &n_values, &value, sizeof name, name, nullptr);
        if (filter >= 0 && H5Zfilter_avail(filter) <= 0) unavailable_filter_ = filter_text(filter);
        filters_.push_back({filter, name, value});
    }
    clear_errors();
}

// A missing filter is an error only here: HDF5 may store a chunk without its filters, so only reading shows
// whether a filter is needed.
void Dataset::check_read(std::int64_t result, const char* action) const {
    if (result < 0 && !unavailable_filter_.empty()) {
        clear_errors();
        throw core::DataError(file(), path(),
                              "is compressed by filter " + unavailable_filter_ +
                                  ", which this HDF5 does not have. Compress it with gzip (h5repack -f "
                                  "GZIP=4), or set HDF5_PLUGIN_PATH to the folder of the filter's plugin");
    }
    check(result, file(), path(), action);
}

// Checks the chunks of the given rows, unless the process has a guard.
void Dataset::check_chunks(std::size_t first, std::size_t count) const {
    if (!FileGuard::contains_crashes()) check_chunk_rows(*this, first, count, checked_chunk_rows_);
}

Handle Dataset::stored_type() const {
    Handle type = own(H5Dget_type(id()), file(), path(), "cannot read the type");
    if (member_.empty()) return type;
    const int index = H5Tget_member_index(type.id(), member_.c_str());
    return own(H5Tget_member_type(type.id(), static_cast<unsigned>(index)), file(), path(),
               "cannot read the type");
}

std::vector<std::string> Dataset::members() const {
    std::vector<std::string> names;
    const Handle type(H5Dget_type(id()));
    if (H5Tget_class(type.id()) != H5T_COMPOUND) return names;
    const int count = H5Tget_nmembers(type.id());
    for (int k = 0; k < count; ++k) {
        char* name = H5Tget_member_name(type.id(), static_cast<unsigned>(k));
        if (name != nullptr) names.emplace_back(name);
        H5free_memory(name);
    }
    return names;
}

// Checks that a member lies inside the record. HDF5 trusts the offset in the file, which may point far
// outside.
void Dataset::check_member(const std::string& name) const {
    const Handle record(H5Dget_type(id()));
    const auto index = static_cast<unsigned>(H5Tget_member_index(record.id(), name.c_str()));
    const Handle type = own(H5Tget_member_type(record.id(), index), file(), path(), "cannot read the type");
    const std::size_t offset = H5Tget_member_offset(record.id(), index);
    const std::size_t size = H5Tget_size(record.id());
    if (offset <= size && H5Tget_size(type.id()) <= size - offset) return;
    throw core::DataError(file(), path(),
                          fmt::format("member `{}` begins at byte {} of a record of {}: the file is damaged",
                                      name, offset, size));
}

Dataset Dataset::member(const std::string& name) const {
    const std::vector<std::string> all = members();
    if (std::find(all.begin(), all.end(), name) == all.end()) {
        throw core::DataError(file(), path(), "has no member `" + name + "`");
    }
    check_member(name);
    H5Iinc_ref(id());  // both objects own the same identifier
    Dataset view(Handle(id()), file(), path());
    view.member_ = name;
    view.type_ = describe_type(view.stored_type().id());
    return view;
}

std::size_t Dataset::row_size() const {
    return shape_.empty()
               ? 1
               : std::accumulate(shape_.begin() + 1, shape_.end(), std::size_t{1}, std::multiplies<>());
}

std::size_t Dataset::chunk_bytes() const {
    if (chunk_.empty()) return 0;
    const Handle whole(H5Dget_type(id()));
    return bounded_product(chunk_, H5Tget_size(whole.id()));
}

std::string Dataset::layout_text() const {
    if (chunk_.empty()) return "contiguous";
    std::string text = "chunked";
    for (const Filter& filter : filters_) text += " " + filter.name;
    return text;
}

void Dataset::check_span(std::size_t count, std::size_t size) const {
    if (size != count * row_size()) {
        throw core::ShapeMismatch(path(), fmt::format("a buffer of {} elements", count * row_size()), size,
                                  1);
    }
}

// Selects rows of the file.
Handle Dataset::select(std::size_t first, std::size_t count) const {
    if (first > rows() || count > rows() - first) {
        throw core::DataError(
            file(), path(), fmt::format("found {} rows, wanted rows {} to {}", rows(), first, first + count));
    }
    Handle space = own(H5Dget_space(id()), file(), path(), "cannot read the shape");
    if (shape_.empty()) return space;
    std::vector<hsize_t> start(rank(), 0);
    std::vector<hsize_t> extent(shape_.begin(), shape_.end());
    start[0] = first;
    extent[0] = count;
    check(H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, start.data(), nullptr, extent.data(), nullptr),
          file(), path(), "cannot select rows");
    return space;
}

// Returns a memory space of `count` rows. It has the shape of the rows in the file: for any other shape HDF5
// maps the elements one by one, which is slow.
Handle Dataset::memory_space(std::size_t count) const {
    std::vector<hsize_t> extent(shape_.begin(), shape_.end());
    if (extent.empty()) extent = {1};
    extent[0] = count;
    return Handle(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr));
}

void Dataset::read_raw(Element element, std::size_t first, std::size_t count, void* out) const {
    const bool number = type_.kind == Kind::integer || type_.kind == Kind::floating ||
                        type_.kind == Kind::boolean || type_.kind == Kind::enumeration;
    if (!number)
        throw core::DataError(file(), path(), "found " + type_.text() + ", but the values must be numbers");
    if (count * row_size() == 0) return;
    const Handle selection = select(first, count);
    check_chunks(first, count);
    const Handle memory = memory_space(count);
    const Handle wrapped = member_.empty() ? Handle() : member_type(member_, native_type(element));
    check_read(H5Dread(id(), wrapped ? wrapped.id() : native_type(element), memory.id(), selection.id(),
                       H5P_DEFAULT, out),
               "cannot read values");
}

std::vector<std::string> Dataset::read_strings(std::size_t first, std::size_t count) const {
    if (type_.kind != Kind::string)
        throw core::DataError(file(), path(), "found " + type_.text() + ", but the values must be strings");
    const Handle selection = select(first, count);
    check_chunks(first, count);
    const Handle memory = memory_space(count);
    const Handle stored = stored_type();
    // HDF5 creates unwritten elements of a chunk in the heap of the file, which fails in a file opened
    // read-only.
    const char* action = "cannot read strings";
    const Handle properties(H5Dget_create_plist(id()));
    H5D_fill_value_t fill = H5D_FILL_VALUE_DEFAULT;
    if (H5Pfill_value_defined(properties.id(), &fill) >= 0 && fill == H5D_FILL_VALUE_USER_DEFINED)
        action = "cannot read strings, some of which were never written and have a fill value";
    return read_string_elements(
        {id(), file(), path(), stored.id(), member_}, count * row_size(),
        [&](std::int64_t type, void* buffer) {
            check_read(H5Dread(id(), type, memory.id(), selection.id(), H5P_DEFAULT, buffer), action);
        });
}

std::size_t Dataset::count_rows(std::size_t n_values) const {
    const std::size_t width = row_size();
    if (width == 0 || n_values % width != 0) {
        throw core::ShapeMismatch(path(), fmt::format("rows of {} elements", width), n_values, 1);
    }
    return n_values / width;
}

void Dataset::write_raw(Element element, std::size_t first, std::size_t n_values, const void* values) {
    if (n_values == 0) return;
    const std::size_t count = count_rows(n_values);
    const Handle selection = select(first, count);
    const Handle memory = memory_space(count);
    check(H5Dwrite(id(), native_type(element), memory.id(), selection.id(), H5P_DEFAULT, values), file(),
          path(), "cannot write values");
}

void Dataset::write_strings(std::size_t first, std::span<const std::string> values) {
    if (values.empty()) return;
    const std::size_t count = count_rows(values.size());
    const Handle selection = select(first, count);
    const Handle memory = memory_space(count);
    std::vector<const char*> pointers;
    for (const std::string& value : values) pointers.push_back(value.c_str());
    check(H5Dwrite(id(), string_type().id(), memory.id(), selection.id(), H5P_DEFAULT, pointers.data()),
          file(), path(), "cannot write strings");
}

void Dataset::write_bools(std::size_t first, std::span<const std::uint8_t> values) {
    if (values.empty()) return;
    const std::size_t count = count_rows(values.size());
    const Handle selection = select(first, count);
    const Handle memory = memory_space(count);
    // The enumeration is one byte wide, so the bytes are its values.
    check(H5Dwrite(id(), bool_type().id(), memory.id(), selection.id(), H5P_DEFAULT, values.data()), file(),
          path(), "cannot write values");
}

std::uint64_t Dataset::file_offset() const {
    const haddr_t offset = H5Dget_offset(id());
    if (offset == HADDR_UNDEF)
        throw core::DataError(file(), path(), "has no allocated storage in the file yet");
    return offset;
}

std::uint64_t Dataset::chunk_offset(std::size_t first) const {
    std::vector<hsize_t> corner(rank(), 0);
    corner.at(0) = first;
    haddr_t offset = HADDR_UNDEF;
    check(H5Dget_chunk_info_by_coord(id(), corner.data(), nullptr, &offset, nullptr), file(), path(),
          "cannot find a chunk");
    if (offset == HADDR_UNDEF)
        throw core::DataError(file(), path(), "has no allocated storage in the file yet");
    return offset;
}

}  // namespace popflow::h5
