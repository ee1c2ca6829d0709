// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace popflow::core {

/// Bytes of memory that the control group of this process may use, of either version; nothing without a
/// limit.
std::optional<std::uint64_t> memory_limit();

/// Bytes of memory that processes of this host can still have: what the system says, and what is left of
/// memory_limit(). Nothing if it cannot be told.
std::optional<std::uint64_t> available_memory();

/// A line of a file like /proc/meminfo, without its key and the space around it; empty if there is none.
std::string proc_value(const char* path, const std::string& key);

}  // namespace popflow::core
