// SPDX-License-Identifier: MIT
#include "core/folder_lock.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>

#include "core/error.hpp"
#include "support/temporary_folder.hpp"

using popflow::core::FolderLock;
using popflow::support::TemporaryFolder;
using namespace std::chrono_literals;

TEST(FolderLock, IsExclusiveAndReleasedByTheDestructor) {
    const TemporaryFolder folder;
    {
        const FolderLock lock(folder.path().string(), 0ms);
        try {
            const FolderLock second(folder.path().string(), 0ms);
            FAIL() << "two locks on one folder";
        } catch (const popflow::core::ConfigError& error) {
            EXPECT_NE(std::string(error.what()).find("in use by process " + std::to_string(::getpid())),
                      std::string::npos)
                << error.what();
        }
    }
    EXPECT_FALSE(std::filesystem::exists(folder.file("lock")));
    const FolderLock again(folder.path().string(), 0ms);
}

TEST(FolderLock, IsReportedByFolderUse) {
    using popflow::core::folder_use;
    using popflow::core::FolderUse;
    const TemporaryFolder folder;
    const std::string path = folder.path().string();
    EXPECT_EQ(folder_use(path), FolderUse::none);
    {
        const FolderLock lock(path, 0ms);
        EXPECT_EQ(folder_use(path), FolderUse::here);
    }
    EXPECT_EQ(folder_use(path), FolderUse::none);
    std::ofstream(folder.file("lock")) << "host = elsewhere\nprocess = 1\nstarted = 1\n";
    EXPECT_EQ(folder_use(path), FolderUse::elsewhere);
}

TEST(FolderLock, IsReleasedWhenTheProcessDies) {
    const TemporaryFolder folder;
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const FolderLock lock(folder.path().string(), 0ms);
        (void)!::write(ready[1], "x", 1);
        ::pause();
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    EXPECT_THROW(FolderLock(folder.path().string(), 0ms), popflow::core::ConfigError);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_TRUE(std::filesystem::exists(folder.file("lock")));
    const FolderLock lock(folder.path().string(), 5s);
}

TEST(FolderLock, IgnoresALockFileThatNoProcessHolds) {
    const TemporaryFolder folder;
    std::ofstream(folder.file("lock")) << "host = elsewhere\nprocess = 1\nstarted = 1\n";
    const FolderLock lock(folder.path().string(), 0ms);
}

TEST(FolderLock, ThrowsIfTheFolderDoesNotExist) {
    const TemporaryFolder folder;
    EXPECT_THROW(FolderLock(folder.file("none"), 0ms), popflow::core::DataError);
}
