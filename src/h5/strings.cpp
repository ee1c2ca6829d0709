// SPDX-License-Identifier: MIT
#include "h5/strings.hpp"

#include <hdf5.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "h5/dataset.hpp"
#include "h5/handle.hpp"

namespace popflow::h5 {

namespace {

/// Gives the memory of variable-length strings back to HDF5, also when a later step throws.
struct Reclaim {
    std::int64_t type;
    std::vector<char*>& pointers;
    ~Reclaim() {
        const hsize_t count = pointers.size();
        const Handle space(H5Screate_simple(1, &count, nullptr));
        H5Dvlen_reclaim(type, space.id(), H5P_DEFAULT, pointers.data());
    }
};

extern "C" void* take_text_memory(std::size_t bytes, void* left) {
    auto& rest = *static_cast<std::size_t*>(left);
    if (bytes > rest) return nullptr;
    rest -= bytes;
    return std::malloc(std::max<std::size_t>(1, bytes));
}

extern "C" void free_text_memory(void* memory, void*) {
    std::free(memory);
}

std::string trimmed(const char* text, std::size_t size, H5T_str_t padding) {
    std::size_t length = std::find(text, text + size, '\0') - text;
    if (padding == H5T_STR_SPACEPAD) {
        while (length > 0 && text[length - 1] == ' ') --length;
    }
    return {text, length};
}

}  // namespace

StringMemory::StringMemory(std::size_t most_bytes)
    : left_(most_bytes), transfer_(H5Pcreate(H5P_DATASET_XFER)) {
    H5Pset_vlen_mem_manager(transfer_.id(), take_text_memory, &left_, free_text_memory, nullptr);
}

std::vector<std::string> read_string_elements(std::int64_t stored_type, std::size_t count,
                                              const std::string& member,
                                              const std::function<void(std::int64_t, void*)>& read) {
    std::vector<std::string> strings(count);
    if (count == 0) return strings;
    // HDF5 does not convert between character sets, so memory has the set of the file.
    const Handle memory(H5Tcopy(stored_type));
    const Handle wrapped = member.empty() ? Handle() : member_type(member, memory.id());
    const std::int64_t type = wrapped ? wrapped.id() : memory.id();
    if (H5Tis_variable_str(stored_type) > 0) {
        std::vector<char*> pointers(count, nullptr);
        const Reclaim reclaim{type, pointers};
        read(type, pointers.data());
        for (std::size_t i = 0; i < count; ++i) {
            if (pointers[i] != nullptr) strings[i] = pointers[i];
        }
        return strings;
    }
    const std::size_t size = H5Tget_size(stored_type);
    const H5T_str_t padding = H5Tget_strpad(stored_type);
    std::vector<char> bytes(count * size);
    read(type, bytes.data());
    for (std::size_t i = 0; i < count; ++i) strings[i] = trimmed(bytes.data() + i * size, size, padding);
    return strings;
}

}  // namespace popflow::h5
