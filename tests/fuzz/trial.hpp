// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

namespace popflow::fuzz {

/// Outcome of work that ran in its own process.
struct Outcome {
    enum class Kind { read, refused, failed, crashed, hung };
    Kind kind = Kind::read;
    std::string message;   ///< text of the exception, or the signal
    double megabytes = 0;  ///< maximum resident memory
    double seconds = 0;    ///< CPU time, without that of the file guard
};

/// Runs work in a forked process.
///
/// @param seconds  CPU time limit of the process
/// @param guarded  whether the process reads with its own file guard
/// @return `refused` for a core::UserError (exit code 2 of the program), `failed` for any other exception
/// @throws std::runtime_error if the process cannot be created
Outcome run_in_child(const std::function<void()>& work, unsigned seconds, bool guarded);

}  // namespace popflow::fuzz
