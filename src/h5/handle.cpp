// SPDX-License-Identifier: MIT
#include "h5/handle.hpp"

#include <hdf5.h>

#include <type_traits>

#include "core/error.hpp"

namespace popflow::h5 {

static_assert(std::is_same_v<hid_t, std::int64_t>, "the headers speak of HDF5 identifiers as std::int64_t");

bool Handle::reset() noexcept {
    const hid_t id = std::exchange(id_, -1);
    if (id < 0) return true;
    // A file takes its objects with it when it closes; their identifiers are then no longer valid.
    if (H5Iis_valid(id) <= 0) return true;
    return H5Idec_ref(id) >= 0;
}

namespace {

extern "C" herr_t keep_first(unsigned depth, const H5E_error2_t* error, void* text) {
    if (depth == 0 && error->desc != nullptr) *static_cast<std::string*>(text) = error->desc;
    return 0;
}

bool memory_was_refused = false;

extern "C" herr_t note_lack_of_memory(unsigned, const H5E_error2_t* error, void*) {
    if (error->maj_num == H5E_RESOURCE && error->min_num == H5E_NOSPACE) memory_was_refused = true;
    return 0;
}

std::string innermost_cause() {
    std::string text;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &text);
    clear_errors();
    for (char& c : text) {
        if (c == '\n' || c == '\r') c = ' ';
    }
    return text.empty() ? "HDF5 gives no reason" : text;
}

}  // namespace

std::int64_t check(std::int64_t result, const std::string& file, const std::string& field,
                   const char* action) {
    if (result >= 0) return result;
    throw core::DataError(file, field, std::string(action) + ": " + innermost_cause());
}

void clear_errors() {
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, note_lack_of_memory, nullptr);
    H5Eclear2(H5E_DEFAULT);
}

bool lacked_memory() {
    return memory_was_refused;
}

void silence() {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

}  // namespace popflow::h5
