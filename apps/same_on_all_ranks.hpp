// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

#include "mpi/communicator.hpp"
#include "screen/screen.hpp"

namespace popflow::apps {

/// Checks that `text` is the same on all ranks. Collective, but only rank 0 throws. Other ranks may already
/// be in the next collective call, so the caller of rank 0 must abort them.
/// @param what  name of the compared item for the message, such as `data file F.h5ad`
/// @throws core::Error on rank 0, with the first differing rank, its host, and the first differing line
void check_same_on_all_ranks(const mpi::Communicator& comm, const std::string& what, const std::string& text);

/// Checks that all ranks run the same version, commit and build of the program. Collective.
/// @throws core::Error as check_same_on_all_ranks()
void check_same_program(const mpi::Communicator& comm);

/// Returns the length of a file and a digest of 64 blocks of 4096 bytes that are spread evenly over it.
/// @throws core::DataError if it cannot be read
std::string file_sample(const std::string& path);

/// Calls `open` after checking that all ranks see the same file, and checks the fingerprint of the screen.
/// Collective. @throws core::Error as check_same_on_all_ranks(), core::DataError
screen::Screen open_same_screen(const mpi::Communicator& comm, const std::string& path,
                                const std::function<screen::Screen()>& open);

/// Returns the length and the modification time of a file, or an empty text if it does not exist.
std::string file_stamp(const std::string& path);

}  // namespace popflow::apps
