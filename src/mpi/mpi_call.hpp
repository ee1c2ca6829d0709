// SPDX-License-Identifier: MIT
#pragma once

#include <mpi.h>

#include <cstddef>
#include <string>

#include "core/error.hpp"
#include "mpi/communicator.hpp"

namespace popflow::mpi {

/// Turns the code of an MPI call into an exception. @throws core::MpiError
inline void check(int code, const char* call) {
    if (code == MPI_SUCCESS) return;
    char text[MPI_MAX_ERROR_STRING];
    int length = 0;
    MPI_Error_string(code, text, &length);
    throw core::MpiError(call, code, std::string(text, static_cast<std::size_t>(length)));
}

struct Communicator::Impl {
    MPI_Comm comm = MPI_COMM_NULL;
    int rank = 0;
    int size = 1;
    mutable std::vector<int> first;  ///< scratch of share_parts()
    mutable std::vector<int> length;
    Impl();
    ~Impl();
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
};

}  // namespace popflow::mpi
