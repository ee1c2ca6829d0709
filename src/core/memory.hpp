// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace popflow::core {

/// Bytes of memory that a process may use under the limits of its control group and of all above it.
struct GroupMemory {
    std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();  ///< the least
    /// The least that any of them has left; what only repeats a file counts as free.
    std::uint64_t left = std::numeric_limits<std::uint64_t>::max();
};

/// Those of this process, of either version; nothing without a limit.
/// @param groups  list of its control groups
/// @param mount  where their hierarchies are
std::optional<GroupMemory> group_memory(const std::string& groups = "/proc/self/cgroup",
                                        const std::string& mount = "/sys/fs/cgroup");

/// Bytes of memory that processes of this host can still have: what the system says, and what is left by
/// group_memory(). Nothing if it cannot be told.
std::optional<std::uint64_t> available_memory();

/// A line of a file like /proc/meminfo, without its key and the space around it; empty if there is none.
std::string proc_value(const char* path, const std::string& key);

}  // namespace popflow::core
