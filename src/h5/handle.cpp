// SPDX-License-Identifier: MIT
#include "h5/handle.hpp"

#include <fmt/format.h>
#include <hdf5.h>

#include <cerrno>
#include <cstdlib>
#include <new>
#include <type_traits>

#include "core/error.hpp"

namespace popflow::h5 {

static_assert(std::is_same_v<hid_t, std::int64_t>, "the headers declare HDF5 identifiers as std::int64_t");

bool Handle::reset() noexcept {
    const hid_t id = std::exchange(id_, -1);
    if (id < 0) return true;
    // Closing a file (H5F_CLOSE_STRONG) closes its objects too. Their identifiers are then invalid.
    if (H5Iis_valid(id) <= 0) return true;
    return H5Idec_ref(id) >= 0;
}

namespace {

/// Innermost cause on the error stack of HDF5.
struct Cause {
    std::string text;
    bool write_failed = false;
    /// Whether the outermost call was a read. HDF5 also reports a write error when a read cannot store
    /// converted values in memory.
    bool reading = false;
    bool out_of_memory = false;
};

// Object headers are read into the cache, so a failed allocation for them is reported as an error of the
// cache.
bool is_out_of_memory(const H5E_error2_t& error) {
    return (error.maj_num == H5E_RESOURCE && error.min_num == H5E_NOSPACE) ||
           (error.maj_num == H5E_CACHE && error.min_num == H5E_CANTALLOC);
}

extern "C" herr_t record_cause(unsigned depth, const H5E_error2_t* error, void* where) {
    auto& cause = *static_cast<Cause*>(where);
    if (depth == 0 && error->desc != nullptr) cause.text = error->desc;
    if (error->min_num == H5E_WRITEERROR) cause.write_failed = true;
    cause.reading = error->min_num == H5E_READERROR;  // the outermost call comes last
    if (is_out_of_memory(*error)) cause.out_of_memory = true;
    return 0;
}

bool out_of_memory_seen = false;

extern "C" herr_t record_out_of_memory(unsigned, const H5E_error2_t* error, void*) {
    if (is_out_of_memory(*error)) out_of_memory_seen = true;
    return 0;
}

Cause innermost_cause() {
    Cause cause;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, record_cause, &cause);
    clear_errors();
    if (cause.reading) cause.write_failed = false;
    // For a failed system call HDF5 reports time, address and length too. Keeps only the error message.
    for (const int disk_full : {ENOSPC, EDQUOT, EFBIG}) {
        if (cause.text.find(fmt::format("errno = {},", disk_full)) != std::string::npos)
            cause.write_failed = true;
    }
    const std::string prefix = "error message = '";
    if (const auto at = cause.text.find(prefix); at != std::string::npos) {
        const auto first = at + prefix.size();
        cause.text = cause.text.substr(first, cause.text.find('\'', first) - first);
    }
    for (char& c : cause.text) {
        if (c == '\n' || c == '\r') c = ' ';
    }
    if (cause.text.empty()) cause.text = "HDF5 gives no reason";
    return cause;
}

// Whether 64 MB can be allocated. Reading an intact file allocates less than this at a time, except for its
// chunks. Therefore, if 64 MB are available, a failed allocation probably had an absurd size from a damaged
// file.
bool is_memory_available() {
    constexpr std::size_t enough = std::size_t{64} << 20U;
    void* volatile memory = std::malloc(enough);  // volatile: otherwise the compiler removes the allocation
    const bool available = memory != nullptr;
    std::free(memory);
    return available;
}

}  // namespace

std::int64_t check(std::int64_t result, const std::string& file, const std::string& field,
                   const char* action) {
    if (result >= 0) return result;
    const Cause cause = innermost_cause();
    if (cause.out_of_memory) {
        if (!is_memory_available()) throw std::bad_alloc();
        throw core::DataError(file, field,
                              std::string(action) + ": not enough memory, or the file is damaged");
    }
    if (cause.write_failed) throw core::WriteError(file, "cannot write: " + cause.text);
    throw core::DataError(file, field, std::string(action) + ": " + cause.text);
}

void clear_errors() {
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, record_out_of_memory, nullptr);
    H5Eclear2(H5E_DEFAULT);
}

bool has_run_out_of_memory() {
    return out_of_memory_seen;
}

void disable_error_printing() {
    // At exit HDF5 would close open files, and crash if a write to one of them had failed. Handles close all
    // files instead.
    static const bool no_closing_at_exit = H5dont_atexit() >= 0;
    (void)no_closing_at_exit;
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

}  // namespace popflow::h5
