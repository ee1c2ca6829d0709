// SPDX-License-Identifier: MIT
#include "h5/strings.hpp"

#include <hdf5.h>

#include <algorithm>

#include "h5/dataset.hpp"
#include "h5/handle.hpp"
#include "h5/hardening/text_heap.hpp"

namespace popflow::h5 {

namespace {

// Removes the padding of a fixed-length string.
std::string trimmed(const char* text, std::size_t size, H5T_str_t padding) {
    std::size_t length = std::find(text, text + size, '\0') - text;
    if (padding == H5T_STR_SPACEPAD) {
        while (length > 0 && text[length - 1] == ' ') --length;
    }
    return {text, length};
}

}  // namespace

std::vector<std::string> read_string_elements(const StringSource& source, std::size_t count,
                                              const std::function<void(std::int64_t, void*)>& read) {
    std::vector<std::string> strings(count);
    if (count == 0) return strings;
    const auto read_as = [&](std::int64_t type, void* buffer) {
        const Handle wrapped = source.member.empty() ? Handle() : member_type(source.member, type);
        read(wrapped ? wrapped.id() : type, buffer);
    };
    if (H5Tis_variable_str(source.stored_type) > 0) {
        TextHeap heap(source.object, source.file, source.path);
        std::vector<std::uint8_t> references(count * heap.reference_bytes());
        read_as(heap.reference_type().id(), references.data());
        return heap.read(references);
    }
    // HDF5 does not convert between character sets, so the memory type keeps that of the file.
    const Handle memory(H5Tcopy(source.stored_type));
    const std::size_t size = H5Tget_size(source.stored_type);
    const H5T_str_t padding = H5Tget_strpad(source.stored_type);
    std::vector<char> bytes(count * size);
    read_as(memory.id(), bytes.data());
    for (std::size_t i = 0; i < count; ++i) strings[i] = trimmed(bytes.data() + i * size, size, padding);
    return strings;
}

}  // namespace popflow::h5
