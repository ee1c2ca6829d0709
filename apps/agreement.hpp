// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

#include "mpi/communicator.hpp"
#include "screen/screen.hpp"

namespace popflow::apps {

/// Ends the run unless all ranks bring the same text. Collective: rank 0 throws, and whoever catches it ends
/// the others; they may have gone on to the next collective call.
/// @param what  that the text tells of, as in `the data file F.h5ad`
/// @throws core::Error that names the first rank that differs, its host, and the first line that does
void check_same_on_all_ranks(const mpi::Communicator& comm, const std::string& what, const std::string& text);

/// All ranks are the same program, by version, commit and build. Collective.
void agree_on_program(const mpi::Communicator& comm);

/// What can be seen of a file at once: its length and a digest of 64 blocks spread over it.
/// @throws core::DataError if it cannot be read
std::string file_sample(const std::string& path);

/// The screen of a file, opened once all ranks are known to see the same one. Collective.
screen::Screen open_agreed(const mpi::Communicator& comm, const std::string& path,
                           const std::function<screen::Screen()>& open);

/// Length and time of change of a file; empty if there is none.
std::string file_stamp(const std::string& path);

}  // namespace popflow::apps
