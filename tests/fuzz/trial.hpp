// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

namespace popflow::fuzz {

/// How a piece of work in a process of its own ended.
struct Outcome {
    enum class Kind { read, refused, failed, crashed, hung };
    Kind kind = Kind::read;
    std::string message;   ///< of what was thrown
    double megabytes = 0;  ///< largest resident memory
    double seconds = 0;    ///< of processor time, without the file guard's
};

/// Runs work in a forked process, with at most `seconds` of processor time and a file guard of its own if
/// asked for.
///
/// `refused` is a core::UserError (exit code 2 of the program), `failed` anything else that is thrown.
Outcome run_apart(const std::function<void()>& work, unsigned seconds, bool guarded);

}  // namespace popflow::fuzz
