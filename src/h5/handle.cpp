// SPDX-License-Identifier: MIT
#include "h5/handle.hpp"

#include <hdf5.h>

#include <cerrno>
#include <cstdlib>
#include <new>
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

/// What the error stack of HDF5 says of the innermost cause.
struct Cause {
    std::string text;
    bool write_failed = false;
    bool reading =
        false;  ///< that is what was called; HDF5 says that it writes converted values into memory, too
    bool out_of_memory = false;
};

// Of memory for an object's header, which is read into the cache, it is the cache that cannot allocate.
bool is_lack_of_memory(const H5E_error2_t& error) {
    return (error.maj_num == H5E_RESOURCE && error.min_num == H5E_NOSPACE) ||
           (error.maj_num == H5E_CACHE && error.min_num == H5E_CANTALLOC);
}

extern "C" herr_t look_at(unsigned depth, const H5E_error2_t* error, void* where) {
    auto& cause = *static_cast<Cause*>(where);
    if (depth == 0 && error->desc != nullptr) cause.text = error->desc;
    if (error->min_num == H5E_WRITEERROR) cause.write_failed = true;
    cause.reading = error->min_num == H5E_READERROR;  // the outermost call comes last
    if (is_lack_of_memory(*error)) cause.out_of_memory = true;
    return 0;
}

bool memory_was_refused = false;

extern "C" herr_t note_lack_of_memory(unsigned, const H5E_error2_t* error, void*) {
    if (is_lack_of_memory(*error)) memory_was_refused = true;
    return 0;
}

Cause innermost_cause() {
    Cause cause;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, look_at, &cause);
    clear_errors();
    if (cause.reading) cause.write_failed = false;
    // Of a failed system call HDF5 tells time, address and length as well; the reason is enough.
    for (const int full : {ENOSPC, EDQUOT, EFBIG}) {
        if (cause.text.find("errno = " + std::to_string(full) + ",") != std::string::npos)
            cause.write_failed = true;
    }
    const std::string before = "error message = '";
    if (const auto at = cause.text.find(before); at != std::string::npos) {
        const auto first = at + before.size();
        cause.text = cause.text.substr(first, cause.text.find('\'', first) - first);
    }
    for (char& c : cause.text) {
        if (c == '\n' || c == '\r') c = ' ';
    }
    if (cause.text.empty()) cause.text = "HDF5 gives no reason";
    return cause;
}

// In a damaged file the library may take for a size what is none; a sound one asks for less than this at a
// time, but for its chunks.
bool is_there_memory() {
    constexpr std::size_t enough = std::size_t{64} << 20U;
    void* volatile memory = std::malloc(enough);  // volatile: or the compiler knows that nobody needs it
    const bool there = memory != nullptr;
    std::free(memory);
    return there;
}

}  // namespace

std::int64_t check(std::int64_t result, const std::string& file, const std::string& field,
                   const char* action) {
    if (result >= 0) return result;
    const Cause cause = innermost_cause();
    if (cause.out_of_memory) {
        if (!is_there_memory()) throw std::bad_alloc();
        throw core::DataError(file, field, std::string(action) + ": it asks for more memory than there is");
    }
    if (cause.write_failed) throw core::WriteError(file, "cannot write: " + cause.text);
    throw core::DataError(file, field, std::string(action) + ": " + cause.text);
}

void clear_errors() {
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, note_lack_of_memory, nullptr);
    H5Eclear2(H5E_DEFAULT);
}

bool lacked_memory() {
    return memory_was_refused;
}

void silence() {
    // Closing what is left at exit crashes if a file could not be written to its end; we close our files
    // ourselves.
    static const bool no_closing_at_exit = H5dont_atexit() >= 0;
    (void)no_closing_at_exit;
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

}  // namespace popflow::h5
