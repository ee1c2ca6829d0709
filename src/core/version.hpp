// SPDX-License-Identifier: MIT
#pragma once

namespace popflow::core {

/// Version of the program, as in `0.1.0`.
const char* version();

/// Abbreviated commit of the source tree that was built, with `-dirty` if it had changes; `unknown` outside
/// git.
const char* commit();

/// Name and version of the compiler.
const char* compiler();

/// CMake build type.
const char* build_type();

}  // namespace popflow::core
