// SPDX-License-Identifier: MIT
#include "core/memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

namespace popflow::core {

namespace {

std::optional<std::uint64_t> number_in(const std::string& path) {
    std::ifstream in(path);
    std::uint64_t bytes = 0;
    if (in >> bytes) return bytes;
    return std::nullopt;  // also for `max`
}

// Limit and use of the control group that has this process; version 2 has one hierarchy, version 1 one for
// memory.
struct GroupMemory {
    std::optional<std::uint64_t> limit;
    std::optional<std::uint64_t> used;
};

GroupMemory group_memory() {
    constexpr std::uint64_t unlimited = std::uint64_t{1} << 62U;  // version 1 has a number for it
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
        const bool v2 = line.starts_with("0::");
        const std::size_t v1 = line.find(":memory:");
        if (!v2 && v1 == std::string::npos) continue;
        const std::string folder =
            v2 ? "/sys/fs/cgroup" + line.substr(3) : "/sys/fs/cgroup/memory" + line.substr(v1 + 8);
        const auto limit = number_in(folder + (v2 ? "/memory.max" : "/memory.limit_in_bytes"));
        if (!limit || *limit >= unlimited) continue;
        return {limit, number_in(folder + (v2 ? "/memory.current" : "/memory.usage_in_bytes"))};
    }
    return {};
}

}  // namespace

std::optional<std::uint64_t> memory_limit() {
    return group_memory().limit;
}

std::optional<std::uint64_t> available_memory() {
    const std::string free = proc_value("/proc/meminfo", "MemAvailable");
    if (free.empty()) return std::nullopt;
    const std::uint64_t bytes = 1024 * std::strtoull(free.c_str(), nullptr, 10);
    const GroupMemory group = group_memory();
    if (!group.limit) return bytes;
    return std::min(bytes, *group.limit - std::min(*group.limit, group.used.value_or(0)));
}

std::string proc_value(const char* path, const std::string& key) {
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
        if (!line.starts_with(key)) continue;
        const std::size_t colon = line.find(':');
        if (colon == std::string::npos) continue;
        const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
        if (begin != std::string::npos) return line.substr(begin);
    }
    return {};
}

}  // namespace popflow::core
