// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace popflow::mpi {

/// Paths of the shared libraries that the process has loaded now.
std::vector<std::string> loaded_libraries();

/// Keeps what is loaded now to the end of the process, whoever closes it.
///
/// Open MPI closes its plugins in MPI_Finalize, after it has stopped to take notices from PMIx; one that came
/// just before is still handled by another thread, within a plugin (`process_event` of pmix_ext3x in 4.1.4).
/// Once that is no longer mapped the thread ends the program by a segmentation fault.
void keep_loaded_libraries();

}  // namespace popflow::mpi
