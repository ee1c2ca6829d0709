// SPDX-License-Identifier: MIT
#include "mpi/loaded_libraries.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

using popflow::mpi::keep_loaded_libraries;
using popflow::mpi::loaded_libraries;

namespace {

bool is_loaded(const std::string& path) {
    return std::ranges::count(loaded_libraries(), path) == 1;
}

void* open_library(const std::string& path) {
    void* handle = dlopen(path.c_str(), RTLD_LAZY);
    EXPECT_NE(handle, nullptr) << dlerror();
    return handle;
}

}  // namespace

TEST(LoadedLibraries, ContainALibraryUntilItIsClosed) {
    const std::string path = POPFLOW_CLOSED_LIBRARY;
    EXPECT_FALSE(is_loaded(path));
    void* handle = open_library(path);
    ASSERT_NE(handle, nullptr);
    EXPECT_TRUE(is_loaded(path));
    dlclose(handle);
    EXPECT_FALSE(is_loaded(path));
}

TEST(KeepLoadedLibraries, KeepsALibraryThatIsClosedLater) {
    const std::string path = POPFLOW_KEPT_LIBRARY;
    void* handle = open_library(path);
    ASSERT_NE(handle, nullptr);
    keep_loaded_libraries();
    dlclose(handle);
    EXPECT_TRUE(is_loaded(path));
}
