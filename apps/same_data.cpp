// SPDX-License-Identifier: MIT
#include "same_data.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <system_error>
#include <vector>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "mpi/same_on_all_ranks.hpp"

namespace popflow::apps {

std::string file_sample(const std::string& path) {
    constexpr std::uint64_t blocks = 64;
    std::vector<char> block(4096);
    std::ifstream in(path, std::ios::binary);
    in.seekg(0, std::ios::end);
    const std::streamoff length = in.tellg();
    if (!in || length < 0)
        throw core::DataError(path, "", "cannot open: " + std::generic_category().message(errno));
    core::Digest digest;
    for (std::uint64_t b = 0; b < blocks; ++b) {
        in.clear();
        in.seekg(static_cast<std::streamoff>(static_cast<double>(length) * static_cast<double>(b) / blocks));
        in.read(block.data(), static_cast<std::streamsize>(block.size()));
        digest.add(std::string_view(block.data(), static_cast<std::size_t>(in.gcount())));
    }
    return fmt::format("{} bytes, digest {}", length, digest.text());
}

screen::Screen open_same_screen(const mpi::Communicator& comm, const std::string& path,
                                const std::function<screen::Screen()>& open) {
    if (comm.size() > 1) mpi::check_same_on_all_ranks(comm, "data file " + path, file_sample(path));
    screen::Screen screen = open();
    mpi::check_same_on_all_ranks(comm, "data file " + path, screen.fingerprint);
    return screen;
}

std::string file_stamp(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return "";
    return fmt::format("{} {}.{}", status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

}  // namespace popflow::apps
