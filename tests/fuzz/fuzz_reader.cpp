// SPDX-License-Identifier: MIT
// A libFuzzer target: reads a file of the given bytes with the reader POPFLOW_FUZZ_FORMAT, as the program
// does. Whatever it throws that is not the user's error is a finding.
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include "core/error.hpp"
#include "fuzz/readers.hpp"
#include "h5/hardening/file_guard.hpp"
#include "support/temporary_folder.hpp"

namespace {

struct Session {
    popflow::h5::FileGuard guard{
        std::chrono::seconds(1)};  // the files are small, and of many some have no end
    popflow::support::TemporaryFolder folder;
};

std::unique_ptr<Session>& session() {
    static std::unique_ptr<Session> one;
    return one;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    session() = std::make_unique<Session>();
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    // A new name for each: the guard does not try a file again that looks the same.
    static std::size_t count = 0;
    const std::string path = session()->folder.file(std::to_string(++count) + ".h5");
    {
        std::ofstream out(path, std::ios::binary);
        out.write(reinterpret_cast<const char*>(bytes), static_cast<std::streamsize>(size));
    }
    try {
        popflow::fuzz::format(POPFLOW_FUZZ_FORMAT).read(path);
    } catch (const popflow::core::UserError&) {  // as it should be
    }
    std::filesystem::remove(path);
    return 0;
}
