// SPDX-License-Identifier: MIT
// libFuzzer target. Writes the given bytes to a file and reads it with the reader of POPFLOW_FUZZ_FORMAT, as
// the program does. Every exception other than core::UserError is a finding.
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
    // A short time limit: the files are small, and reading some of them would never end.
    popflow::h5::FileGuard guard{std::chrono::seconds(1)};
    popflow::support::TemporaryFolder folder;
};

std::unique_ptr<Session>& session() {
    static std::unique_ptr<Session> instance;
    return instance;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    session() = std::make_unique<Session>();
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    // Each input gets a new file name, because the guard does not read a file again that looks unchanged.
    static std::size_t count = 0;
    const std::string path = session()->folder.file(std::to_string(++count) + ".h5");
    {
        std::ofstream out(path, std::ios::binary);
        out.write(reinterpret_cast<const char*>(bytes), static_cast<std::streamsize>(size));
    }
    try {
        popflow::fuzz::format(POPFLOW_FUZZ_FORMAT).read(path);
    } catch (const popflow::core::UserError&) {  // expected for a damaged file
    }
    std::filesystem::remove(path);
    return 0;
}
