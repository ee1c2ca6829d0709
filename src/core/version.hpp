// SPDX-License-Identifier: MIT
#pragma once

namespace popflow::core {

/// Returns the version of the program, such as `0.1.0`.
const char* version();

/// Returns the abbreviated commit of the source tree that was built, with `-dirty` if it had changes.
/// Returns `unknown` if it was not built from a git checkout.
const char* commit();

/// Returns the name and version of the compiler.
const char* compiler();

/// Returns the CMake build type.
const char* build_type();

}  // namespace popflow::core
