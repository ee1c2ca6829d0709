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
    /// Gives the identifier back; false if HDF5 could not, for instance because a disk is full.
    bool reset() noexcept;

  private:
    std::int64_t id_ = -1;
};

/// Returns `result` if it is not negative.
///
/// @throws core::DataError{file, field} that reads `action: text`, text being what HDF5 says of the innermost
/// cause; core::WriteError if that is a write that failed; std::bad_alloc if HDF5 found no memory
std::int64_t check(std::int64_t result, const std::string& file, const std::string& field,
                   const char* action);

/// check() on a new identifier.
inline Handle own(std::int64_t id, const std::string& file, const std::string& field, const char* action) {
    return Handle(check(id, file, field, action));
}

/// Forgets the errors of calls whose failure is an answer.
void clear_errors();

/// Whether libhdf5 was ever refused memory in this process, as far as check() and clear_errors() saw its
/// errors.
bool lacked_memory();

/// Stops HDF5 from printing errors on this thread; check() reports them. Comes before any other call of HDF5.
void silence();

}  // namespace popflow::h5
