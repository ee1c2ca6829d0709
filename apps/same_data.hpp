// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

#include "mpi/communicator.hpp"
#include "screen/screen.hpp"

namespace popflow::apps {

/// Returns the length of a file and a digest of 64 blocks of 4096 bytes that are spread evenly over it.
/// @throws core::DataError if it cannot be read
std::string file_sample(const std::string& path);

/// Calls `open` after checking that all ranks see the same file, and checks the fingerprint of the screen.
/// Collective. @throws core::Error as mpi::check_same_on_all_ranks(), core::DataError
screen::Screen open_same_screen(const mpi::Communicator& comm, const std::string& path,
                                const std::function<screen::Screen()>& open);

/// Returns the length and the modification time of a file, or an empty text if it does not exist.
std::string file_stamp(const std::string& path);

}  // namespace popflow::apps
