// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace popflow::core {

/// Memory limits of the control group (cgroup) of a process and of all its parent groups, in bytes.
struct GroupMemory {
    /// Smallest limit of these groups.
    std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
    /// Smallest remainder of these groups. Inactive page cache counts as free: the kernel can drop it.
    std::uint64_t left = std::numeric_limits<std::uint64_t>::max();
};

/// Returns the limits of this process, for cgroup v1 or v2, or nothing if no group has a limit.
/// @param groups  file that lists the control groups of the process
/// @param mount  folder at which the cgroup hierarchies are mounted
std::optional<GroupMemory> group_memory(const std::string& groups = "/proc/self/cgroup",
                                        const std::string& mount = "/sys/fs/cgroup");

/// Returns the bytes of memory that this process can still allocate: the smaller of MemAvailable of the host
/// and GroupMemory::left. Returns nothing if the host does not report MemAvailable.
std::optional<std::uint64_t> available_memory();

/// Returns the value of a `key: value` line of a file like /proc/meminfo, without leading white space.
/// The first line that starts with `key` counts. Returns an empty text if there is none.
std::string proc_value(const char* path, const std::string& key);

}  // namespace popflow::core
