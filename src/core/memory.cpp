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
    return std::nullopt;  // no such file, or `max`, which means no limit
}

// Returns the value of a `key value` line of a file like memory.stat, or 0 if there is none.
std::uint64_t stat_in(const std::string& path, const std::string& key) {
    std::ifstream in(path);
    std::uint64_t bytes = 0;
    for (std::string name; in >> name >> bytes;) {
        if (name == key) return bytes;
    }
    return 0;
}

// Names of the files of a control group. cgroup v2 has one hierarchy, v1 has a separate one for memory.
struct Files {
    const char* limit;
    const char* used;
    const char* inactive_cache;  ///< key of the inactive page cache in memory.stat
};
constexpr Files files_v1{"/memory.limit_in_bytes", "/memory.usage_in_bytes", "total_inactive_file"};
constexpr Files files_v2{"/memory.max", "/memory.current", "inactive_file"};

// Lowers `memory` to the limit of one group, if it has one.
void apply_group(const std::string& folder, const Files& files, GroupMemory& memory) {
    // cgroup v1 writes "no limit" as a number just below 2^63.
    constexpr std::uint64_t unlimited = std::uint64_t{1} << 62U;
    const auto limit = number_in(folder + files.limit);
    if (!limit || *limit >= unlimited) return;
    const std::uint64_t used = number_in(folder + files.used).value_or(0);
    const std::uint64_t inactive_cache = stat_in(folder + "/memory.stat", files.inactive_cache);
    const std::uint64_t needed = used - std::min(used, inactive_cache);
    memory.limit = std::min(memory.limit, *limit);
    memory.left = std::min(memory.left, *limit - std::min(*limit, needed));
}

}  // namespace

std::optional<GroupMemory> group_memory(const std::string& groups, const std::string& mount) {
    GroupMemory memory;
    std::ifstream in(groups);
    for (std::string line; std::getline(in, line);) {
        const bool v2 = line.starts_with("0::");
        const std::size_t v1 = line.find(":memory:");
        if (!v2 && v1 == std::string::npos) continue;
        const std::string top = v2 ? mount : mount + "/memory";
        // The limits of all parent groups apply as well.
        for (std::string path = line.substr(v2 ? 3 : v1 + 8);; path.erase(path.find_last_of('/'))) {
            if (path == "/") path.clear();
            apply_group(top + path, v2 ? files_v2 : files_v1, memory);
            if (path.find('/') == std::string::npos) break;
        }
    }
    if (memory.limit == GroupMemory{}.limit) return std::nullopt;
    return memory;
}

std::optional<std::uint64_t> available_memory() {
    const std::string free = proc_value("/proc/meminfo", "MemAvailable");
    if (free.empty()) return std::nullopt;
    const std::uint64_t bytes = 1024 * std::strtoull(free.c_str(), nullptr, 10);
    const auto group = group_memory();
    return group ? std::min(bytes, group->left) : bytes;
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
