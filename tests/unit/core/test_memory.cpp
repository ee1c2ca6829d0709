// SPDX-License-Identifier: MIT
#include "core/memory.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_folder.hpp"

using popflow::core::group_memory;

namespace {

// Writes the files that describe the control groups of a process into a temporary folder. `line` is the
// content of /proc/self/cgroup.
class ControlGroupFiles {
  public:
    explicit ControlGroupFiles(const std::string& line) { put("self", line); }
    void put(const std::string& name, const std::string& text) const {
        const std::filesystem::path path = folder_.file(name);
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << text << "\n";
    }
    auto memory() const { return group_memory(folder_.file("self"), folder_.path().string()); }

  private:
    popflow::support::TemporaryFolder folder_;
};

}  // namespace

TEST(GroupMemory, IsTheSmallestOfTheGroupAndItsParents) {
    const ControlGroupFiles groups("0::/job/step");
    groups.put("job/step/memory.max", "max");
    groups.put("job/step/memory.current", "50");
    EXPECT_FALSE(groups.memory().has_value());

    groups.put("job/memory.max", "1000");
    groups.put("job/memory.current", "700");
    EXPECT_EQ(groups.memory()->limit, 1000U);
    EXPECT_EQ(groups.memory()->left, 300U);

    groups.put("memory.max", "2000");
    groups.put("memory.current", "1900");
    EXPECT_EQ(groups.memory()->limit, 1000U);
    EXPECT_EQ(groups.memory()->left, 100U);
}

TEST(GroupMemory, CountsInactiveFilePagesAsFree) {
    const ControlGroupFiles groups("0::/job");
    groups.put("job/memory.max", "1000");
    groups.put("job/memory.current", "990");
    groups.put("job/memory.stat", "anon 100\nfile 890\nactive_file 90\ninactive_file 800");
    EXPECT_EQ(groups.memory()->left, 810U);
}

TEST(GroupMemory, ReadsControlGroupsOfVersion1) {
    const ControlGroupFiles groups("11:cpuset:/\n7:memory:/slurm/job_1\n0::/");
    groups.put("memory/slurm/job_1/memory.limit_in_bytes", "9223372036854771712");
    groups.put("memory/slurm/memory.limit_in_bytes", "4000");
    groups.put("memory/slurm/memory.usage_in_bytes", "3000");
    groups.put("memory/slurm/memory.stat", "total_inactive_file 500");
    EXPECT_EQ(groups.memory()->limit, 4000U);
    EXPECT_EQ(groups.memory()->left, 1500U);
}

TEST(GroupMemory, IsEmptyWithoutControlGroups) {
    EXPECT_FALSE(group_memory("/nowhere", "/nowhere").has_value());
}
