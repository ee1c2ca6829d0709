// SPDX-License-Identifier: MIT
#pragma once

#include <mpi.h>

#include <cstddef>
#include <string>

#include "core/error.hpp"
#include "mpi/communicator.hpp"

namespace popflow::mpi {

/// Throws if an MPI call failed.
/// @param code  return value of the call
/// @param call  name of the MPI function
/// @throws core::MpiError with the text of the MPI library
inline void check(int code, const char* call) {
    if (code == MPI_SUCCESS) return;
    char text[MPI_MAX_ERROR_STRING];
    int length = 0;
    MPI_Error_string(code, text, &length);
    throw core::MpiError(call, code, std::string(text, static_cast<std::size_t>(length)));
}

/// The duplicated communicator. The destructor frees it unless MPI is finalised or the stack is unwinding.
struct Communicator::Impl {
    MPI_Comm comm = MPI_COMM_NULL;  ///< MPI_COMM_NULL for the calling process alone, which makes no MPI call
    int rank = 0;
    int size = 1;
    mutable std::vector<int> offsets;  ///< scratch memory of the all-gather: first element of each rank
    mutable std::vector<int> counts;   ///< scratch memory of the all-gather: elements of each rank
    Impl() = default;
    explicit Impl(MPI_Comm ranks);
    ~Impl();
    bool is_local() const { return comm == MPI_COMM_NULL; }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
};

}  // namespace popflow::mpi
