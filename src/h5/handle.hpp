// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace popflow::h5 {

/// Owns one HDF5 identifier (file, group, dataset, type, space or property list).
class Handle {
  public:
    Handle() = default;
    explicit Handle(std::int64_t id) : id_(id) {}
    Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
    Handle& operator=(Handle&& other) noexcept {
        std::swap(id_, other.id_);
        return *this;
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() { reset(); }

    std::int64_t id() const { return id_; }
    explicit operator bool() const { return id_ >= 0; }
    /// Releases the identifier. Returns false if HDF5 fails, for instance because the disk is full.
    bool reset() noexcept;

  private:
    std::int64_t id_ = -1;
};

/// Returns the result of an HDF5 call. Throws if it is negative.
///
/// @throws core::DataError{file, field} with the message `action: cause`. The cause is the innermost error
/// that HDF5 reports
/// @throws core::WriteError if the cause is a failed write
/// @throws std::bad_alloc if memory is exhausted
std::int64_t check(std::int64_t result, const std::string& file, const std::string& field,
                   const char* action);

/// Takes ownership of a new identifier. @throws as check() if it is negative
inline Handle own(std::int64_t id, const std::string& file, const std::string& field, const char* action) {
    return Handle(check(id, file, field, action));
}

/// Clears HDF5's error stack after calls that are allowed to fail.
void clear_errors();

/// Whether an allocation of libhdf5 has failed in this process. Considers only errors that check() or
/// clear_errors() has seen.
bool has_run_out_of_memory();

/// Stops HDF5 from printing errors on this thread, because check() reports them. Must be called before any
/// other HDF5 function.
void disable_error_printing();

}  // namespace popflow::h5
