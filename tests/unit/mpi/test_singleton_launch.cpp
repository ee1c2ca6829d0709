// SPDX-License-Identifier: MIT
#include "mpi/singleton_launch.hpp"

#include <gtest/gtest.h>

#include <array>

using popflow::mpi::is_singleton_launch;

namespace {

bool is_singleton_with(const char* entry) {
    const std::array<const char*, 3> environment{"HOME=/home/a", entry, nullptr};
    return is_singleton_launch(environment.data());
}

}  // namespace

TEST(SingletonLaunch, DetectsLaunchersByTheirEnvironmentVariables) {
    EXPECT_TRUE(is_singleton_with("PATH=/bin"));
    EXPECT_TRUE(is_singleton_with("SLURM_JOB_ID=7"));     // a command of a batch script
    EXPECT_TRUE(is_singleton_with("PMIX_MCA_gds=hash"));  // a setting
    EXPECT_TRUE(is_singleton_with("OMPI_MCA_pml=ucx"));   // a setting
    EXPECT_FALSE(is_singleton_with("OMPI_COMM_WORLD_SIZE=1"));
    EXPECT_FALSE(is_singleton_with("PMIX_RANK=0"));
    EXPECT_FALSE(is_singleton_with("PMI_FD=7"));
    EXPECT_FALSE(is_singleton_with("SLURM_STEP_NUM_TASKS=2"));
}
